/** From keys to positions in 8 bytes per sample: sorted numbers that hold 24 bits of hash and 29 bits of position. */

import { crc32 } from 'node:zlib';

const POSITIONS = 2 ** 29;

/** Finds the positions at which a key may stand. */
export interface KeyIndex {
  /** Positions of all keys with the same hash, ascending; the caller compares the keys themselves. */
  candidates(key: string): number[];
  /** Groups of two or more positions whose keys share a hash: every key that occurs twice is in one of them. */
  collisions(): Iterable<readonly number[]>;
}

/** Builds the index from the keys in order of position; at most 2^29. */
export async function buildKeyIndex(
  keys: AsyncIterable<string>,
  length: number,
): Promise<KeyIndex> {
  if (length > POSITIONS)
    throw new RangeError(`${length} samples are more than an index can hold.`);
  const codes = new Float64Array(length);
  let position = 0;
  for await (const key of keys) codes[position] = firstCode(key) + position++;
  codes.sort();
  return {
    candidates(key) {
      const first = firstCode(key);
      const found = [];
      for (let i = lowerBound(codes, first); i < length; i++) {
        const offset = (codes[i] ?? Infinity) - first;
        if (offset >= POSITIONS) break;
        found.push(offset);
      }
      return found;
    },
    *collisions() {
      let group: number[] = [];
      let groupHash = -1;
      for (const code of codes) {
        const hash = Math.floor(code / POSITIONS);
        if (hash !== groupHash) {
          if (group.length > 1) yield group;
          group = [];
          groupHash = hash;
        }
        group.push(code % POSITIONS);
      }
      if (group.length > 1) yield group;
    },
  };
}

/** Lowest number that a key's hash can have in the index. */
function firstCode(key: string): number {
  return (crc32(key) >>> 8) * POSITIONS;
}

/** Index of the first element that is not less than a value. */
export function lowerBound(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((sorted[middle] ?? Infinity) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
