/** Kernels that a graph does not hold because others say the same: each is written with tfjs operations, which are recorded. */

import { tf } from '../../ops/index.ts';
import { CONVOLUTIONS } from './convolutions.ts';
import { traceEinsum } from './einsum.ts';
import type { ComposedCall, ComposedKernel } from './composed.ts';
import type { RawAttributes } from './shape-rules.ts';
import { numbers } from './shape-rules.ts';

/** By name of the tfjs kernel. */
export const COMPOSED_KERNELS: Readonly<Record<string, ComposedKernel>> = {
  ...CONVOLUTIONS,
  Einsum: ({ list, attributes }) => traceEinsum(String(attributes['equation']), list),
  ExpandDims: ({ tensor, attributes }) => {
    const input = tensor('input');
    const dim = Number(attributes['dim']);
    const axis = dim < 0 ? input.rank + 1 + dim : dim;
    return tf.reshape(input, input.shape.toSpliced(axis, 0, 1));
  },
  FusedBatchNorm: ({ tensor, optional, attributes }) => {
    const deviation = tf.sqrt(tensor('variance').add(Number(attributes['varianceEpsilon'])));
    const normal = tensor('x').sub(tensor('mean')).div(deviation);
    const scaled = optional('scale')?.mul(normal) ?? normal;
    return optional('offset')?.add(scaled) ?? scaled;
  },
  LinSpace: ({ attributes }) => {
    const [start, stop, num] = ['start', 'stop', 'num'].map((name) => Number(attributes[name]));
    return spaced(start ?? 0, ((stop ?? 0) - (start ?? 0)) / Math.max((num ?? 1) - 1, 1), num ?? 1);
  },
  Range: ({ attributes }) => {
    const [start = 0, stop = 0, step = 1] = ['start', 'stop', 'step'].map((name) =>
      Number(attributes[name]),
    );
    const count = Math.max(Math.ceil((stop - start) / step), 0);
    return tf.cast(
      spaced(start, step, count),
      attributes['dtype'] === 'int32' ? 'int32' : 'float32',
    );
  },
  StridedSlice: ({ tensor, attributes }) => stridedSlice(tensor('x'), attributes),
  _FusedMatMul: (call) => {
    const { tensor, attributes } = call;
    const [left, right] = [attributes['transposeA'] === true, attributes['transposeB'] === true];
    return finish(tf.matMul(tensor('a'), tensor('b'), left, right), call);
  },
};

/** Adds bias and activation, as fused kernels of tfjs do. */
function finish(product: tf.Tensor, { optional, attributes }: ComposedCall): tf.Tensor | undefined {
  const bias = optional('bias');
  const sum = bias === undefined ? product : product.add(bias);
  const activation = attributes['activation'] ?? 'linear';
  if (activation === 'linear') return sum;
  if (activation === 'relu') return tf.relu(sum);
  if (activation === 'relu6') return tf.relu6(sum);
  if (activation === 'elu') return tf.elu(sum);
  if (activation === 'sigmoid') return tf.sigmoid(sum);
  if (activation === 'leakyrelu') return tf.leakyRelu(sum, Number(attributes['leakyreluAlpha']));
  const weights = optional('preluActivationWeights');
  return activation === 'prelu' && weights !== undefined ? tf.prelu(sum, weights) : undefined;
}

function spaced(start: number, step: number, count: number): tf.Tensor {
  return tf.tensor1d(Float32Array.from({ length: count }, (_, index) => start + step * index));
}

/** A slice for each axis with stride 1, a choice of places for each other one. */
function stridedSlice(x: tf.Tensor, attributes: RawAttributes): tf.Tensor {
  const list = (name: string): number[] => numbers(attributes[name]);
  const mask = (name: string): number => Number(attributes[name] ?? 0);
  const info = tf.slice_util.sliceInfo(
    x.shape,
    list('begin'),
    list('end'),
    list('strides'),
    mask('beginMask'),
    mask('endMask'),
    mask('ellipsisMask'),
    mask('newAxisMask'),
    mask('shrinkAxisMask'),
  );
  let result = x;
  for (const [axis, stride] of info.strides.entries()) {
    const [begin = 0, end = 0] = [info.begin[axis], info.end[axis]];
    const count = Math.max(Math.ceil((end - begin) / stride), 0);
    const places = Int32Array.from({ length: count }, (_, index) => begin + stride * index);
    result =
      stride === 1
        ? tf.slice(result, atAxis(x.rank, axis, begin, 0), atAxis(x.rank, axis, count, -1))
        : tf.gather(result, tf.tensor1d(places, 'int32'), axis);
  }
  return tf.reshape(result, info.finalShape);
}

function atAxis(rank: number, axis: number, value: number, elsewhere: number): number[] {
  return Array.from({ length: rank }, (_, index) => (index === axis ? value : elsewhere));
}
