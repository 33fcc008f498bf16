import test from 'ava';
import * as tf from '@tensorflow/tfjs';
import { compile } from '../../lib/engine/index.ts';

test('a step of gradient descent moves its state', async (t) => {
  const step = await compile(
    ({ x, y }, { w }) => {
      const loss = (weight: tf.Tensor): tf.Scalar =>
        tf
          .matMul(x as tf.Tensor2D, weight as tf.Tensor2D)
          .sub(y!)
          .square()
          .mean();
      const { value, grad } = tf.valueAndGrad(loss)(w!);
      return { loss: value, w: w!.sub(grad.mul(0.1)) };
    },
    { inputs: { x: [4, 2], y: [4, 1] }, state: { w: [2, 1] } },
  );
  step.setState({ w: [0, 0] });
  const x = [1, 0, 0, 1, 1, 1, 2, 1];
  const y = [2, -1, 1, 3];
  const losses: number[] = [];
  for (let i = 0; i < 200; i += 1) losses.push((await step.run({ x, y }))['loss']![0]!);
  t.true(losses[199]! < 1e-6, String(losses[199]));
  const { w } = step.readState();
  t.true(Math.abs(w![0]! - 2) < 1e-3);
  t.true(Math.abs(w![1]! + 1) < 1e-3);
  await step.dispose();
});
