/** What a split means before a run: batches, remainder, and the bytes that each rank reads. */

import { countBatches } from './split.ts';
import type { EpochPlan } from './split.ts';

/** Numbers of one epoch. */
export interface EpochSummary {
  readonly numSamples: number;
  readonly worldBatchSize: number;
  /** Batches by rank. */
  readonly batchesPerRank: readonly number[];
  /** Samples that fill no batch on every rank. */
  readonly remainder: number;
  /** Samples that are left out. */
  readonly dropped: number;
  /** Samples that come twice (or more often) to fill batches. */
  readonly padded: number;
}

/** Sums up a plan. */
export function summarizeEpoch(plan: EpochPlan): EpochSummary {
  const { numSamples, numPositions, worldBatchSize, worldSize } = plan;
  return {
    numSamples,
    worldBatchSize,
    batchesPerRank: Array.from({ length: worldSize }, (_, rank) => countBatches(plan, rank)),
    remainder: numSamples % worldBatchSize,
    dropped: Math.max(0, numSamples - numPositions),
    padded: Math.max(0, numPositions - numSamples),
  };
}

/**
 * Sums the bytes that each rank reads in one epoch, one read per clip however often it is repeated. Holds 8 bytes per sample.
 *
 * @param entries the sizes of all samples, in the order of the dataset
 * @param sampleAt the order: sample at a position of the epoch
 * @throws {RangeError} if the order asks for a sample that has no entry
 */
export async function sumBytesPerRank(
  { numSamples, numPositions, worldSize }: EpochPlan,
  entries: AsyncIterable<{ readonly bytes: number }>,
  sampleAt: (position: number) => number,
): Promise<number[]> {
  const sizes: number[] = [];
  for await (const { bytes } of entries) sizes.push(bytes);
  const sums = Array.from({ length: worldSize }, () => 0);
  for (let position = 0; position < numPositions; position++) {
    const sample = sampleAt(position % numSamples);
    const bytes = sizes[sample];
    if (bytes === undefined) {
      throw new RangeError(`"entries" must hold sample ${sample} (got ${sizes.length}).`);
    }
    const rank = position % worldSize;
    sums[rank] = (sums[rank] ?? 0) + bytes;
  }
  return sums;
}
