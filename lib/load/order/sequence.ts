/**
 * The sample at any position of any epoch, of one dataset or a weighted mixture: what the loader asks. Each dataset goes round in
 * epochs of its own and gives every sample once before it gives one twice, also over the borders of the mixture's epochs.
 */

import { checkInteger } from '../../core/index.ts';
import { createMix } from './mix.ts';
import type { MixPart } from './mix.ts';
import { createOrder } from './order.ts';
import type { ShuffleOptions } from './order.ts';

/** A dataset of a sequence. */
export interface SequenceDataset {
  /** Takes part in the seed. One dataset may go without. Default `''`. */
  readonly name?: string;
  /** Above 0; only the ratio to the other weights counts. Default 1. */
  readonly weight?: number;
  /** Samples of each shard, in the order of the dataset. */
  readonly shardSamples: readonly number[];
}

/** What decides over a sequence. */
export interface SequenceOptions extends ShuffleOptions {
  readonly datasets: readonly SequenceDataset[];
  /**
   * Length of an epoch. Default: the longest in which no dataset has to give more samples than it has, so the smallest number of
   * samples per share. For one dataset that is all of it.
   */
  readonly epochSamples?: number;
}

/** What stands at one position. */
export interface SequencePlace {
  /** Name of the dataset. */
  readonly dataset: string;
  /** Round of this dataset, from 0; equal to the epoch when there is one dataset and no `epochSamples`. */
  readonly round: number;
  /** Position of the sample in the dataset. */
  readonly sample: number;
}

/** An endless sequence of samples in epochs. */
export interface Sequence {
  /** Samples of each epoch. */
  readonly epochSamples: number;
  /**
   * Gives what stands at a position of an epoch, `0 … epochSamples - 1`.
   *
   * @throws {RangeError} if there is no such position
   */
  readonly at: (epoch: number, position: number) => SequencePlace;
}

/** A dataset with the order of its current round. */
interface Member extends MixPart {
  readonly numSamples: number;
  readonly at: (round: number, position: number) => number;
}

/**
 * Makes a sequence. Quickest when positions come ascending.
 *
 * @throws {RangeError} if an option is out of bounds, or a dataset has no samples or no name of its own
 */
export function createSequence(options: SequenceOptions): Sequence {
  const members = options.datasets.map((dataset) => toMember(dataset, options));
  const mix = createMix(members);
  const epochSamples = options.epochSamples ?? longestEpoch(members);
  checkInteger('epochSamples', epochSamples, { min: 1 });
  return {
    epochSamples,
    at(epoch, position) {
      checkInteger('epoch', epoch, { min: 0 });
      checkInteger('position', position, { min: 0, max: epochSamples - 1 });
      const { part, index } = mix(epoch * epochSamples + position);
      const round = Math.floor(index / part.numSamples);
      return { dataset: part.name, round, sample: part.at(round, index % part.numSamples) };
    },
  };
}

function toMember(dataset: SequenceDataset, options: SequenceOptions): Member {
  const { name = '', weight = 1, shardSamples } = dataset;
  let current = { round: 0, order: createOrder({ ...options, name, shardSamples, epoch: 0 }) };
  const numSamples = current.order.length;
  checkInteger(`samples of "${name}"`, numSamples, { min: 1 });
  return {
    name,
    weight,
    numSamples,
    at(round, position) {
      if (round !== current.round) {
        current = { round, order: createOrder({ ...options, name, shardSamples, epoch: round }) };
      }
      return current.order.at(position);
    },
  };
}

/** The number of samples that the dataset which runs out first allows; the factor makes up for rounding. */
function longestEpoch(members: readonly Member[]): number {
  const total = members.reduce((sum, { weight }) => sum + weight, 0);
  const lengths = members.map(({ numSamples, weight }) => (numSamples / weight) * total);
  return Math.max(1, Math.floor(Math.min(...lengths) * (1 + 2 ** -50)));
}
