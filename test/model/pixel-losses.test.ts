import test from 'ava';
import { PIXEL_LOSSES } from '../../lib/model/pixel-losses.ts';
import { tf } from '../../lib/ops/index.ts';

for (const { loss, value } of [
  { loss: 'mse', value: (0.25 + 9 + 1 + 0) / 4 },
  { loss: 'l1', value: (0.5 + 3 + 1 + 0) / 4 },
  { loss: 'smooth-l1', value: (0.125 + 2.5 + 0.5 + 0) / 4 },
] as const) {
  test(`${loss} of four differences is ${value}`, (t) => {
    t.is(PIXEL_LOSSES[loss](tf.tensor1d([0.5, -3, 1, 0])).dataSync()[0], value);
  });
  test(`${loss} has the gradient of its finite differences`, (t) => {
    const at = [0.4, -2.5, 1.5, -0.2];
    const gradient = tf
      .grad((x) => PIXEL_LOSSES[loss](x))(tf.tensor1d(at))
      .dataSync();
    for (const [i, own] of at.entries()) {
      const move = (step: number): number =>
        PIXEL_LOSSES[loss](tf.tensor1d(at.with(i, own + step))).dataSync()[0]!;
      t.true(Math.abs((move(0.01) - move(-0.01)) / 0.02 - gradient[i]!) < 1e-4);
    }
  });
}
