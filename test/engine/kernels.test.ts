/** Every kernel, and its gradient where there is one, on both engines. */

import test from 'ava';
import * as tf from '@tensorflow/tfjs';
import {
  bools,
  compareEngines,
  createRandom,
  floats,
  integers,
  valuesOnly,
  withGradients,
} from '../helpers/compare-engines.ts';
import type { Example, Operation } from '../helpers/compare-engines.ts';

interface Row {
  readonly name: string;
  readonly operation: Operation;
  readonly operands: (random: () => number) => Example[];
  /** Only values are compared: tfjs has no gradient, or a wrong one that its own check refuses. */
  readonly hasNoGradient?: boolean;
}

const SHAPES = [[], [1], [7], [3, 1, 5], [2, 3, 4]];
const PAIRS = [
  [[], [5]],
  [[4], [3, 4]],
  [
    [3, 1, 5],
    [2, 1],
  ],
  [
    [2, 3],
    [2, 3],
  ],
];

/** tfjs forgets to sum their gradients over broadcast axes. */
const UNBROADCAST = new Set(['maximum', 'minimum', 'squaredDifference']);

function unary(
  name: string,
  operation: (x: tf.Tensor) => tf.Tensor,
  range: [number, number] = [-2, 2],
): Row[] {
  return SHAPES.map((shape) => ({
    name: `${name} [${shape.join()}]`,
    operation: (x) => operation(x),
    operands: (random) => [floats(shape, random, range)],
  }));
}

function binary(
  name: string,
  operation: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
  range: [number, number] = [-2, 2],
): Row[] {
  return PAIRS.map(([a, b]) => ({
    hasNoGradient: UNBROADCAST.has(name) && a!.join() !== b!.join(),
    name: `${name} [${a!.join()}] [${b!.join()}]`,
    operation: (x, y) => operation(x, y),
    operands: (random) => [floats(a!, random, range), floats(b!, random, range)],
  }));
}

function wholes(name: string, operation: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor): Row {
  return {
    name: `${name} of integers`,
    operation: (x, y) => operation(x, y),
    operands: (random) => [integers([3, 4], random), integers([4], random, [1, 5])],
  };
}

function logic(name: string, operation: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor): Row {
  return {
    name: `${name} of bools`,
    operation: (x, y) => operation(x, y),
    operands: (random) => [bools([3, 4], random), bools([4], random)],
  };
}

function one(
  name: string,
  shape: readonly number[],
  operation: (x: tf.Tensor) => tf.Tensor | tf.Tensor[],
): Row {
  return {
    name: `${name} [${shape.join()}]`,
    operation: (x) => operation(x),
    operands: (random) => [floats(shape, random)],
  };
}

/** A row whose gradient tfjs lacks. */
function ungraded(...row: Parameters<typeof one>): Row {
  return { ...one(...row), hasNoGradient: true };
}

function product(a: number[], b: number[], transposeA: boolean, transposeB: boolean): Row {
  return {
    name: `matMul [${a.join()}] [${b.join()}] ${String(transposeA)} ${String(transposeB)}`,
    operation: (x, y) => tf.matMul(x, y, transposeA, transposeB),
    operands: (random) => [floats(a, random), floats(b, random)],
  };
}

const ROWS: Row[] = [
  ...unary('abs', tf.abs),
  ...unary('acos', tf.acos, [-0.9, 0.9]),
  ...unary('acosh', tf.acosh, [1.1, 4]),
  ...unary('asin', tf.asin, [-0.9, 0.9]),
  ...unary('asinh', tf.asinh),
  ...unary('atan', tf.atan),
  ...unary('atanh', tf.atanh, [-0.9, 0.9]),
  ...unary('ceil', tf.ceil),
  ...unary('cos', tf.cos),
  ...unary('cosh', tf.cosh),
  ...unary('elu', tf.elu),
  ...unary('erf', tf.erf),
  ...unary('exp', tf.exp),
  ...unary('expm1', tf.expm1),
  ...unary('floor', tf.floor),
  ...unary('clone', tf.clone),
  ...unary('log', tf.log, [0.1, 4]),
  ...unary('log1p', tf.log1p, [-0.9, 4]),
  ...unary('neg', tf.neg),
  ...unary('onesLike', tf.onesLike),
  ...unary('reciprocal', tf.reciprocal, [0.3, 3]),
  ...unary('relu', tf.relu),
  ...unary('relu6', tf.relu6, [-4, 9]),
  ...unary('round', tf.round),
  ...unary('rsqrt', tf.rsqrt, [0.2, 4]),
  ...unary('selu', tf.selu),
  ...unary('sigmoid', tf.sigmoid),
  ...unary('sign', tf.sign),
  ...unary('sin', tf.sin),
  ...unary('sinh', tf.sinh),
  ...unary('softplus', tf.softplus),
  ...unary('sqrt', tf.sqrt, [0.2, 4]),
  ...unary('square', tf.square),
  ...unary('tan', tf.tan, [-1, 1]),
  ...unary('tanh', tf.tanh),
  ...unary('zerosLike', tf.zerosLike),
  ...unary('leakyRelu', (x) => tf.leakyRelu(x, 0.3)),
  ...unary('step', (x) => tf.step(x, 0.5)),
  ...unary('clipByValue', (x) => tf.clipByValue(x, -0.5, 0.7)),
  ...unary('isFinite', (x) => tf.isFinite(x.div(tf.relu(x)))),
  ...unary('isInf', (x) => tf.isInf(x.div(tf.relu(x)))),
  ...unary('isNaN', (x) => tf.isNaN(tf.log(x))),
  ...binary('add', tf.add),
  ...binary('sub', tf.sub),
  ...binary('mul', tf.mul),
  ...binary('div', tf.div, [0.5, 2]),
  ...binary('maximum', tf.maximum),
  ...binary('minimum', tf.minimum),
  ...binary('pow', tf.pow, [0.2, 2]),
  ...binary('squaredDifference', tf.squaredDifference),
  ...binary('atan2', tf.atan2),
  ...binary('mod', tf.mod, [0.3, 2]),
  ...binary('floorDiv', tf.floorDiv, [0.3, 2]),
  ...binary('equal', tf.equal),
  ...binary('greater', tf.greater),
  ...binary('greaterEqual', tf.greaterEqual),
  ...binary('less', tf.less),
  ...binary('lessEqual', tf.lessEqual),
  ...binary('notEqual', tf.notEqual),
  wholes('add', tf.add),
  wholes('sub', tf.sub),
  wholes('mul', tf.mul),
  wholes('div', tf.div),
  wholes('mod', tf.mod),
  wholes('floorDiv', tf.floorDiv),
  wholes('maximum', tf.maximum),
  wholes('minimum', tf.minimum),
  wholes('equal', tf.equal),
  wholes('less', tf.less),
  wholes('sum and mean', (a, b) => tf.add(tf.sum(a), tf.mean(b))),
  wholes('max', (a, b) => tf.max(a.add(b), 1)),
  wholes('prod', (a, b) => tf.prod(a.add(b), 0)),
  wholes('cast', (a, b) => tf.cast(a, 'float32').mul(tf.cast(b, 'float32'))),
  wholes('cast to bool', (a, b) => tf.logicalOr(tf.cast(a, 'bool'), tf.cast(b, 'bool'))),
  logic('logicalAnd', tf.logicalAnd),
  logic('logicalOr', tf.logicalOr),
  logic('logicalXor', tf.logicalXor),
  logic('equal', tf.equal),
  logic('greater', tf.greater),
  logic('logicalNot', (a) => tf.logicalNot(a)),
  logic('all', (a) => tf.all(a, 1)),
  logic('any', (a) => tf.any(a, [0], true)),
  logic('where', (a) => tf.where(a, tf.scalar(2), tf.scalar(3))),
  one('cast to int', [3, 4], (x) => tf.cast(x, 'int32')),
  one('prelu', [3, 4], (x) => tf.prelu(x, tf.tensor1d([0.1, 0.2, 0.3, 0.4]))),
  one('sum of all', [3, 4, 2], (x) => tf.sum(x)),
  one('sum', [3, 4, 2], (x) => tf.sum(x, [0, -1])),
  one('sum, kept', [3, 1, 2], (x) => tf.sum(x, 1, true)),
  one('sum over many rows', [8, 5, 3], (x) => tf.sum(x, [0, 1])),
  one('sum over many rows, kept', [40, 3], (x) => tf.sum(x, 0, true)),
  one('sum of a column', [40, 1], (x) => tf.sum(x, 0)),
  one('sum of a long list', [64], (x) => tf.sum(x, 0)),
  one('sum of integers over many rows', [40, 3], (x) => tf.sum(tf.cast(x, 'int32'), 0)),
  one('mean', [3, 4, 2], (x) => tf.mean(x, [1])),
  one('max', [3, 4, 2], (x) => tf.max(x, 2)),
  one('min', [3, 4, 2], (x) => tf.min(x, [0], true)),
  one('prod', [3, 4], (x) => tf.prod(x, 1)),
  one('moments', [3, 8], (x) => {
    const { mean, variance } = tf.moments(x, 1, true);
    return [mean, variance];
  }),
  one('norm', [3, 4], (x) => tf.norm(x)),
  one('logSumExp', [3, 4], (x) => tf.logSumExp(x, 1)),
  one('argMax', [3, 4], (x) => tf.argMax(x, 1)),
  one('argMin', [3, 4], (x) => tf.argMin(x, 0)),
  ungraded('topk', [3, 7], (x) => Object.values(tf.topk(x, 3)).slice(0, 1)),
  one('topk places', [3, 7], (x) => tf.topk(x, 3).indices),
  one('softmax', [3, 5, 7], (x) => tf.softmax(x)),
  one('logSoftmax', [3, 7], (x) => tf.logSoftmax(x)),
  one('cumsum', [3, 4], (x) => tf.cumsum(x, 1)),
  one('cumsum from behind', [3, 4], (x) => tf.cumsum(x, 1, true, true)),
  ungraded('cumprod', [2, 4], (x) => tf.cumprod(x, 1)),
  ungraded('cumprod from behind', [2, 4], (x) => tf.cumprod(x, 1, true, true)),
  one('reshape', [3, 4], (x) => tf.reshape(x, [2, -1])),
  one('expandDims, squeeze', [3, 1], (x) => tf.squeeze(tf.expandDims(x, 0), [2])),
  one('transpose', [2, 3, 4], (x) => tf.transpose(x, [2, 0, 1])),
  one('slice', [4, 5], (x) => tf.slice(x, [1, 2], [2, -1])),
  one('slice of everything', [4, 5], (x) => tf.slice(x, [0, 0], [4, 5])),
  ungraded('stridedSlice', [6, 5], (x) => tf.stridedSlice(x, [1, 4], [6, 0], [2, -1])),
  one('concat', [2, 3], (x) => tf.concat([x, x.mul(2), x.neg()], 1)),
  one('stack', [2, 3], (x) => tf.stack([x, x.mul(2)], 1)),
  one('unstack', [3, 2], (x) => tf.unstack(x, 0)),
  one('split', [2, 7], (x) => tf.split(x, [2, 1, 4], 1)),
  one('split in halves', [4, 2], (x) => tf.split(x, 2, 0)),
  one('pad', [2, 3], (x) =>
    tf.pad(
      x,
      [
        [1, 0],
        [2, 1],
      ],
      0.5,
    ),
  ),
  ungraded('mirrorPad, reflect', [4, 5], (x) =>
    tf.greater(
      tf.mirrorPad(
        x,
        [
          [1, 2],
          [0, 3],
        ],
        'reflect',
      ),
      0,
    ),
  ),
  ungraded('mirrorPad, symmetric', [4, 5], (x) =>
    tf.greater(
      tf.mirrorPad(
        x,
        [
          [1, 2],
          [0, 3],
        ],
        'symmetric',
      ),
      0,
    ),
  ),
  one('tile', [2, 3], (x) => tf.tile(x, [2, 3])),
  one('broadcastTo', [1, 3], (x) => tf.broadcastTo(x, [4, 3])),
  one('reverse', [2, 3], (x) => tf.reverse(x, 1)),
  one('gather', [5, 3], (x) => tf.gather(x, tf.tensor1d([4, 0, 0, 2], 'int32'))),
  one('gather of the last axis', [3, 5], (x) =>
    tf.gather(
      x,
      tf.tensor2d(
        [
          [4, 0],
          [1, 2],
        ],
        [2, 2],
        'int32',
      ),
      1,
    ),
  ),
  ungraded('gather in batch', [2, 5, 3], (x) =>
    tf.greater(
      tf.gather(
        x,
        tf.tensor2d(
          [
            [4, 0, 1],
            [1, 2, 2],
          ],
          [2, 3],
          'int32',
        ),
        1,
        1,
      ),
      0,
    ),
  ),
  ungraded('gatherND', [3, 4], (x) =>
    tf.gatherND(
      x,
      tf.tensor2d(
        [
          [0, 1],
          [2, 3],
        ],
        [2, 2],
        'int32',
      ),
    ),
  ),
  one('unsortedSegmentSum', [5, 2], (x) =>
    tf.unsortedSegmentSum(x, tf.tensor1d([0, 2, 0, 1, 2], 'int32'), 4),
  ),
  ungraded('scatterND', [3], (x) =>
    tf.scatterND(tf.tensor2d([[4], [1], [7]], [3, 1], 'int32'), x, [8]),
  ),
  one('addN', [2, 3], (x) => tf.addN([x, x.square(), x.neg()])),
  one('where', [3, 4], (x) => tf.where(tf.tensor1d([1, 0, 0, 1], 'bool'), x.square(), x.mul(3))),
  one('ones, zeros, fill, range', [3, 4], (x) =>
    x
      .add(tf.ones([3, 4]))
      .mul(tf.onesLike(tf.tensor1d([1, 2, 3, 4])).mul(3))
      .add(tf.zeros([1]))
      .add(tf.range(0, 4)),
  ),
  one('conv2d of patches', [2, 6, 9, 3], (x) =>
    tf.conv2d(x as tf.Tensor4D, patchFilter(3, 3, 4), 3, 'valid'),
  ),
  ungraded('einsum', [2, 3, 4], (x) => tf.einsum('bij,bkj->bik', x, x)),
  one('dot', [5], (x) => tf.dot(x, x)),
  one('fused matMul', [3, 4], (x) =>
    tf.fused.matMul({
      a: x,
      b: tf.ones([4, 2]),
      bias: tf.tensor1d([1, -4]),
      activation: 'relu',
    }),
  ),
  one('layer normalisation', [3, 8], (x) => {
    const { mean, variance } = tf.moments(x, -1, true);
    return x.sub(mean).div(tf.sqrt(variance.add(1e-6)));
  }),
  one('oneHot', [4], (x) =>
    x.mul(tf.sum(tf.oneHot(tf.tensor1d([1, 0, 3, 1], 'int32'), 4, 2, -1), 1)),
  ),
  one('dropout by given numbers', [4, 5], (x) => {
    const keep = tf
      .tensor2d(
        Array.from({ length: 20 }, (_, at) => ((at * 7) % 10) / 10),
        [4, 5],
      )
      .greaterEqual(0.3);
    return x.mul(tf.cast(keep, 'float32')).div(0.7);
  }),
  one('slices of the whole', [4, 6], (x) => {
    const [a, b, c] = [0, 2, 4].map((at) => tf.slice(x, [0, at], [4, 2]));
    return tf.add(tf.mul(a!, b!), tf.square(c!));
  }),
  {
    name: 'a product with bias',
    operation: (x, w, b) => tf.tanh(tf.matMul(x, w, false, true).add(b)),
    operands: (random) => [floats([3, 4], random), floats([5, 4], random), floats([5], random)],
  },
  product([3, 4], [4, 5], false, false),
  product([4, 3], [4, 5], true, false),
  product([3, 4], [5, 4], false, true),
  product([4, 3], [5, 4], true, true),
  product([1, 3, 4], [1, 4, 5], false, false),
  product([1, 4, 3], [1, 5, 4], true, true),
  product([2, 3, 4], [2, 4, 5], false, false),
  product([2, 3, 4], [2, 5, 4], false, true),
  product([2, 4, 3], [2, 4, 5], true, false),
  product([2, 2, 4, 3], [2, 2, 5, 4], true, true),
  { ...product([2, 3, 4], [1, 4, 5], false, false), hasNoGradient: true },
  { ...product([1, 3, 4], [2, 5, 4], false, true), hasNoGradient: true },
  product([1, 1], [1, 1], false, false),
];

function patchFilter(size: number, channels: number, outputs: number): tf.Tensor4D {
  const length = size * size * channels * outputs;
  const values = Float32Array.from({ length }, (_, at) => Math.sin(at));
  return tf.tensor4d(values, [size, size, channels, outputs]);
}

const check = test.macro({
  exec: async (t, row: Row) => {
    const examples = row.operands(createRandom(row.name.length * 31 + 7));
    const named = Object.fromEntries(examples.map((example, index) => [`x${index}`, example]));
    const fn =
      row.hasNoGradient === true
        ? valuesOnly(row.operation)
        : withGradients(row.operation, examples);
    await compareEngines(t, fn, named);
  },
  title: (_, row: Row) => row.name,
});

for (const row of ROWS) test.serial(check, row);
