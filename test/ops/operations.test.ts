/** Values and gradients of every operation on both engines against double precision. */

import * as tf from '@tensorflow/tfjs';
import test from 'ava';
import {
  adamwUpdate,
  attention,
  clipByGlobalNorm,
  crossEntropy,
  clipTubelets,
  dropPath,
  dropout,
  embedTubelets,
  gelu,
  geluLinear,
  globalNorm,
  layerNorm,
  linear,
  mergedAttention,
  normLinear,
} from '../../lib/ops/index.ts';
import { operationErrors } from '../helpers/check-operation.ts';
import type { Operation } from '../helpers/check-operation.ts';

/** Relative to the largest number of each tensor, in single precision. */
const TOLERANCE = 1e-5;

interface Row extends Operation {
  readonly name: string;
}

const attend =
  (memory: 'low' | 'full', scale?: number): Operation['run'] =>
  (q, k, v) =>
    attention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, {
      memory,
      ...(scale === undefined ? {} : { scale }),
    });

const heads = (memory: 'low' | 'full'): Row[] =>
  [
    [1, 1, 1, 1, 1, 1],
    [1, 2, 5, 5, 4, 4],
    [2, 3, 7, 7, 8, 8],
    [2, 1, 3, 9, 5, 2],
  ].map(([b, h, n, m, d, e]) => ({
    name: `attention, ${memory} memory, [${b}, ${h}, ${n}/${m}, ${d}/${e}]`,
    run: attend(memory),
    shapes: [
      [b!, h!, n!, d!],
      [b!, h!, m!, d!],
      [b!, h!, m!, e!],
    ],
  }));

const merged: Row[] = (['low', 'full'] as const).map((memory) => ({
  name: `mergedAttention, ${memory} memory`,
  run: (q, k, v) =>
    mergedAttention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, { memory }),
  shapes: [
    [2, 3, 5, 4],
    [2, 3, 7, 4],
    [2, 3, 7, 2],
  ],
}));

const update =
  (part: 'parameter' | 'first' | 'second'): Operation['run'] =>
  (...tensors) => {
    const [parameter, gradient, first, second, rate, keep, correction] = tensors as Seven;
    const next = adamwUpdate(
      { parameter, gradient, first, second },
      { rate, keep, correction },
      { beta1: 0.9, beta2: 0.95, epsilon: 1e-3 },
    );
    return next[part];
  };
type Seven = [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];

type Five = [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];

const ROWS: Row[] = [
  ...[[3], [1], [1, 1], [4, 7], [2, 3, 5], [2, 1, 16], [19, 9]].map((shape) => ({
    name: `layerNorm [${shape.join()}]`,
    run: (x: tf.Tensor, scale: tf.Tensor, shift: tf.Tensor) => layerNorm(x, scale, shift, 1e-3),
    shapes: [shape, [shape.at(-1)!], [shape.at(-1)!]],
  })),
  ...[[], [1], [17], [3, 1, 5]].map((shape) => ({
    name: `gelu [${shape.join()}]`,
    run: (x: tf.Tensor) => gelu(x),
    shapes: [shape],
    range: [-6, 6] as const,
  })),
  ...heads('low'),
  ...heads('full'),
  ...merged,
  ...[[3], [2, 1, 4], [2, 5, 3]].flatMap((shape): Row[] => {
    const width = shape.at(-1)!;
    const layer = [[6, width], [6]];
    return [
      {
        name: `geluLinear [${shape.join()}]`,
        run: (x, weight, bias) => geluLinear(x, { weight, bias }),
        shapes: [shape, ...layer],
      },
      {
        name: `normLinear [${shape.join()}]`,
        run: (...tensors) => {
          const [x, scale, offset, weight, bias] = tensors as Five;
          return normLinear(x, { scale, offset, epsilon: 1e-3 }, { weight, bias });
        },
        shapes: [shape, [width], [width], ...layer],
      },
    ];
  }),
  {
    name: 'attention with a scale',
    run: attend('low', 0.3),
    shapes: [
      [1, 2, 3, 4],
      [1, 2, 3, 4],
      [1, 2, 3, 4],
    ],
  },
  ...[0, 0.1].flatMap((smoothing) =>
    [
      [1, 1],
      [1, 5],
      [6, 3],
    ].map((shape) => ({
      name: `crossEntropy [${shape.join()}], smoothing ${smoothing}`,
      run: (logits: tf.Tensor, targets: tf.Tensor) =>
        crossEntropy(logits as tf.Tensor2D, targets as tf.Tensor2D, { smoothing }),
      shapes: [shape, shape],
    })),
  ),
  {
    name: 'globalNorm',
    run: (...tensors) => globalNorm(tensors),
    shapes: [[3, 5], [1], [7]],
  },
  ...[0.5, 100].map((limit) => ({
    name: `clipByGlobalNorm ${limit}`,
    run: (...tensors: tf.Tensor[]) => {
      const flat = clipByGlobalNorm(tensors, limit).clipped.map((one) => one.flatten());
      return tf.concat(flat);
    },
    shapes: [[3, 5], [1], [7]],
  })),
  ...[
    [
      [2, 3],
      [2, 3],
    ],
    [
      [2, 3, 4],
      [2, 1, 4],
    ],
  ].map(([shape, draws]) => ({
    name: `dropout [${shape!.join()}] by [${draws!.join()}]`,
    run: (x: tf.Tensor, uniform: tf.Tensor) => dropout(x, uniform, 0.4),
    shapes: [shape!, draws!],
    constants: [1],
    range: [0, 1] as const,
  })),
  {
    name: 'dropPath',
    run: (x, draws) => dropPath(x, draws, 0.25),
    shapes: [[9, 2, 3], [9]],
    constants: [1],
    range: [0, 1],
  },
  ...[
    [
      [1, 1],
      [1, 1],
    ],
    [
      [2, 3, 5],
      [4, 5],
    ],
  ].map(([x, weight]) => ({
    name: `linear [${x!.join()}] by [${weight!.join()}]`,
    run: (...[own, w, b]: tf.Tensor[]) => linear(own!, w!, b!),
    shapes: [x!, weight!, [weight![0]!]],
  })),
  {
    name: 'clipTubelets',
    run: (clip) => clipTubelets(clip as tf.Tensor5D, [2, 2, 3]),
    shapes: [[2, 4, 6, 6, 3]],
  },
  {
    name: 'embedTubelets',
    run: (tubelets, kernel, bias) =>
      embedTubelets(tubelets as tf.Tensor3D, kernel as tf.Tensor5D, bias),
    shapes: [[2, 3, 24], [5, 3, 2, 2, 2], [5]],
  },
  ...(['parameter', 'first', 'second'] as const).flatMap((part) =>
    [[1], [5, 7], [1024, 513]].map((shape) => ({
      name: `adamwUpdate, ${part} [${shape.join()}]`,
      run: update(part),
      shapes: [shape, shape, shape, shape, [], [], []],
      range: [0.01, 1] as const,
      hasNoGradient: true,
    })),
  ),
];

for (const row of ROWS) {
  test(row.name, async (t) => {
    for (const [what, error] of Object.entries(await operationErrors(row, row.name))) {
      t.true(error <= TOLERANCE, `${what}: ${error}`);
    }
  });
}
