/** Random programs of 5 to 30 operations, with their gradients, give the same on both engines. */

import test from 'ava';
import * as tf from '@tensorflow/tfjs';
import { compareEngines, createRandom, floats, withGradients } from '../helpers/compare-engines.ts';

const PROGRAMS = 100;

/** Makes one tensor of those that there are. `pick` gives a number from 0 up to but not its argument. */
type Step = (known: tf.Tensor[], pick: (count: number) => number) => tf.Tensor;

const STEPS: Step[] = [
  (known, pick) => tf.tanh(one(known, pick)),
  (known, pick) => tf.sigmoid(one(known, pick)),
  (known, pick) => tf.relu(one(known, pick)),
  (known, pick) => tf.erf(one(known, pick)),
  (known, pick) => tf.sin(one(known, pick)),
  (known, pick) => tf.sqrt(tf.add(tf.square(one(known, pick)), 0.5)),
  (known, pick) => tf.exp(tf.neg(tf.square(one(known, pick)))),
  (known, pick) => tf.add(one(known, pick), rowOf(one(known, pick))),
  (known, pick) => tf.mul(one(known, pick), tf.tanh(one(known, pick).mean(-1, true).mean())),
  (known, pick) => {
    const x = one(known, pick);
    return tf.sub(x, tf.mean(x, -1, true));
  },
  (known, pick) => {
    const x = one(known, pick);
    return tf.div(x, tf.add(tf.sum(tf.square(x), pick(x.rank), true), 1));
  },
  (known, pick) => tf.softmax(one(known, pick)),
  (known, pick) => tf.logSoftmax(one(known, pick)).mul(0.3),
  (known, pick) => {
    const x = one(known, pick);
    return tf.transpose(x, x.rank === 2 ? [1, 0] : [2, 0, 1]);
  },
  (known, pick) => {
    const x = one(known, pick);
    return tf.reshape(x, x.rank === 2 ? [1, ...x.shape] : [-1, x.shape.at(-1)!]);
  },
  (known, pick) => {
    const x = one(known, pick);
    const axis = pick(x.rank);
    const size = Math.max(1, Math.floor(x.shape[axis]! / 2));
    const begin = x.shape.map((_, at) => (at === axis ? pick(x.shape[axis]! - size + 1) : 0));
    return tf.slice(
      x,
      begin,
      x.shape.map((length, at) => (at === axis ? size : length)),
    );
  },
  (known, pick) => {
    const x = one(known, pick);
    return x.size > 400 ? tf.abs(x) : tf.concat([x, tf.mul(x, -0.5)], pick(x.rank));
  },
  (known, pick) => {
    const x = one(known, pick);
    return x.size > 400
      ? tf.neg(x)
      : tf.pad(
          x,
          x.shape.map((): [number, number] => [pick(2), pick(2)]),
          0.25,
        );
  },
  (known, pick) => {
    const x = one(known, pick);
    return tf.matMul(x, x, false, true).mul(0.1);
  },
  (known, pick) => {
    const x = one(known, pick);
    return tf.matMul(tf.mul(x, 0.1), tf.tanh(x), true, false);
  },
  (known, pick) => {
    const x = one(known, pick);
    const rows = Int32Array.from({ length: 3 }, () => pick(x.shape[0] ?? 1));
    return tf.gather(x, tf.tensor1d(rows, 'int32'));
  },
  (known, pick) => {
    const x = one(known, pick);
    return tf.where(tf.tensor([pick(2)], [1], 'bool'), x, tf.mul(x, 2));
  },
];

function one(known: tf.Tensor[], pick: (count: number) => number): tf.Tensor {
  return known[pick(known.length)]!;
}

/** A scalar of a tensor, in the shape of a row that fits everything. */
function rowOf(x: tf.Tensor): tf.Tensor {
  return tf.reshape(tf.mean(x), [1]);
}

for (let seed = 0; seed < PROGRAMS; seed += 1) {
  test.serial(`program ${seed}`, async (t) => {
    const random = createRandom(1000 + seed);
    const shapes = [
      [3, 4],
      [1, 5],
      [2, 3, 4],
      [7, 1],
      [2, 1, 6],
    ];
    const operands = [0, 1].map(() =>
      floats(shapes[Math.floor(random() * shapes.length)]!, random, [-1, 1]),
    );
    const count = 5 + Math.floor(random() * 26);
    const choices = Float32Array.from({ length: count * 40 }, random);
    const operation = (...inputs: tf.Tensor[]): tf.Tensor[] => {
      let at = 0;
      const pick = (limit: number): number => Math.floor(choices[at++ % choices.length]! * limit);
      const known = [...inputs];
      // Prefers the latest, so that programs become deep.
      for (let step = 0; step < count; step += 1)
        known.push(STEPS[pick(STEPS.length)]!(known.slice(-4), pick));
      // Every input must count, or tfjs has no gradient for it.
      const [before, last] = known.slice(-2);
      const all = inputs.map(rowOf).reduce((a, b) => tf.add(a, b));
      return [before!, tf.add(last!, all)];
    };
    const named = Object.fromEntries(operands.map((operand, index) => [`x${index}`, operand]));
    await compareEngines(t, withGradients(operation, operands), named, 1e-5);
  });
}
