/**
 * The log of a run: metrics.jsonl with what was measured, and timing.jsonl with what the clock said. They are apart so that
 * the first has the same bytes for every run with the same seed, stopped and resumed or not.
 *
 * A line is handed to the system in one write and is never changed. Write all lines of a step before the checkpoint of
 * that step: then a run that is killed at any moment and goes on from its checkpoint has the log of a run that was not.
 */

import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { TubeletError, messageText, systemCode, toWriteError } from '../core/index.ts';
import { formatMetrics, parseMetrics } from './metrics-line.ts';
import type { MetricsRecord } from './metrics-line.ts';
import { scanLines } from './scan-lines.ts';

/** Name of the file with what was measured. */
export const METRICS_FILE = 'metrics.jsonl';
/** Name of the file with what depends on the clock. */
export const TIMING_FILE = 'timing.jsonl';

/** Settings of {@link MetricsLog.open}. */
export interface MetricsLogOptions {
  /** The step of the checkpoint that the run goes on from: later lines are cut. Null starts an empty log. */
  readonly lastStep: number | null;
}

/** Appends to the log of a run; owns two open files. */
export class MetricsLog {
  readonly #metrics: FileHandle;
  readonly #timing: FileHandle;
  #lastStep: number;

  private constructor(metrics: FileHandle, timing: FileHandle, lastStep: number) {
    this.#metrics = metrics;
    this.#timing = timing;
    this.#lastStep = lastStep;
  }

  /**
   * Opens the log in the folder of a run, which must exist. A torn last line and lines after `lastStep` are cut off.
   *
   * @throws {TubeletError} TUBE_RECORDS_DAMAGED if a line that is kept cannot be understood; TUBE_OUT_NOT_WRITABLE,
   * TUBE_DISK_FULL
   */
  static async open(folder: string, { lastStep }: MetricsLogOptions): Promise<MetricsLog> {
    const metrics = await openCut(join(folder, METRICS_FILE), lastStep);
    try {
      const timing = await openCut(join(folder, TIMING_FILE), lastStep);
      return new MetricsLog(metrics, timing, lastStep ?? 0);
    } catch (error) {
      await metrics.close();
      throw error;
    }
  }

  /**
   * Appends a line. Await it before the next.
   *
   * @param wall what depends on the clock or the machine, such as seconds, clips per second and memory
   * @throws {RangeError} if the step is before the last one
   * @throws {TubeletError} TUBE_DISK_FULL, TUBE_OUT_NOT_WRITABLE
   */
  async append(record: MetricsRecord, wall?: Readonly<Record<string, number>>): Promise<void> {
    const { step, kind } = record;
    const line = formatMetrics(record);
    if (step < this.#lastStep) {
      throw new RangeError(`"step" must be at least ${this.#lastStep} (got ${step}).`);
    }
    this.#lastStep = step;
    await write(this.#metrics, line, METRICS_FILE);
    if (wall === undefined) return;
    await write(this.#timing, formatMetrics({ step, kind, values: wall }), TIMING_FILE);
  }

  /** Resolves when all lines are on the disk; call it before a checkpoint that counts on them. */
  async flush(): Promise<void> {
    await this.#metrics.sync();
    await this.#timing.sync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A handle that is closed already has the descriptor -1.
    if (this.#metrics.fd !== -1) await this.#metrics.close();
    if (this.#timing.fd !== -1) await this.#timing.close();
  }
}

/**
 * Reads metrics.jsonl or timing.jsonl; a torn last line is left out.
 *
 * @throws {TubeletError} TUBE_RECORDS_DAMAGED naming the line; TUBE_RECORDS_NOT_FOUND
 */
export async function* readMetrics(path: string): AsyncGenerator<MetricsRecord> {
  for await (const { record } of scanRecords(path)) yield record;
}

async function openCut(path: string, lastStep: number | null): Promise<FileHandle> {
  try {
    const keptBytes = lastStep === null ? 0 : await countKept(path, lastStep);
    const file = await open(path, 'a');
    await file.truncate(keptBytes).catch(async (error: unknown) => {
      await file.close();
      throw error;
    });
    return file;
  } catch (error) {
    throw toWriteError(error, path);
  }
}

/** Bytes of the lines up to the one before the first that is later than the step. */
async function countKept(path: string, lastStep: number): Promise<number> {
  let kept = 0;
  try {
    for await (const { record, end } of scanRecords(path)) {
      if (record.step > lastStep) break;
      kept = end;
    }
  } catch (error) {
    if (!(error instanceof TubeletError && error.code === 'TUBE_RECORDS_NOT_FOUND')) throw error;
  }
  return kept;
}

async function* scanRecords(
  path: string,
): AsyncGenerator<{ readonly record: MetricsRecord; readonly end: number }> {
  let line = 0;
  try {
    for await (const { text, end } of scanLines(path)) {
      line += 1;
      const record = parseMetrics(text);
      if (record === null) throw new TubeletError('TUBE_RECORDS_DAMAGED', { path, line });
      yield { record, end };
    }
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    const details = { path, message: messageText(error) };
    throw new TubeletError('TUBE_RECORDS_NOT_FOUND', details, { cause: error });
  }
}

async function write(file: FileHandle, line: string, name: string): Promise<void> {
  try {
    await file.appendFile(line);
  } catch (error) {
    throw toWriteError(error, name);
  }
}
