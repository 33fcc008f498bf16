/** Operations so large that their gradients are taken piece by piece. */

import * as tf from '@tensorflow/tfjs';
import test from 'ava';
import { attention, gelu, geluLinear, layerNorm, normLinear } from '../../lib/ops/index.ts';
import { compile } from '../../lib/engine/index.ts';
import { countPieces } from '../../lib/engine/onnx/pieces.ts';
import { compareEngines, createRandom, floats, withGradients } from '../helpers/compare-engines.ts';
import type { Operation } from '../helpers/compare-engines.ts';

test('pieces are equal, none is larger than asked, and what does not divide well is whole', (t) => {
  const count = (numRows: number, width: number, most?: number): number =>
    countPieces({ hasContrib: true }, { numRows, width }, most);
  t.is(count(512, 512), 1);
  t.is(count(513, 512), 3);
  t.is(count(4100, 64), 2);
  t.is(count(2053, 128), 1);
  t.is(count(300_007, 1), 1);
  t.is(count(12_544, 3072, 4_194_304), 14);
  t.is(count(1, 1), 1);
  t.is(countPieces({ hasContrib: false }, { numRows: 4100, width: 64 }), 1);
});

test('sums over many rows keep what is no number or infinite', async (t) => {
  await using program = await compile(({ x }) => ({ sum: tf.sum(x!, 0) }), {
    inputs: { x: [50, 4] },
  });
  const x = new Float32Array(200).fill(0.5);
  x.set([Infinity, -Infinity, Number.NaN], 80);
  const { sum } = await program.run({ x });
  t.deepEqual(sum, Float32Array.of(Infinity, -Infinity, Number.NaN, 25));
});

const norm: Operation = (x, scale, offset) => layerNorm(x, scale, offset, 1e-6);
const mlp: Operation = (x, weight, bias) => geluLinear(x, { weight, bias });
const qkv: Operation = (...tensors) => {
  const [x, scale, offset, weight, bias] = tensors as Five;
  return normLinear(x, { scale, offset, epsilon: 1e-6 }, { weight, bias });
};
type Five = [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
const heads: Operation = (q, k, v) =>
  attention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D);

const ROWS: readonly (readonly [string, Operation, ...(readonly number[])[]])[] = [
  ['gelu in pieces', gelu, [5, 77_000]],
  ['gelu of a prime number of elements', gelu, [300_007]],
  ['layerNorm in pieces', norm, [41, 100, 64], [64], [64]],
  ['layerNorm of a prime number of rows', norm, [2053, 128], [128], [128]],
  ['geluLinear whole, its elements in pieces', mlp, [2, 600, 256], [3, 256], [3]],
  ['geluLinear in pieces of pieces', mlp, [2, 4200, 512], [2, 512], [2]],
  ['normLinear in pieces', qkv, [41, 100, 64], [64], [64], [2, 64], [2]],
  [
    'attention in equal pieces of queries',
    heads,
    [1, 1, 1100, 3],
    [1, 1, 1000, 3],
    [1, 1, 1000, 2],
  ],
  ['attention in unequal pieces', heads, [1, 2, 1103, 3], [1, 2, 1000, 3], [1, 2, 1000, 2]],
];

for (const [name, operation, ...shapes] of ROWS) {
  test(`${name}: values and gradients as tfjs has them`, async (t) => {
    const random = createRandom(7);
    const operands = shapes.map((shape) => floats(shape, random));
    const examples = Object.fromEntries(operands.map((one, index) => [`x${index}`, one]));
    await compareEngines(t, withGradients(operation, operands), examples);
  });
}
