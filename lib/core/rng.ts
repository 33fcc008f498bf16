/**
 * Random choices as pure functions of (seed, purpose, …): no global generator, no stored order. Parts are mixed by a hash,
 * never added, so seed 0 epoch 1 has nothing to do with seed 1 epoch 0.
 *
 * Source: the string hash and its finalizer are MurmurHash3 (Appleby, public domain); the generator is xoshiro128**
 * (Blackman and Vigna, public domain).
 */

import { checkInteger } from './check.ts';

/** What random numbers are derived from: the user's seed, a word for the purpose, and whatever tells one use from another. */
export type RngParts = readonly [seed: number, purpose: string, ...rest: (string | number)[]];

/** A small deterministic generator; the same parts give the same numbers on every machine. */
export interface Rng {
  /** A number from 0 (inclusive) to 1 (exclusive), 53 random bits. */
  uniform(): number;
  /** An integer from `low` (inclusive) to `high` (exclusive), without bias. */
  integer(low: number, high: number): number;
}

/**
 * Makes a generator from a seed, a purpose and any further parts.
 *
 * @throws {RangeError} if the seed is not an integer ≥ 0
 */
export function createRng(...parts: RngParts): Rng {
  checkInteger('seed', parts[0], { min: 0 });
  let [a, b, c, d] = hashParts(parts);
  const next = (): number => {
    const result = Math.imul(rotl(Math.imul(b, 5), 7), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotl(d, 11);
    return result;
  };
  return {
    uniform: () => (next() * 0x200000 + (next() >>> 11)) / 2 ** 53,
    integer(low, high) {
      checkInteger('low', low);
      checkInteger('high', high, { min: low + 1, max: low + 2 ** 32 });
      const count = high - low;
      const limit = 2 ** 32 - (2 ** 32 % count);
      let value = next();
      while (value >= limit) value = next();
      return low + (value % count);
    },
  };
}

/**
 * A seeded permutation of `0 … length - 1` that needs no memory: gives the element at one position.
 *
 * A Feistel network over the next even power of two is a bijection; positions that leave the range are sent through again
 * until they come back in (cycle walking), which keeps it a bijection of the range.
 *
 * @throws {RangeError} if `length` is not in 1 … 2^48
 */
export function createPermutation(
  length: number,
  ...parts: RngParts
): (position: number) => number {
  checkInteger('length', length, { min: 1, max: 2 ** 48 });
  checkInteger('seed', parts[0], { min: 0 });
  const halfBits = Math.max(1, Math.ceil(Math.ceil(Math.log2(length)) / 2));
  const half = 2 ** halfBits;
  const keys = Array.from({ length: 6 }, (_, round) => hashParts([...parts, 'round', round])[0]);
  const scramble = (value: number): number => {
    let left = Math.floor(value / half);
    let right = value % half;
    for (const key of keys) {
      [left, right] = [right, left ^ ((mix(right ^ key) >>> 0) % half)];
    }
    return left * half + right;
  };
  return (position) => {
    checkInteger('position', position, { min: 0, max: length - 1 });
    let value = scramble(position);
    while (value >= length) value = scramble(value);
    return value;
  };
}

/** Four hash words of the parts; texts and numbers are told apart, and so are their borders. */
function hashParts(parts: RngParts): [number, number, number, number] {
  const bytes = new TextEncoder().encode(JSON.stringify(parts));
  const words = [0x239b961b, 0xab0e9789, 0x38b34ae5, 0xa1e38b93].map((lane) => {
    let hash = lane;
    for (const byte of bytes) hash = mix(hash ^ byte) + lane;
    return mix(hash ^ bytes.length) >>> 0;
  });
  const [a = 1, b = 2, c = 3, d = 4] = words;
  return [a, b, c, d];
}

function mix(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function rotl(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
