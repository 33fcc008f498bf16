/**
 * Notices when a run goes wrong: a loss that is no number, or one that stays far above what it has been.
 *
 * The average follows the loss slowly, and only many steps in a row count, so a hard batch or the start of a warm-up ends nothing.
 */

import { TubeletError } from '../core/index.ts';

/** What is remembered from step to step. */
export interface LossWatch {
  readonly average: number | null;
  readonly lowest: number | null;
  readonly badSteps: number;
}

/** Part of the newest loss in the average. */
const FOLLOW = 0.1;
/** A loss above this many times the lowest average is bad. */
const FAR = 5;
/** So many bad steps in a row end the run. */
const PATIENCE = 20;

/**
 * Takes the loss of a step in.
 *
 * @throws {TubeletError} TUBE_LOSS_DIVERGED
 */
export function watchLoss(
  { average, lowest, badSteps }: LossWatch,
  { step, loss, gradNorm }: Readonly<Record<'step' | 'loss' | 'gradNorm', number>>,
): LossWatch {
  if (!Number.isFinite(loss) || !Number.isFinite(gradNorm)) {
    const details = { step, loss: String(loss), gradNorm: String(gradNorm) };
    throw new TubeletError('TUBE_LOSS_DIVERGED', details);
  }
  const next = average === null ? loss : average + FOLLOW * (loss - average);
  const floor = Math.min(lowest ?? next, next);
  const bad = loss > FAR * Math.abs(floor) ? badSteps + 1 : 0;
  if (bad >= PATIENCE) {
    const message = `${PATIENCE} steps in a row above ${FAR} times the lowest average`;
    throw new TubeletError('TUBE_LOSS_DIVERGED', { step, loss, lowest: floor, message });
  }
  return { average: next, lowest: floor, badSteps: bad };
}
