import test from 'ava';
import { watchLoss } from '../../lib/train/watch-loss.ts';
import type { LossWatch } from '../../lib/train/watch-loss.ts';

const START: LossWatch = { average: null, lowest: null, badSteps: 0 };

function follow(losses: readonly number[]): LossWatch {
  return losses.reduce((watch, loss, step) => watchLoss(watch, { step, loss, gradNorm: 1 }), START);
}

test('a loss or gradient that is no number ends the run', (t) => {
  for (const [loss, gradNorm] of [
    [Number.NaN, 1],
    [Infinity, 1],
    [1, Number.NaN],
    [1, Infinity],
  ] as const) {
    t.throws(() => watchLoss(START, { step: 7, loss, gradNorm }), {
      code: 'TUBE_LOSS_DIVERGED',
      message: /step 7/,
    });
  }
});

test('hard batches end nothing, a loss that stays far above does', (t) => {
  const calm = Array.from({ length: 30 }, () => 1);
  t.deepEqual(follow([...calm, 100, ...calm, 50, 60, ...calm]).badSteps, 0);
  t.throws(() => follow([...calm, ...Array.from({ length: 20 }, () => 9)]), {
    code: 'TUBE_LOSS_DIVERGED',
  });
  t.is(follow([...calm, ...Array.from({ length: 19 }, () => 9)]).badSteps, 19);
});
