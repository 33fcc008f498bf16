/** Options of a conversion that do not change a byte of the shards: where to, how fast, how patient. */

import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { checkInteger, checkNumber, checkOneOf } from '../core/index.ts';
import type { ErrorCode } from '../core/index.ts';
import type { ListForm } from '../source/index.ts';
import type { ContentOptions } from './options.ts';
import type { ConvertProgress } from './progress.ts';
import { RETRY_CODES } from './video-outcome.ts';
import type { RetryReason } from './video-outcome.ts';

/** Options of {@link convert}. */
export interface ConvertOptions extends ContentOptions {
  /** Output folder; made if missing. */
  readonly out: string;
  /** List of the videos; `source` is then the folder that its paths start from. */
  readonly list?: string;
  /** Where relative paths of a list start. */
  readonly root?: string;
  /** Form of the list; told from its content by default. */
  readonly form?: ListForm;
  /** Worker processes. Default: one per processor. */
  readonly workers?: number;
  /** Seconds one video may take. Default: 60. */
  readonly timeoutSeconds?: number;
  /** Seconds one video may go without progress. Default: 10. */
  readonly stallSeconds?: number;
  /** Memory one worker process may use, in MiB (enforced on Linux). Default: 2048. */
  readonly workerMemoryMib?: number;
  /** Failed videos beyond which the run ends: a count, or a share of all videos such as `5%`. Default: `5%`. */
  readonly maxFailures?: number | string;
  /** Tries failed videos again whose failure was of one of these kinds. */
  readonly retry?: readonly RetryReason[];
  /** Starts anew in a folder that another conversion has filled. */
  readonly overwrite?: boolean;
  readonly signal?: AbortSignal;
  /** Called after every video and every shard. */
  readonly onProgress?: (progress: ConvertProgress) => void;
}

/** Run options with defaults filled in. */
export interface RunOptions {
  readonly folder: string;
  readonly workers: number;
  readonly timeoutSeconds: number;
  readonly stallSeconds: number;
  readonly memoryBytes: number;
  readonly retryCodes: ReadonlySet<string>;
  /** Failures allowed among so many videos. */
  readonly failureLimit: (numVideos: number) => number;
}

/**
 * Checks the options of a run and fills in defaults.
 *
 * @throws {RangeError} naming the option that is wrong
 */
export function resolveRun(options: ConvertOptions): RunOptions {
  const { workers = availableParallelism(), timeoutSeconds = 60, stallSeconds = 10 } = options;
  const { workerMemoryMib = 2048, retry = [], maxFailures = '5%' } = options;
  checkInteger('workers', workers, { min: 1, max: 1024 });
  checkNumber('timeoutSeconds', timeoutSeconds, { min: 0.1 });
  checkNumber('stallSeconds', stallSeconds, { min: 0.1 });
  checkInteger('workerMemoryMib', workerMemoryMib, { min: 128 });
  const reasons = Object.keys(RETRY_CODES) as RetryReason[];
  const retryCodes = new Set<ErrorCode>();
  for (const reason of retry) {
    checkOneOf('retry', reason, reasons);
    retryCodes.add(RETRY_CODES[reason]);
  }
  return {
    folder: resolve(options.out),
    workers,
    timeoutSeconds,
    stallSeconds,
    memoryBytes: workerMemoryMib * 2 ** 20,
    retryCodes,
    failureLimit: limitOf(maxFailures),
  };
}

function limitOf(maxFailures: number | string): (numVideos: number) => number {
  const text = String(maxFailures);
  const share = /^(\d+(?:\.\d+)?)%$/.exec(text)?.[1];
  if (share !== undefined) {
    checkNumber('maxFailures', Number(share), { min: 0, max: 100 });
    return (numVideos) => Math.floor((numVideos * Number(share)) / 100);
  }
  const count = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(count)) {
    throw new RangeError(`"maxFailures" must be a count or a share such as 5% (got "${text}").`);
  }
  return () => count;
}
