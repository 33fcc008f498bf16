/**
 * What a classifier got right: top-1 and top-5, per class, who was taken for whom. Videos without a score count as wrong and
 * are named, so the denominator is always the whole list.
 *
 * Source: VideoMAE, engine_for_finetuning.py@14ef8d8 (merging of views, top-1, top-5). Differs: ties have an order, and
 * videos that could not be read are counted; the reference puts another video in their place.
 */

import { checkInteger } from '../core/index.ts';

/** A video of the test list. */
export interface LabelledVideo {
  readonly key: string;
  /** From 0 to the number of classes, exclusive. */
  readonly label: number;
}

/** The merged score of a video, as `mergeViews` makes it. Shape of `probabilities`: `[numClasses]`. */
export interface ScoredVideo {
  readonly key: string;
  readonly probabilities: ArrayLike<number>;
  readonly numViews: number;
}

/** Settings of {@link recordClassification}. */
export interface ClassificationOptions {
  readonly classNames: readonly string[];
  /** Views planned for each video; videos with fewer are listed. Default: do not look. */
  readonly plannedViews?: number;
}

/** The record of one class. */
export interface ClassRecord {
  readonly label: number;
  readonly name: string;
  readonly numVideos: number;
  readonly numCorrect: number;
  readonly numMissing: number;
  /** `numCorrect / numVideos`, or null without videos. */
  readonly accuracy: number | null;
}

/** The record of an evaluation. Rates are from 0 to 1 over all videos, missing ones included. */
export interface ClassificationRecord {
  readonly numVideos: number;
  readonly top1: number;
  readonly top5: number;
  /** Mean of the accuracies of the classes that have videos. */
  readonly meanPerClass: number;
  readonly classes: readonly ClassRecord[];
  /** `[numClasses][numClasses]` counts: rows are the labels, columns what they were taken for. Missing videos stand nowhere. */
  readonly confusion: readonly (readonly number[])[];
  /** Keys of the videos without any score, in the order of the list. */
  readonly missing: readonly string[];
  /** Videos scored on fewer views than planned. */
  readonly incomplete: readonly { readonly key: string; readonly numViews: number }[];
}

/**
 * Compares scores with labels. Of equal scores the class with the lower number comes first.
 *
 * @throws {RangeError} if a key stands twice, a score has no video, a label is no class, or a score is not a finite number
 */
export function recordClassification(
  videos: Iterable<LabelledVideo>,
  scores: Iterable<ScoredVideo>,
  { classNames, plannedViews = 0 }: ClassificationOptions,
): ClassificationRecord {
  const numClasses = classNames.length;
  checkInteger('classNames.length', numClasses, { min: 1 });
  const list = Array.from(videos);
  const byKey = indexScores(list, scores);
  const confusion = classNames.map(() => classNames.map(() => 0));
  const counts = classNames.map(() => ({ numVideos: 0, numCorrect: 0, numMissing: 0 }));
  const missing: string[] = [];
  const incomplete: { readonly key: string; readonly numViews: number }[] = [];
  let [top1, top5] = [0, 0];
  for (const { key, label } of list) {
    checkInteger('label', label, { min: 0, max: numClasses - 1 });
    const count = counts[label] ?? { numVideos: 0, numCorrect: 0, numMissing: 0 };
    const score = byKey.get(key);
    count.numVideos += 1;
    if (score === undefined) {
      count.numMissing += 1;
      missing.push(key);
      continue;
    }
    const { probabilities, numViews } = score;
    checkInteger('probabilities.length', probabilities.length, {
      min: numClasses,
      max: numClasses,
    });
    const rank = rankOf(label, probabilities);
    const row = confusion[label] ?? [];
    const predicted = rank === 0 ? label : topClass(probabilities);
    row[predicted] = (row[predicted] ?? 0) + 1;
    if (rank === 0) count.numCorrect += 1;
    if (rank === 0) top1 += 1;
    if (rank < 5) top5 += 1;
    if (numViews < plannedViews) incomplete.push({ key, numViews });
  }
  const classes = counts.map(({ numVideos, numCorrect, numMissing }, label) => ({
    label,
    name: classNames[label] ?? String(label),
    numVideos,
    numCorrect,
    numMissing,
    accuracy: numVideos === 0 ? null : numCorrect / numVideos,
  }));
  const accuracies = classes.flatMap(({ accuracy }) => (accuracy === null ? [] : [accuracy]));
  return {
    numVideos: list.length,
    top1: rate(top1, list.length),
    top5: rate(top5, list.length),
    meanPerClass: rate(
      accuracies.reduce((sum, accuracy) => sum + accuracy, 0),
      accuracies.length,
    ),
    classes,
    confusion,
    missing,
    incomplete,
  };
}

function indexScores(
  videos: readonly LabelledVideo[],
  scores: Iterable<ScoredVideo>,
): Map<string, ScoredVideo> {
  const keys = new Set(videos.map(({ key }) => key));
  if (keys.size < videos.length) throw new RangeError('"videos" must have every key once.');
  const byKey = new Map<string, ScoredVideo>();
  for (const score of scores) {
    const { key } = score;
    if (!keys.has(key)) throw new RangeError(`"scores" must be of listed videos (got "${key}").`);
    if (byKey.has(key)) throw new RangeError(`"scores" must have every key once (got "${key}").`);
    byKey.set(key, score);
  }
  return byKey;
}

/** How many classes come before this one; 0 is the top. */
function rankOf(label: number, scores: ArrayLike<number>): number {
  const own = scores[label] ?? Number.NaN;
  let rank = 0;
  for (let other = 0; other < scores.length; other++) {
    const score = scores[other] ?? Number.NaN;
    if (!Number.isFinite(score)) throw new RangeError('"probabilities" must be finite numbers.');
    if (score > own || (score === own && other < label)) rank += 1;
  }
  return rank;
}

function topClass(scores: ArrayLike<number>): number {
  let top = 0;
  for (let label = 1; label < scores.length; label++) {
    if ((scores[label] ?? 0) > (scores[top] ?? 0)) top = label;
  }
  return top;
}

function rate(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
