/**
 * The split of an epoch over ranks and batches, as arithmetic on positions. Batch `n` of all ranks together takes the positions
 * `n * worldBatchSize … (n + 1) * worldBatchSize - 1`; among them rank `r` takes every `worldSize`-th, from the `r`-th on. So the
 * position behind a batch says everything about what is done, and another world size can go on from there.
 *
 * Source: the remainder as a named choice from Grain (`sharding.py`, `even_split`).
 */

import { checkInteger, checkOneOf } from '../../core/index.ts';

/**
 * What becomes of the samples that do not fill a batch on every rank. `'drop'`: left out of this epoch. `'pad'`: the batch is
 * filled with samples from the start of the order, which are marked. `'uneven'`: dealt out one by one, so the last batches may
 * be smaller, by one clip between ranks, and a rank may have one batch fewer; each sample comes exactly once.
 */
export type Remainder = 'drop' | 'pad' | 'uneven';

type Rule = (numSamples: number, worldBatchSize: number) => number;

/** Positions that are given out. */
const RULES: Readonly<Record<Remainder, Rule>> = {
  drop: (numSamples, size) => Math.floor(numSamples / size) * size,
  pad: (numSamples, size) => Math.ceil(numSamples / size) * size,
  uneven: (numSamples) => numSamples,
};

/** The names of all remainder policies, for option parsers. */
export const REMAINDERS: readonly Remainder[] = Object.keys(RULES) as Remainder[];

/** How an epoch is split. */
export interface SplitOptions {
  /** Samples of the epoch. */
  readonly numSamples: number;
  /** Clips per batch and rank, before they are repeated. */
  readonly batchSize: number;
  /** Number of ranks. Default 1. */
  readonly worldSize?: number;
  /** Must be chosen when `worldSize` is above 1. Default for one rank: `'uneven'`, which loses and repeats nothing. */
  readonly remainder?: Remainder;
  /** How often each clip stands in its batch, for repeated augmentation. Default 1. */
  readonly repeats?: number;
}

/** An epoch as it is split; plain data. */
export interface EpochPlan extends Required<SplitOptions> {
  /** Clips that all ranks take together per batch, before they are repeated. */
  readonly worldBatchSize: number;
  /** Positions that are given out; those from `numSamples` on are pads. */
  readonly numPositions: number;
  /** Batches of the epoch on rank 0; with `'uneven'` later ranks may have one fewer. */
  readonly numBatches: number;
}

/**
 * Plans the split of an epoch.
 *
 * @throws {RangeError} if a number is out of bounds, or `remainder` is unknown or not chosen for several ranks
 */
export function planEpoch(options: SplitOptions): EpochPlan {
  const { numSamples, batchSize, worldSize = 1, repeats = 1 } = options;
  checkInteger('numSamples', numSamples, { min: 0, max: 2 ** 48 });
  checkInteger('batchSize', batchSize, { min: 1, max: 2 ** 24 });
  checkInteger('worldSize', worldSize, { min: 1, max: 2 ** 24 });
  checkInteger('repeats', repeats, { min: 1 });
  const remainder = chooseRemainder(options);
  const worldBatchSize = batchSize * worldSize;
  const numPositions = RULES[remainder](numSamples, worldBatchSize);
  const numBatches = Math.ceil(numPositions / worldBatchSize);
  const chosen = { numSamples, batchSize, worldSize, remainder, repeats };
  return { ...chosen, worldBatchSize, numPositions, numBatches };
}

/**
 * Counts the batches of one rank; the same on all ranks unless the remainder is `'uneven'`.
 *
 * @throws {RangeError} if there is no such rank
 */
export function countBatches({ worldSize, ...plan }: EpochPlan, rank: number): number {
  checkInteger('rank', rank, { min: 0, max: worldSize - 1 });
  return Math.max(0, Math.ceil((plan.numPositions - rank) / plan.worldBatchSize));
}

/**
 * Gives the positions of one batch in its order, each `repeats` times in a row: slot `i` is repeat `i % repeats` of its clip.
 * Positions from `numSamples` on are pads; {@link orderPosition} says what they stand for.
 *
 * @throws {RangeError} if there is no such rank or batch
 */
export function batchPositions(plan: EpochPlan, rank: number, batchIndex: number): number[] {
  checkInteger('batchIndex', batchIndex, { min: 0, max: countBatches(plan, rank) - 1 });
  const { batchSize, worldSize, worldBatchSize, numPositions, repeats } = plan;
  const first = batchIndex * worldBatchSize + rank;
  const numClips = Math.min(batchSize, Math.ceil((numPositions - first) / worldSize));
  return Array.from(
    { length: numClips * repeats },
    (_, slot) => first + Math.floor(slot / repeats) * worldSize,
  );
}

/** Gives the position of the order that a position of a plan stands for, and whether that is a pad, so a sample twice. */
export function orderPosition(
  { numSamples }: EpochPlan,
  position: number,
): { readonly position: number; readonly isPad: boolean } {
  return { position: position % numSamples, isPad: position >= numSamples };
}

function chooseRemainder({ remainder, worldSize = 1 }: SplitOptions): Remainder {
  if (remainder === undefined && worldSize > 1) {
    const names = REMAINDERS.join(', ');
    throw new RangeError(`"remainder" must be chosen for more than one rank: ${names} (got none).`);
  }
  const chosen = remainder ?? 'uneven';
  checkOneOf('remainder', chosen, REMAINDERS);
  return chosen;
}
