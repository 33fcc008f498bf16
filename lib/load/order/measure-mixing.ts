/** Two numbers that say how well an order mixes, so that the price of `'window'` can be seen before a run. */

import type { Order } from './order.ts';

/** How well an order mixes: both numbers are about 0 without shuffling and about 1 with a global shuffle. */
export interface Mixing {
  /**
   * Within a batch: mean distance in the dataset between samples that follow each other in the order, relative to a global
   * shuffle. With `'window'` about `1 - 1 / windowShards`.
   */
  readonly variety: number;
  /**
   * Over the epoch: share of the dataset that is shuffled among each other. Small means that samples which are neighbours in a
   * shard are met at about the same time, so a dataset that is sorted by class stays so in part.
   */
  readonly spread: number;
}

/** Neighbours that are looked at; the mean is then within about 3 % of that over all. */
const NUM_PAIRS = 1024;

/** Measures how well an order mixes, from up to 1024 pairs of neighbours, evenly spaced. */
export function measureMixing({ length, windowSamples, at }: Order): Mixing {
  if (length < 2) return { variety: 1, spread: 1 };
  const numPairs = Math.min(NUM_PAIRS, length - 1);
  let sum = 0;
  for (let pair = 0; pair < numPairs; pair++) {
    const position = Math.floor((pair * (length - 1)) / numPairs);
    sum += Math.abs(at(position + 1) - at(position));
  }
  // Two different samples drawn at random are (length + 1) / 3 apart in the mean.
  const variety = sum / numPairs / ((length + 1) / 3);
  return { variety: Math.min(1, variety), spread: windowSamples / length };
}
