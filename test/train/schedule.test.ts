import test from 'ava';
import { cosineSchedule, scaleRate } from '../../lib/train/schedule.ts';

test('a schedule starts at 0, reaches its base twice and ends above its final value', (t) => {
  const valueAt = cosineSchedule({ base: 1, final: 0.1, numSteps: 10, warmupSteps: 4 });
  t.deepEqual([0, 1, 3, 4].map(valueAt), [0, 1 / 3, 1, 1]);
  t.true(valueAt(9) > 0.1 && valueAt(9) < valueAt(8));
  t.throws(() => valueAt(10), { instanceOf: RangeError });
  t.throws(() => cosineSchedule({ base: 1, final: 0, numSteps: 3, warmupSteps: 4 }), {
    instanceOf: RangeError,
  });
});

test('a rate grows with the batch', (t) => {
  t.is(scaleRate(1.5e-4, 1024), 6e-4);
  t.is(scaleRate(1e-3, 64), 2.5e-4);
  t.throws(() => scaleRate(1, 0), { instanceOf: RangeError });
});
