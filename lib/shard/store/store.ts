/** The seam between a dataset and the place where its files lie, and the errors that every such place reports alike. */

import { TubeletError } from '../../core/index.ts';
import type { ErrorCode } from '../../core/index.ts';
import { DATASET_FILE } from '../format.ts';

/** Largest file that is read whole: `dataset.json` or a sidecar, 256 MiB. */
export const MAX_FILE_BYTES: number = 2 ** 28;

/** What tells one content of a file from another. */
export interface FileState {
  readonly bytes: number;
  /** Changes when the content does; null if the place has nothing of the kind. */
  readonly version: string | null;
}

/** What the caller knows about the file that it reads. */
export interface ReadOptions {
  /**
   * Size that the whole file must have. Remote stores refuse a file of another size; a local one is read all the same, since what
   * lies before a cut is still good.
   */
  readonly fileBytes?: number;
}

/** Where the files of a dataset lie. Names are those that a dataset has: `dataset.json`, `NAME.json`, `NAME.tar`. */
export interface ShardStore {
  /** The folder or URL as the user gave it, without user name, password and query. */
  readonly location: string;

  /**
   * Size and version of a file, without reading it.
   *
   * @throws {TubeletError} as {@link ShardStore.read}
   */
  describe(name: string, options?: ReadOptions): Promise<FileState>;

  /**
   * Reads a small file whole: `dataset.json` or a sidecar, at most {@link MAX_FILE_BYTES}.
   *
   * @throws {TubeletError} TUBE_DATASET_NOT_FOUND (no `dataset.json`), TUBE_DATASET_DAMAGED (a sidecar is missing, or a file
   *   cannot be read), TUBE_SHARD_NOT_FOUND (the server cannot be reached)
   */
  readFile(name: string): Promise<Uint8Array>;

  /**
   * Fills the parts, one after the other, with the bytes that start at `offset`. Parts may view shared memory. Once the promise
   * settles nothing is written to them any more; after an error their content is undefined.
   *
   * @throws {TubeletError} TUBE_SHARD_NOT_FOUND, TUBE_SHARD_DAMAGED (unreadable, changed on the server, or not of `fileBytes`),
   *   TUBE_SAMPLE_DAMAGED (the file ends before the parts do)
   */
  read(
    name: string,
    offset: number,
    into: readonly Uint8Array[],
    options?: ReadOptions,
  ): Promise<void>;

  /** Ends what is under way and gives back files and connections. Safe to call twice. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What stands for a server that cannot be reached or does not keep to the protocol. */
export const REMOTE_FAILED: ErrorCode = 'TUBE_REMOTE_FAILED';

/** The error for a file that is not there: a sidecar is a part of the dataset, a shard and `dataset.json` have codes of their own. */
export function missingFile(path: string, name: string, cause?: unknown): TubeletError {
  const code = name.endsWith('.tar') ? 'TUBE_SHARD_NOT_FOUND' : 'TUBE_DATASET_DAMAGED';
  const details = { path, message: 'file is missing' };
  return new TubeletError(name === DATASET_FILE ? 'TUBE_DATASET_NOT_FOUND' : code, details, {
    cause,
  });
}

/** The error for a file that is there and no good. */
export function badFile(
  path: string,
  name: string,
  message: string,
  cause?: unknown,
): TubeletError {
  const code = name.endsWith('.tar') ? 'TUBE_SHARD_DAMAGED' : 'TUBE_DATASET_DAMAGED';
  return new TubeletError(code, { path, message }, { cause });
}

/** The error for a read that goes beyond the end of the file. */
export function shortFile(path: string): TubeletError {
  return new TubeletError('TUBE_SAMPLE_DAMAGED', { path, message: 'the shard is too short' });
}

/**
 * Checks that a file has the size that it must have.
 *
 * @throws {TubeletError} TUBE_SHARD_DAMAGED, TUBE_DATASET_DAMAGED
 */
export function checkSize(
  path: string,
  name: string,
  { bytes, fileBytes }: { bytes: number | null; fileBytes: number | undefined },
): void {
  if (bytes === null || fileBytes === undefined || bytes === fileBytes) return;
  throw badFile(path, name, `it has ${bytes} bytes, not ${fileBytes}`);
}

/** The error for a store that is used after it was closed. */
export function closedStore(): TypeError {
  return new TypeError('The dataset is closed.');
}
