/** Reads the JSON files of a dataset with a bound on their size. */

import { TubeletError, messageText } from '../core/index.ts';
import { openStore } from './store/open-store.ts';
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
