/**
 * Shuffling for storage that likes to be read in sequence. Shards stand in a seeded order and are taken in blocks; the shards of
 * a block are read side by side, each from front to back: a slice of the epoch takes the next stretch of each of them and
 * shuffles these samples among each other. In the time of a slice, a reader needs `windowSamples` samples and no others.
 */

import { TubeletError, checkInteger, createPermutation } from '../../core/index.ts';

/** What decides over the order; see the options of the same names in order.ts. */
export interface WindowOrderOptions {
  readonly shardSamples: readonly number[];
  readonly windowShards: number;
  readonly windowSamples: number;
  readonly seed: number;
  readonly name: string;
  readonly epoch: number;
}

/** Which sample comes at a position, which must be in the epoch, and how many samples a slice has in the mean. */
export interface WindowOrder {
  readonly windowSamples: number;
  readonly at: (position: number) => number;
}

/** Samples that follow each other in a shard. */
interface Stretch {
  readonly firstSample: number;
  readonly numSamples: number;
}

/** Shards that are read side by side; `start` is the position of the first of their samples in the epoch. */
interface Block {
  readonly start: number;
  readonly numSamples: number;
  readonly numSlices: number;
  readonly shards: readonly Stretch[];
}

/** A part of a block that is shuffled; positions from `start` (inclusive) to `end` (exclusive). */
interface Slice {
  readonly start: number;
  readonly end: number;
  readonly stretches: readonly Stretch[];
  readonly placeOf: (place: number) => number;
}

/**
 * Makes the order. It holds the blocks and the slice of the last look-up, so neighbouring positions are cheap.
 *
 * @throws {RangeError} if `windowShards` is not an integer in 1 … 512, `windowSamples` one ≥ `windowShards`, `seed` one ≥ 0, or
 *   a shard has more than 2^22 samples
 */
export function createWindowOrder(options: WindowOrderOptions): WindowOrder {
  const blocks = cutBlocks(options);
  let slice: Slice | undefined;
  return {
    windowSamples: meanSliceSamples(blocks),
    at(position) {
      if (slice === undefined || position < slice.start || position >= slice.end) {
        slice = findSlice(blocks, position, options);
      }
      let place = slice.placeOf(position - slice.start);
      for (const { firstSample, numSamples } of slice.stretches) {
        if (place < numSamples) return firstSample + place;
        place -= numSamples;
      }
      throw new TubeletError('TUBE_INTERNAL', { position });
    },
  };
}

/** Shards in seeded order, in blocks that differ by one shard at most. */
function cutBlocks(options: WindowOrderOptions): Block[] {
  const { shardSamples, windowShards, windowSamples, seed, name, epoch } = options;
  checkInteger('windowShards', windowShards, { min: 1, max: 512 });
  checkInteger('windowSamples', windowSamples, { min: windowShards });
  for (const samples of shardSamples) checkInteger('shardSamples', samples, { max: 2 ** 22 });
  const numShards = shardSamples.length;
  const shardAt = createPermutation(Math.max(1, numShards), seed, 'shard-order', name, epoch);
  const all = stretchesOf(shardSamples);
  const shuffled = all.map((shard, i) => all[shardAt(i)] ?? shard);
  const numBlocks = Math.ceil(numShards / windowShards);
  let start = 0;
  return Array.from({ length: numBlocks }, (_, block) => {
    const shards = shuffled.slice(
      part(numShards, block, numBlocks),
      part(numShards, block + 1, numBlocks),
    );
    const numSamples = shards.reduce((sum, shard) => sum + shard.numSamples, 0);
    const numSlices = Math.max(1, Math.ceil(numSamples / windowSamples));
    start += numSamples;
    return { start: start - numSamples, numSamples, numSlices, shards };
  });
}

function stretchesOf(shardSamples: readonly number[]): Stretch[] {
  let end = 0;
  return shardSamples.map((numSamples) => {
    end += numSamples;
    return { firstSample: end - numSamples, numSamples };
  });
}

function findSlice(blocks: readonly Block[], position: number, options: WindowOrderOptions): Slice {
  const block = blocks.findLast(({ start }) => start <= position);
  if (block === undefined) throw new TubeletError('TUBE_INTERNAL', { position });
  const { numSamples, numSlices, shards } = block;
  const startOf = (slice: number): number =>
    shards.reduce((sum, shard) => sum + part(shard.numSamples, slice, numSlices), block.start);
  // Parts are rounded down, so this slice starts at the position or before it.
  let number = part(numSlices, position - block.start, numSamples);
  while (startOf(number + 1) <= position) number += 1;
  const start = startOf(number);
  const end = startOf(number + 1);
  const stretches = shards.map((shard) => {
    const first = part(shard.numSamples, number, numSlices);
    const next = part(shard.numSamples, number + 1, numSlices);
    return { firstSample: shard.firstSample + first, numSamples: next - first };
  });
  const { seed, name, epoch } = options;
  const placeOf = createPermutation(end - start, seed, 'window-order', name, epoch, start);
  return { start, end, stretches, placeOf };
}

/** End of the first `count` of `numParts` parts of `total`; exact, as the bounds above keep the product below 2^53. */
function part(total: number, count: number, numParts: number): number {
  return Math.floor((total * count) / numParts);
}

function meanSliceSamples(blocks: readonly Block[]): number {
  const total = blocks.reduce((sum, block) => sum + block.numSamples, 0);
  const weighted = blocks.reduce((sum, block) => sum + block.numSamples ** 2 / block.numSlices, 0);
  return total === 0 ? 0 : weighted / total;
}
