/** The way of batches from the loader to stdout, and the cursor that follows them. */

import type { Writable } from 'node:stream';
import { encodeBatch, saveCursor } from '../lib/index.ts';
import type { BatchFormat, Cursor, Loader } from '../lib/index.ts';
import { isReaderGone, writeParts } from './batch-output.ts';
import { stateOf } from './pipe-text.ts';
import type { PipeEnd, PipeTotals } from './pipe-text.ts';
import type { ProgressLine } from './progress-line.ts';
import { printFailure } from './report-error.ts';

/** How old the cursor in its file may be if the process is killed. */
const SAVE_EVERY_MS = 5000;

/** What is to be piped. */
export interface PipeRun {
  readonly loader: Loader;
  readonly out: Writable;
  readonly format: BatchFormat;
  readonly maxBatches: number;
  readonly line: ProgressLine;
  readonly signal: AbortSignal;
}

/**
 * Moves batches from the loader to stdout, one at a time: the next is asked for when the system has taken the one before, so that
 * a slow reader slows the loader, which makes ahead no more than it may. `keep` gets the cursor behind every batch that went out.
 */
export async function pipeBatches(
  { loader, out, format, maxBatches, line, signal }: PipeRun,
  keep: (cursor: Cursor) => void,
): Promise<PipeTotals> {
  const startedAt = performance.now();
  const total = Math.min(loader.info.numBatchesLeft, maxBatches);
  let [batches, clips, bytes] = [0, 0, 0];
  const totals = (end: PipeEnd): PipeTotals => {
    const seconds = (performance.now() - startedAt) / 1000;
    return { batches, clips, bytes, seconds, end };
  };
  try {
    while (batches < maxBatches) {
      const batch = await loader.next();
      if (batch === null) return totals('done');
      const cursor = loader.cursor();
      const parts = encodeBatch(batch, format, cursor);
      await writeParts(out, parts, signal);
      keep(cursor);
      batches += 1;
      clips += batch.keys.length;
      bytes += parts.reduce((sum, { length }) => sum + length, 0);
      line.show(() => stateOf(totals('done'), { total, report: loader.report() }));
    }
    return totals('max-batches');
  } catch (error) {
    const end = endOf(error, signal);
    if (end === null) throw error;
    return totals(end);
  } finally {
    line.close();
  }
}

/** What an error means for the run; null if it failed. */
function endOf(error: unknown, signal: AbortSignal): PipeEnd | null {
  if (isReaderGone(error)) return 'reader-gone';
  return signal.aborted && error === signal.reason ? 'interrupted' : null;
}

/**
 * Leaves the last cursor that was kept in its file, however the work ends, and writes it now and then in case the process is killed.
 * Writing the first one shows that it can be done.
 *
 * @throws {TubeletError} TUBE_DISK_FULL, TUBE_OUT_NOT_WRITABLE
 */
export async function keepCursor<Result>(
  path: string | undefined,
  first: Cursor,
  work: (keep: (cursor: Cursor) => void) => Promise<Result>,
): Promise<Result> {
  if (path === undefined) return work(() => undefined);
  let last = first;
  let savedAt = performance.now();
  // One write at a time. One that fails now and then does no harm; the last one must not.
  let saving = Promise.resolve();
  const keep = (cursor: Cursor): void => {
    last = cursor;
    const now = performance.now();
    if (now - savedAt < SAVE_EVERY_MS) return;
    savedAt = now;
    saving = saving.then(() => saveCursor(path, cursor)).catch(() => undefined);
  };
  const saveLast = async (): Promise<void> => {
    await saving;
    await saveCursor(path, last);
  };
  await saveCursor(path, first);
  let result: Result;
  try {
    result = await work(keep);
  } catch (error) {
    await saveLast().catch(printFailure);
    throw error;
  }
  await saveLast();
  return result;
}
