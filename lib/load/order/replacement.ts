/** What stands in for a bad sample when a run may go on without it: fixed by the place, so it is the same on every machine. */

import { checkInteger, createPermutation } from '../../core/index.ts';

/** Where a sample is missing. */
export interface ReplacementPlace {
  readonly seed: number;
  readonly epoch: number;
  /** Position in the epoch. */
  readonly position: number;
  /** 1 for the sample itself, 2 if its replacement is bad too, and so on. */
  readonly attempt: number;
}

/**
 * Gives the sample that replaces a bad one of the same dataset, any other one with equal chance. Attempts at one place never give
 * the bad sample or a sample twice; null once all others have been tried.
 *
 * @throws {RangeError} if a number is out of bounds
 */
export function replaceSample(
  badSample: number,
  numSamples: number,
  { seed, epoch, position, attempt }: ReplacementPlace,
): number | null {
  checkInteger('numSamples', numSamples, { min: 1 });
  checkInteger('badSample', badSample, { min: 0, max: numSamples - 1 });
  checkInteger('epoch', epoch, { min: 0 });
  checkInteger('position', position, { min: 0 });
  checkInteger('attempt', attempt, { min: 1 });
  if (attempt > numSamples - 1) return null;
  const otherAt = createPermutation(numSamples - 1, seed, 'replacement', epoch, position);
  const other = otherAt(attempt - 1);
  return other < badSample ? other : other + 1;
}
