/** What `tubelet pipe` says: progress and summary. */

import type { LoaderReport } from '../lib/index.ts';
import { formatBytes, formatCount, formatDuration, formatFacts, formatRate } from './format.ts';
import type { ProgressState } from './progress-line.ts';

/** How a stream came to its end. */
export type PipeEnd = 'done' | 'max-batches' | 'reader-gone' | 'interrupted';

/** What went through. */
export interface PipeTotals {
  /** Batches that stdout took whole. */
  readonly batches: number;
  readonly clips: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly end: PipeEnd;
}

/** What went through, for machines. */
export interface PipeSummary extends PipeTotals {
  /** Time for which the loader kept the stream waiting; the rest is the reader's. */
  readonly waitSeconds: number;
  readonly skipped: LoaderReport['skipped'];
  readonly missing: LoaderReport['missing'];
  /** File with the cursor of the next batch. */
  readonly cursor: string | null;
}

/** The state of a stream as a progress line shows it. */
export function stateOf(
  { batches, clips, bytes, seconds }: PipeTotals,
  { total, report }: { readonly total: number; readonly report: LoaderReport },
): ProgressState {
  const perSecond = (count: number): number => count / Math.max(seconds, 0.001);
  const bad = sum(report.skipped) + sum(report.missing);
  return {
    done: batches,
    total,
    secondsElapsed: seconds,
    facts: [
      `${formatRate(perSecond(clips))} clips/s`,
      `${formatBytes(perSecond(bytes))}/s`,
      `${bad} bad samples`,
    ],
  };
}

/** A finished stream for machines. */
export function summaryOf(
  totals: PipeTotals,
  { skipped, missing, waitSeconds }: LoaderReport,
  cursor: string | null,
): PipeSummary {
  return { ...totals, waitSeconds, skipped, missing, cursor };
}

/** A finished stream for people. */
export function summaryText(
  totals: PipeTotals,
  { skipped, missing, waitSeconds }: LoaderReport,
  cursor: string | undefined,
): string {
  const { batches, clips, bytes, seconds } = totals;
  if (batches === 0 && cursor !== undefined) {
    return `Nothing is left: the cursor in ${cursor} stands at the end of the run. --epochs makes it longer.\n`;
  }
  const rate = `${formatRate(clips / Math.max(seconds, 0.001))} clips/s`;
  const wait = `${waitSeconds.toFixed(1)} s for the loader`;
  return formatFacts([
    ['batches', formatCount(batches)],
    ['clips', formatCount(clips)],
    ['size', formatBytes(bytes)],
    ['time', `${formatDuration(seconds)} (${rate})`],
    ['waited', wait],
    ...codes('skipped', skipped),
    ...codes('missing', missing),
    ...(cursor === undefined ? [] : [['cursor', cursor] as const]),
  ]);
}

/** How things stand after an interruption. */
export function endText({ batches }: PipeTotals, cursor: string | undefined): string {
  const next =
    cursor === undefined
      ? 'With --cursor FILE the next run could go on from there.'
      : `Run the same command again to go on: ${cursor} names the next batch.`;
  return `Interrupted after ${formatCount(batches)} batches. ${next}\n`;
}

function codes(
  name: string,
  counts: Readonly<Record<string, number>>,
): (readonly [string, string])[] {
  return Object.entries(counts).map(([code, count]) => [name, `${formatCount(count)} ${code}`]);
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
