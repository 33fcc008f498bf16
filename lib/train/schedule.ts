/**
 * Numbers that change over a run, one per step, as functions of the step.
 *
 * Source: VideoMAE's released code (cosine_scheduler: the first step has rate 0, the last warm-up step and the first one after it both
 * have the highest); moco-v3@c349e6e for the momentum and the schedules over fractional epochs.
 */

import { checkInteger, checkNumber } from '../core/index.ts';

/** A warm-up from `start` to `base`, then half a cosine to `final`. */
export interface CosineOptions {
  readonly base: number;
  readonly final: number;
  /** Steps of the whole run. */
  readonly numSteps: number;
  /** Default 0. */
  readonly warmupSteps?: number;
  /** Value of the first step of the warm-up. Default 0. */
  readonly start?: number;
}

/**
 * Gives the value of a step, which counts from 0.
 *
 * @throws {RangeError} if a number is out of bounds or the warm-up is longer than the run
 */
export function cosineSchedule(options: CosineOptions): (step: number) => number {
  const { base, final, numSteps, warmupSteps = 0, start = 0 } = options;
  checkNumber('base', base);
  checkNumber('final', final);
  checkNumber('start', start);
  checkInteger('numSteps', numSteps, { min: 1 });
  checkInteger('warmupSteps', warmupSteps, { min: 0, max: numSteps });
  return (step) => {
    checkInteger('step', step, { min: 0, max: numSteps - 1 });
    if (step < warmupSteps) {
      return warmupSteps === 1 ? start : start + ((base - start) * step) / (warmupSteps - 1);
    }
    return cosineBetween(base, final, (step - warmupSteps) / (numSteps - warmupSteps));
  };
}

/** Half a cosine from `base` at `progress` 0 to `final` at 1. */
export function cosineBetween(base: number, final: number, progress: number): number {
  return final + 0.5 * (base - final) * (1 + Math.cos(Math.PI * progress));
}

/** MoCo v3: linear from 0 over the warm-up, then half a cosine to 0; `epoch` may be a fraction. */
export function mocoRate(
  base: number,
  { epoch, warmupEpochs, epochs }: Readonly<Record<'epoch' | 'warmupEpochs' | 'epochs', number>>,
): number {
  if (epoch < warmupEpochs) return (base * epoch) / warmupEpochs;
  return cosineBetween(base, 0, (epoch - warmupEpochs) / (epochs - warmupEpochs));
}

/** MoCo v3: momentum of the key encoder, from `base` to 1. `progress` is the done part of the run, 0 … 1. */
export function mocoMomentum(base: number, progress: number): number {
  return 1 - 0.5 * (1 + Math.cos(Math.PI * progress)) * (1 - base);
}

/**
 * The rule by which rates grow with the batch: `base * globalBatchSize / 256`. Repeated clips do not count.
 *
 * @throws {RangeError} if the batch is not an integer ≥ 1
 */
export function scaleRate(base: number, globalBatchSize: number): number {
  checkInteger('globalBatchSize', globalBatchSize, { min: 1 });
  return (base * globalBatchSize) / 256;
}
