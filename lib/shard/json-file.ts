/** The JSON files of a dataset, read and written with a bound on their size. */

import { TubeletError, messageText, writeFileAtomic } from '../core/index.ts';
import { openStore } from './store/open-store.ts';
import { MAX_FILE_BYTES } from './store/store.ts';
import type { ShardStore } from './store/store.ts';

/**
 * Reads a JSON file of at most 256 MiB.
 *
 * @param place a folder, or the open store of a dataset
 * @throws {TubeletError} as {@link ShardStore.readFile}
 */
export async function readJson(place: string | ShardStore, file: string): Promise<unknown> {
  const store = typeof place === 'string' ? openStore(place) : place;
  try {
    const bytes = await store.readFile(file);
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch (error) {
    if (error instanceof TubeletError) throw error;
    const details = {
      path: `${store.location}/${file}`,
      message: messageText(error),
    };
    throw new TubeletError('TUBE_DATASET_DAMAGED', details, { cause: error });
  } finally {
    if (store !== place) await store[Symbol.asyncDispose]();
  }
}

/**
 * Writes a JSON file and a newline, whole or not at all.
 *
 * @throws {RangeError} if {@link readJson} would refuse it as too large
 * @throws {TubeletError} TUBE_DISK_FULL, TUBE_OUT_NOT_WRITABLE
 */
export async function writeJson(path: string, text: string): Promise<void> {
  const bytes = Buffer.from(`${text}\n`);
  if (bytes.length > MAX_FILE_BYTES) {
    const limit = `${bytes.length} bytes, more than the ${MAX_FILE_BYTES} that can be read`;
    throw new RangeError(`${path} would have ${limit}. Choose another number of videos per shard.`);
  }
  await writeFileAtomic(path, bytes);
}
