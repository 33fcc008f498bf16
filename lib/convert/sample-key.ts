/** Keys of samples: readable, unique, the same in every run. */

import { displayPath } from '../source/index.ts';
import type { VideoRef } from '../source/index.ts';

const MAX_NAME_LENGTH = 60;

/**
 * Key of a video's n-th sample: the end of its path in plain characters, the id of the video, the number of the sample. The id
 * is a hash of path and span, so the key is stable between runs and unique in the dataset.
 */
export function sampleKey({ path, id }: VideoRef, sampleNumber: number): string {
  const name = displayPath(path)
    .replace(/\.[^./]*$/, '')
    .replaceAll(/[^A-Za-z0-9]+/g, '_')
    .slice(-MAX_NAME_LENGTH)
    .replaceAll(/^_+|_+$/g, '');
  return `${name === '' ? 'video' : name}-${id}-${String(sampleNumber).padStart(5, '0')}`;
}

/** Id of the video that a key belongs to, or null for a key of another kind. */
export function videoIdOfKey(key: string): string | null {
  return /-([0-9a-f]{16})-\d{5,}$/.exec(key)?.[1] ?? null;
}
