/** A dataset in a folder: positional reads straight into the caller's memory. */

import { stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { TubeletError, messageText, systemCode } from '../../core/index.ts';
import { HandlePool } from './handle-pool.ts';
import { countParts, sliceParts } from './parts.ts';
import { MAX_FILE_BYTES, badFile, missingFile, shortFile } from './store.ts';
import type { FileState, ShardStore } from './store.ts';

/** The files of a folder. Close it when done; reads under way are finished first. */
export class LocalStore implements ShardStore {
  readonly location: string;
  readonly #folder: string;
  readonly #files: HandlePool;

  /** @param options.folder where the files are, if `location` is a URL of it */
  constructor(
    location: string,
    { folder = location, maxOpenShards }: { folder?: string; maxOpenShards: number },
  ) {
    this.location = location;
    this.#folder = folder;
    this.#files = new HandlePool(maxOpenShards);
  }

  async describe(name: string): Promise<FileState> {
    const path = join(this.#folder, name);
    return withCodes(path, name, async () => {
      const { size, mtimeNs, ino } = await stat(path, { bigint: true });
      return { bytes: Number(size), version: `${ino}-${mtimeNs}` };
    });
  }

  async readFile(name: string): Promise<Uint8Array> {
    const { bytes } = await this.describe(name);
    const path = join(this.#folder, name);
    if (bytes > MAX_FILE_BYTES) throw badFile(path, name, `${bytes} bytes are too many`);
    const content = Buffer.allocUnsafeSlow(bytes);
    const isWhole = await this.#fill(name, 0, [content]);
    if (!isWhole) throw badFile(path, name, 'file became shorter');
    return content;
  }

  async read(name: string, offset: number, into: readonly Uint8Array[]): Promise<void> {
    if (!(await this.#fill(name, offset, into))) throw shortFile(join(this.#folder, name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#files[Symbol.asyncDispose]();
  }

  async #fill(name: string, offset: number, into: readonly Uint8Array[]): Promise<boolean> {
    const path = join(this.#folder, name);
    return withCodes(path, name, () =>
      this.#files.use(path, (handle) => fill(handle, offset, into)),
    );
  }
}

/** Reads until all parts are full; false if the file ends before. */
async function fill(
  handle: FileHandle,
  offset: number,
  into: readonly Uint8Array[],
): Promise<boolean> {
  const bytes = countParts(into);
  for (let filled = 0; filled < bytes;) {
    const { bytesRead } = await handle.readv(sliceParts(into, filled, bytes), offset + filled);
    if (bytesRead === 0) return false;
    filled += bytesRead;
  }
  return true;
}

async function withCodes<T>(path: string, name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined || error instanceof TubeletError) throw error;
    const isMissing = code === 'ENOENT' || code === 'ENOTDIR';
    throw isMissing
      ? missingFile(path, name, error)
      : badFile(path, name, messageText(error), error);
  }
}
