/**
 * The order of one epoch: position → sample, a pure function of (seed, name, epoch) and the sizes of the shards. Workers, ranks
 * and read-ahead have no part in it. Nothing is stored per sample.
 *
 * Source: order as random access from Grain; shards first, then samples within a window, from MosaicML Streaming.
 * Differs: epochs are mixed into the hash, not added to the seed; the window is cut from shards that are read side by side.
 */

import { checkInteger, checkOneOf, createPermutation } from '../../core/index.ts';
import { createWindowOrder } from './window-order.ts';

/**
 * How an epoch is shuffled: `'global'` over all samples, best when reads cost the same anywhere; `'window'` among shards that
 * are read side by side from front to back, for remote or cold storage; `'none'` in the order of the dataset.
 */
export type Shuffle = 'global' | 'window' | 'none';

/** How all epochs of a dataset are shuffled. */
export interface ShuffleOptions {
  readonly shuffle: Shuffle;
  /** An integer ≥ 0; needed unless `shuffle` is `'none'`. */
  readonly seed?: number;
  /** For `'window'`: shards that are read side by side, 1 … 512. Default 8. */
  readonly windowShards?: number;
  /** For `'window'`: samples that are shuffled among each other, at least `windowShards`. Default 1024. */
  readonly windowSamples?: number;
}

/** What `'window'` does when it is not told. */
export const WINDOW_DEFAULTS: Readonly<
  Required<Pick<ShuffleOptions, 'windowShards' | 'windowSamples'>>
> = Object.freeze({ windowShards: 8, windowSamples: 1024 });

/** What decides over the order of one epoch of one dataset. */
export interface OrderOptions extends ShuffleOptions {
  /** Samples of each shard, in the order of the dataset; for `'window'` at most 2^22 each. */
  readonly shardSamples: readonly number[];
  /** Which epoch, from 0. */
  readonly epoch: number;
  /** Keeps datasets that are mixed from sharing one permutation. Default `''`. */
  readonly name?: string;
}

/** The order of one epoch. */
export interface Order {
  /** Number of samples. */
  readonly length: number;
  /** Mean number of samples that are shuffled among each other: `length` for `'global'`, 1 for `'none'`. */
  readonly windowSamples: number;
  /**
   * Gives the sample, as its position in the dataset, that comes at a position of the epoch, `0 … length - 1`.
   *
   * @throws {RangeError} if there is no such position
   */
  readonly at: (position: number) => number;
}

type Rule = (options: OrderOptions, length: number) => Omit<Order, 'length'>;

const RULES: Readonly<Record<Shuffle, Rule>> = {
  global: orderGlobally,
  window: orderByWindow,
  none: keepOrder,
};

/** The names of all kinds of shuffling, for option parsers. */
export const SHUFFLES: readonly Shuffle[] = Object.keys(RULES) as Shuffle[];

/**
 * Makes the order of one epoch, in memory proportional to the number of shards at most. Quickest when positions come ascending.
 *
 * @throws {RangeError} if a number is out of bounds, the kind of shuffling unknown or its seed missing
 */
export function createOrder(options: OrderOptions): Order {
  const { shardSamples, shuffle, epoch } = options;
  checkOneOf('shuffle', shuffle, SHUFFLES);
  checkInteger('epoch', epoch, { min: 0 });
  for (const samples of shardSamples) checkInteger('shardSamples', samples, { min: 0 });
  const length = shardSamples.reduce((sum, samples) => sum + samples, 0);
  const order = RULES[shuffle](options, length);
  return {
    length,
    windowSamples: order.windowSamples,
    at(position) {
      checkInteger('position', position, { min: 0, max: length - 1 });
      return order.at(position);
    },
  };
}

function orderGlobally(options: OrderOptions, length: number): Omit<Order, 'length'> {
  const { epoch, name = '' } = options;
  const seed = seedOf(options);
  return {
    windowSamples: length,
    at: createPermutation(Math.max(1, length), seed, 'sample-order', name, epoch),
  };
}

function orderByWindow(options: OrderOptions): Omit<Order, 'length'> {
  const { windowShards, windowSamples } = WINDOW_DEFAULTS;
  return createWindowOrder({
    shardSamples: options.shardSamples,
    windowShards: options.windowShards ?? windowShards,
    windowSamples: options.windowSamples ?? windowSamples,
    seed: seedOf(options),
    name: options.name ?? '',
    epoch: options.epoch,
  });
}

function keepOrder(_options: OrderOptions, length: number): Omit<Order, 'length'> {
  return { windowSamples: Math.min(1, length), at: (position) => position };
}

function seedOf({ seed, shuffle }: OrderOptions): number {
  if (seed !== undefined) return seed;
  throw new RangeError(`"seed" must be given with shuffle "${shuffle}" (got undefined).`);
}
