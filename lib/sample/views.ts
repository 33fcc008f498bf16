/**
 * Test views: each video is scored on several temporal segments times several crops, and the scores are merged.
 * The frames of segments are in dense-frames.ts and uniform-frames.ts, the crops in geometry.ts.
 *
 * Source: VideoMAE (Tong et al. 2022) and its released code. Differs: videos are told apart by a key of the caller's, where
 * the reference takes file names, which may clash.
 */

import { checkInteger } from '../core/index.ts';

/** One look at a video; both numbers count from 0. */
export interface View {
  readonly segment: number;
  readonly crop: number;
}

/** What the network says to one view of a video. Shape of `logits`: `[numClasses]`. */
export interface ViewScore extends View {
  readonly key: string;
  readonly logits: ArrayLike<number>;
}

/** The merged score of a video. Shape of `probabilities`: `[numClasses]`, they sum to 1. */
export interface VideoScore {
  readonly key: string;
  readonly probabilities: Float32Array;
  /** Views that were merged, duplicates not counted; fewer than planned means that some are missing. */
  readonly numViews: number;
}

interface Tally {
  readonly sums: Float64Array;
  readonly views: Set<string>;
}

/**
 * Lists the views of a video: all crops of segment 0, then those of segment 1 and so on.
 *
 * @throws {RangeError} if a number is not an integer ≥ 1
 */
export function listViews(numSegments: number, numCrops: number): View[] {
  checkInteger('numSegments', numSegments, { min: 1 });
  checkInteger('numCrops', numCrops, { min: 1 });
  return Array.from({ length: numSegments * numCrops }, (_, view) => ({
    segment: Math.floor(view / numCrops),
    crop: view % numCrops,
  }));
}

/**
 * Merges views into one score per video, in the order in which videos first come: softmax of each view, then the mean over
 * views. A view that comes again is dropped, as padding in distributed evaluation makes some.
 *
 * @throws {RangeError} if views of one video differ in the number of classes, or a logit is not a finite number
 */
export function mergeViews(scores: Iterable<ViewScore>): VideoScore[] {
  const tallies = new Map<string, Tally>();
  for (const { key, segment, crop, logits } of scores) {
    const tally = tallies.get(key) ?? { sums: new Float64Array(logits.length), views: new Set() };
    tallies.set(key, tally);
    checkInteger('logits.length', logits.length, { min: 1 });
    checkInteger('logits.length', logits.length, {
      min: tally.sums.length,
      max: tally.sums.length,
    });
    const view = `${segment}/${crop}`;
    if (!tally.views.has(view)) addSoftmax(logits, tally.sums);
    tally.views.add(view);
  }
  return Array.from(tallies, ([key, { sums, views }]) => ({
    key,
    probabilities: Float32Array.from(sums, (sum) => sum / views.size),
    numViews: views.size,
  }));
}

function addSoftmax(logits: ArrayLike<number>, sums: Float64Array): void {
  const values = Array.from(logits);
  const highest = values.reduce((max, value) => Math.max(max, value), -Infinity);
  if (!values.every(Number.isFinite)) throw new RangeError('"logits" must be finite numbers.');
  const powers = values.map((value) => Math.exp(value - highest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  for (const [label, power] of powers.entries()) sums[label] = (sums[label] ?? 0) + power / total;
}
