/** Values and gradients of tfjs' operations on both engines against double precision and central differences of it. */

import * as tf from '@tensorflow/tfjs';
import test from 'ava';
import { operationErrors } from '../helpers/check-operation.ts';
import type { Operation } from '../helpers/check-operation.ts';

/** Relative to the largest number of each tensor, in single precision. */
const TOLERANCE = 1e-5;

interface Row extends Operation {
  readonly name: string;
}

type Range = readonly [low: number, high: number];
type Unary = readonly [name: string, run: (x: tf.Tensor) => tf.Tensor, range?: Range];

const SHAPES = [[], [1], [3, 1, 5]];

/** Moves numbers out of the middle, away from a kink at 0. */
const offZero = (value: number): number => value + Math.sign(value) * 0.1;

const unmoved = (value: number): number => value;

const UNARY: Unary[] = [
  ['abs', tf.abs],
  ['acos', tf.acos, [-0.8, 0.8]],
  ['acosh', tf.acosh, [1.2, 3]],
  ['asin', tf.asin, [-0.8, 0.8]],
  ['asinh', tf.asinh],
  ['atan', tf.atan],
  ['atanh', tf.atanh, [-0.8, 0.8]],
  ['cos', tf.cos],
  ['cosh', tf.cosh],
  ['elu', tf.elu],
  ['erf', tf.erf],
  ['exp', tf.exp],
  ['expm1', tf.expm1],
  ['log', tf.log, [0.2, 3]],
  ['log1p', tf.log1p, [-0.5, 2]],
  ['neg', tf.neg],
  ['reciprocal', tf.reciprocal, [0.3, 2]],
  ['relu', tf.relu],
  ['relu6', tf.relu6],
  ['rsqrt', tf.rsqrt, [0.3, 3]],
  ['selu', tf.selu],
  ['sigmoid', tf.sigmoid],
  ['sin', tf.sin],
  ['sinh', tf.sinh],
  ['softplus', tf.softplus],
  ['sqrt', tf.sqrt, [0.3, 3]],
  ['square', tf.square],
  ['tan', tf.tan, [-1, 1]],
  ['tanh', tf.tanh],
  ['leakyRelu', (x) => tf.leakyRelu(x, 0.1)],
  ['clipByValue', (x) => tf.clipByValue(x, -1.05, 1.05)],
];

/** Only values count: steps have no slope, tfjs has no gradient for some, and a wrong one for mirrorPad (central differences show it). */
const FLAT: Unary[] = [
  ['ceil', tf.ceil],
  ['floor', tf.floor],
  ['round', tf.round],
  ['sign', tf.sign],
  ['step', (x) => tf.step(x, 0.25)],
  ['argMax', (x) => tf.argMax(x, -1)],
  ['argMin', (x) => tf.argMin(x, -1)],
  ['isFinite', (x) => tf.cast(tf.isFinite(x), 'float32')],
  ['cumprod', (x) => tf.cumprod(x, 0)],
  ['gatherND', (x) => tf.gatherND(x, tf.tensor2d([2, 1, 0, 3], [2, 2], 'int32'))],
  [
    'mirrorPad',
    (x) =>
      tf.mirrorPad(
        x,
        [
          [1, 2],
          [0, 3],
        ],
        'reflect',
      ),
  ],
];

type Binary = readonly [
  name: string,
  run: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
  range?: Range,
];

const PAIRS = [
  [[], [3]],
  [
    [2, 3],
    [2, 3],
  ],
  [
    [2, 1, 3],
    [4, 1],
  ],
];

const BINARY: Binary[] = [
  ['add', tf.add],
  ['atan2', tf.atan2, [0.3, 2]],
  ['div', tf.div, [0.3, 2]],
  ['mul', tf.mul],
  ['pow', tf.pow, [0.3, 2]],
  ['sub', tf.sub],
];

/** tfjs' gradients of these are right for equal shapes only. */
const UNBROADCAST: Binary[] = [
  ['maximum', tf.maximum],
  ['minimum', tf.minimum],
  ['prelu', (x, alpha) => tf.prelu(x, alpha)],
  ['squaredDifference', tf.squaredDifference],
];

type Shape = readonly number[];
type Other = readonly [name: string, shapes: readonly Shape[], run: Operation['run']];

const OTHERS: Other[] = [
  ['sum of an axis', [[2, 3, 4]], (x) => tf.sum(x, 1)],
  ['sum of all', [[2, 3, 4]], (x) => tf.sum(x)],
  ['sum of an axis of 1, kept', [[2, 1]], (x) => tf.sum(x, [1], true)],
  ['mean of two axes', [[2, 3, 5]], (x) => tf.mean(x, [0, 2])],
  ['mean of the last axis', [[7]], (x) => tf.mean(x, -1, true)],
  ['max', [[3, 5]], (x) => tf.max(x, 1)],
  ['min', [[3, 5]], (x) => tf.min(x, 0)],
  ['prod', [[3, 5]], (x) => tf.prod(x, 1)],
  ['softmax', [[3, 5]], (x) => tf.softmax(x)],
  ['softmax of 1', [[3, 1]], (x) => tf.softmax(x)],
  ['logSoftmax', [[2, 3, 5]], (x) => tf.logSoftmax(x)],
  ['logSumExp', [[3, 5]], (x) => tf.logSumExp(x, 1)],
  ['cumsum', [[3, 5]], (x) => tf.cumsum(x, 1, true, true)],
  ['moments', [[3, 5]], (x) => tf.moments(x, 1).variance],
  ['norm', [[3, 5]], (x) => tf.norm(x)],
  ['addN', [[3], [3], [3]], (...all) => tf.addN(all)],
  [
    'concat',
    [
      [2, 1, 3],
      [2, 4, 3],
    ],
    (a, b) => tf.concat([a, b], 1),
  ],
  [
    'stack',
    [
      [2, 3],
      [2, 3],
    ],
    (a, b) => tf.stack([a, b], 1),
  ],
  ['unstack', [[3, 2, 4]], (x) => tf.mul(tf.unstack(x, 0)[1]!, tf.unstack(x, 0)[2]!)],
  ['split', [[2, 7]], (x) => tf.split(x, [2, 4, 1], 1)[1]!],
  ['slice', [[3, 5, 2]], (x) => tf.slice(x, [1, 2, 0], [2, 3, 1])],
  [
    'pad',
    [[2, 3]],
    (x) =>
      tf.pad(
        x,
        [
          [1, 0],
          [2, 1],
        ],
        0.5,
      ),
  ],
  ['gather', [[4, 3]], (x) => tf.gather(x, tf.tensor1d([2, 0, 2, 3], 'int32'))],
  ['gather of the last axis', [[2, 5]], (x) => tf.gather(x, tf.tensor1d([4, 1], 'int32'), 1)],
  ['transpose', [[2, 3, 5]], (x) => tf.transpose(x, [2, 0, 1])],
  ['reverse', [[2, 3]], (x) => tf.reverse(x, 1)],
  ['tile', [[2, 1, 3]], (x) => tf.tile(x, [2, 3, 1])],
  ['broadcastTo', [[3, 1]], (x) => tf.broadcastTo(x, [2, 3, 4])],
  ['reshape', [[2, 6]], (x) => tf.reshape(x, [3, -1])],
  [
    'where',
    [
      [2, 3],
      [2, 3],
    ],
    (a, b) => tf.where(tf.tensor1d([1, 0, 1], 'bool'), a, b),
  ],
  [
    'segmentSum',
    [[5, 2]],
    (x) => tf.unsortedSegmentSum(x, tf.tensor1d([1, 0, 1, 2, 0], 'int32'), 3),
  ],
  [
    'matMul',
    [
      [3, 5],
      [5, 2],
    ],
    (a, b) => tf.matMul(a, b),
  ],
  [
    'matMul of 1',
    [
      [1, 1],
      [1, 1],
    ],
    (a, b) => tf.matMul(a, b),
  ],
  [
    'matMul, left transposed',
    [
      [5, 3],
      [5, 2],
    ],
    (a, b) => tf.matMul(a, b, true),
  ],
  [
    'matMul, right transposed',
    [
      [3, 5],
      [2, 5],
    ],
    (a, b) => tf.matMul(a, b, false, true),
  ],
  [
    'matMul, both transposed',
    [
      [5, 3],
      [2, 5],
    ],
    (a, b) => tf.matMul(a, b, true, true),
  ],
  [
    'matMul of a batch',
    [
      [2, 3, 5],
      [2, 5, 1],
    ],
    (a, b) => tf.matMul(a, b),
  ],
  [
    'matMul of a batch, left transposed',
    [
      [2, 5, 3],
      [2, 5, 7],
    ],
    (a, b) => tf.matMul(a, b, true),
  ],
  [
    'matMul of a batch, right transposed',
    [
      [2, 2, 3, 5],
      [2, 2, 4, 5],
    ],
    (a, b) => tf.matMul(a, b, false, true),
  ],
];

const ROWS: Row[] = [
  ...UNARY.flatMap(([name, run, range = [-2, 2]]) =>
    SHAPES.map((shape) => ({
      name: `${name} [${shape.join()}]`,
      run: (x: tf.Tensor) => run(x),
      shapes: [shape],
      range,
      adjust: range[0] < 0 && range[1] === 2 ? offZero : unmoved,
    })),
  ),
  ...FLAT.map(([name, run]) => ({
    name,
    run: (x: tf.Tensor) => run(x),
    shapes: [[3, 5]],
    hasNoGradient: true,
  })),
  ...BINARY.flatMap(([name, run, range = [-2, 2]]) =>
    PAIRS.map((shapes) => ({
      name: `${name} [${shapes[0]!.join()}] [${shapes[1]!.join()}]`,
      run: (a: tf.Tensor, b: tf.Tensor) => run(a, b),
      shapes,
      range,
    })),
  ),
  ...UNBROADCAST.map(([name, run]) => ({
    name,
    run: (a: tf.Tensor, b: tf.Tensor) => run(a, b),
    shapes: [
      [2, 3],
      [2, 3],
    ],
  })),
  ...OTHERS.map(([name, shapes, run]) => ({ name, shapes, run })),
];

for (const row of ROWS) {
  test(row.name, async (t) => {
    for (const [what, error] of Object.entries(await operationErrors(row, row.name))) {
      t.true(error <= TOLERANCE, `${what}: ${error}`);
    }
  });
}
