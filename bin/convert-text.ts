/** What `tubelet convert` says: progress, summary, plan. */

import { TOOL, displayPath } from '../lib/index.ts';
import type { ConvertPlan, ConvertProgress, ConvertSummary, SourceNotes } from '../lib/index.ts';
import { formatBytes, formatCount, formatDuration, formatFacts, formatRate } from './format.ts';
import type { ProgressState } from './progress-line.ts';

/** The state of a conversion as a progress line shows it. */
export function stateOf(progress: ConvertProgress): ProgressState {
  const { videosDone, videosTotal, videosBefore, frames, bytes, failures, secondsElapsed } =
    progress;
  const perSecond = (count: number): number => count / Math.max(secondsElapsed, 0.001);
  return {
    done: videosDone,
    total: videosTotal,
    before: videosBefore,
    secondsElapsed,
    facts: [
      `${formatRate(perSecond(videosDone))} videos/s`,
      `${formatRate(perSecond(frames))} frames/s`,
      `${formatBytes(perSecond(bytes))}/s`,
      `${failures} failed`,
    ],
  };
}

/** What a conversion has made, for people. */
export function summaryText(summary: ConvertSummary, out: string): string {
  const { videos, clips, frames, shards, bytes, failures, warnings, notes, seconds } = summary;
  const failed = Object.entries(failures).map(
    ([code, count]) => [`  ${code}`, formatCount(count)] as const,
  );
  const noted = Object.entries(warnings).map(
    ([kind, count]) => [`  ${kind}`, formatCount(count)] as const,
  );
  const rates = `${formatRate(summary.videosPerSecond)} videos/s, ${formatRate(summary.framesPerSecond)} frames/s`;
  return `${out}\n${formatFacts([
    ['videos', formatCount(videos)],
    ['samples', formatCount(clips)],
    ['frames', formatCount(frames)],
    ['shards', formatCount(shards)],
    ['size', formatBytes(bytes)],
    ['failed', sumText(failures)],
    ...failed,
    ['warnings', sumText(warnings)],
    ...noted,
    ...notesFacts(notes),
    [
      'time',
      seconds < 1 && summary.videosPerSecond === 0
        ? 'nothing to do'
        : `${formatDuration(seconds)} (${rates})`,
    ],
  ])}`;
}

/** What a conversion would do, for people. */
export function planText({
  videos,
  classes,
  shards,
  shardsDone,
  notes,
  plan,
}: ConvertPlan): string {
  const { video, ...rest } = plan.content;
  const options = Object.entries({ ...rest, ...video }).filter(([, value]) => value !== null);
  return `would convert (nothing was written, tubelet ${TOOL.version})\n${formatFacts([
    ['videos', formatCount(videos)],
    [
      'classes',
      classes.length === 0 ? 'none named' : `${classes.length}: ${shorten(classes.join(', '))}`,
    ],
    ['shards', `${formatCount(shards)}, ${formatCount(shardsDone)} of them finished`],
    ...notesFacts(notes),
    ...options.map(
      ([name, value]) => [name, Array.isArray(value) ? value.join('x') : String(value)] as const,
    ),
  ])}`;
}

function notesFacts(notes: SourceNotes): [string, string][] {
  const { skippedByExtension, ...counts } = notes;
  const skipped = Object.entries(skippedByExtension).map(
    ([extension, count]) => `${count} ${extension}`,
  );
  const facts: [string, string][] = skipped.length === 0 ? [] : [['left out', skipped.join(', ')]];
  for (const [name, count] of Object.entries(counts)) {
    if (count > 0) facts.push([name, formatCount(count)]);
  }
  return facts;
}

function shorten(text: string): string {
  return text.length <= 70 ? displayPath(text) : `${displayPath(text.slice(0, 67))}...`;
}

/** How things stand after an interruption. */
export function interruptedText(progress: ConvertProgress | null, isOverwriting: boolean): string {
  const kept =
    progress === null
      ? ''
      : ` ${progress.shardsDone} of ${progress.shardsTotal} shards are finished and kept.`;
  const how = isOverwriting ? ' without --overwrite' : '';
  return `Interrupted.${kept} Run the same command again${how} to go on.\n`;
}

function sumText(counts: Readonly<Record<string, number>>): string {
  return formatCount(Object.values(counts).reduce((sum, count) => sum + count, 0));
}
