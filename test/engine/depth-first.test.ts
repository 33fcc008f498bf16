/** The order in which ONNX Runtime runs the nodes of a step. */

import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import test from 'ava';
import { compile } from '../../lib/index.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';

const WEIGHTS = { first: [5, 4], second: [6, 5], third: [7, 6] };

interface ProfileEvent {
  readonly name: string;
  readonly ts: number;
  readonly args?: { readonly output_type_shape?: readonly Readonly<Record<string, number[]>>[] };
}

test('the gradient of a weight is taken before those of the layers below, so that what it is made of need not be kept', async (t) => {
  const profilePrefix = join(await temporaryFolder(t), 'profile');
  const program = await compile(
    ({ x, ...weights }) => {
      const names = Object.keys(WEIGHTS);
      const loss = (...own: tf.Tensor[]): tf.Scalar =>
        own
          .reduce((y, weight) => tf.tanh(tf.matMul(y, weight, false, true)), x!)
          .square()
          .sum();
      const gradients = tf.grads(loss)(names.map((name) => weights[name]!));
      return Object.fromEntries(names.map((name, index) => [`d.${name}`, gradients[index]!]));
    },
    { inputs: { x: [3, 4], ...WEIGHTS } },
    { profilePrefix },
  );
  const values = ([rows = 0, columns = 0]: number[]): Float32Array =>
    new Float32Array(rows * columns).fill(0.1);
  await program.run({
    x: new Float32Array(12).fill(1),
    ...Object.fromEntries(Object.entries(WEIGHTS).map(([name, shape]) => [name, values(shape)])),
  });
  await program.dispose();
  const names = await readdir(join(profilePrefix, '..'));
  const file = names.find((one) => one.startsWith('profile')) ?? '';
  const events = JSON.parse(
    await readFile(join(profilePrefix, '..', file), 'utf8'),
  ) as ProfileEvent[];
  const products = events
    .filter(({ name }) => name.startsWith('Gemm:') && name.endsWith('_kernel_time'))
    .toSorted((a, b) => a.ts - b.ts)
    .map(({ args }) => Object.values(args?.output_type_shape?.[0] ?? {})[0]?.join('x'));
  const [third, second, first] = ['7x6', '6x5', '5x4'].map((shape) => products.indexOf(shape));
  t.true(products.indexOf('3x6', 3) > third! && third! > 0, products.join(' '));
  t.true(third! < second! && second! < first!, products.join(' '));
});
