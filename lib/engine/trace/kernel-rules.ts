/** The shape rule of every kernel. */

import type { Dtype, TensorForm } from '../graph/graph.ts';
import { countElements } from '../graph/graph.ts';
import type { KernelAttributes, KernelName } from '../graph/kernels.ts';
import { tf } from '../../ops/index.ts';
import {
  BINARY_RULES,
  COMPARE_RULES,
  REDUCTIONS_RULES,
  TESTS_RULES,
  UNARY_RULES,
} from './elementwise-rules.ts';
import {
  at,
  broadcast,
  first,
  numbers,
  resolveAxes,
  resolveAxis,
  resolveShape,
  rule,
  unary,
} from './shape-rules.ts';
import type { KernelRule } from './shape-rules.ts';

type Rules = { readonly [Name in KernelName]: KernelRule<KernelAttributes[Name]> };

/** Every kernel's rule; a missing one does not compile. */
export const KERNEL_RULES: Rules = {
  ...UNARY_RULES,
  ...TESTS_RULES,
  ...BINARY_RULES,
  ...COMPARE_RULES,
  ...REDUCTIONS_RULES,
  AddN: rule('list', (inputs) => ({ outputs: [first(inputs)], attributes: {} })),
  ArgMax: argument(),
  ArgMin: argument(),
  BatchMatMul: rule(['a', 'b'], (inputs, { transposeA, transposeB }) => {
    const attributes = { transposeA: transposeA === true, transposeB: transposeB === true };
    return { outputs: [productForm(inputs, attributes)], attributes };
  }),
  BroadcastTo: rule(['x'], (inputs, attributes) => {
    const shape = numbers(attributes['shape']);
    return { outputs: [{ shape, dtype: first(inputs).dtype }], attributes: { shape } };
  }),
  Cast: rule(['x'], (inputs, attributes) => {
    const dtype = dtypeOf(attributes['dtype']);
    return { outputs: [{ shape: first(inputs).shape, dtype }], attributes: { dtype } };
  }),
  ClipByValue: rule(['x'], (inputs, { clipValueMin, clipValueMax }) => ({
    outputs: [first(inputs)],
    attributes: { clipValueMin: Number(clipValueMin), clipValueMax: Number(clipValueMax) },
  })),
  Concat: rule('list', (inputs, attributes) => {
    const { shape, dtype } = first(inputs);
    const axis = resolveAxis(attributes['axis'], shape);
    const total = inputs.reduce((sum, input) => sum + (input.shape[axis] ?? 0), 0);
    return { outputs: [{ shape: shape.with(axis, total), dtype }], attributes: { axis } };
  }),
  Cumprod: scanning(),
  Cumsum: scanning(),
  Fill: rule([], (_, attributes) => {
    const shape = numbers(attributes['shape']);
    const value = Number(attributes['value']);
    const dtype = dtypeOf(attributes['dtype'] ?? 'float32');
    return { outputs: [{ shape, dtype }], attributes: { shape, value, dtype } };
  }),
  GatherNd: rule(['params', 'indices'], (inputs) => {
    const [params, indices] = [at(inputs, 0), at(inputs, 1)];
    const depth = indices.shape.at(-1) ?? 0;
    const shape = [...indices.shape.slice(0, -1), ...params.shape.slice(depth)];
    return { outputs: [{ shape, dtype: params.dtype }], attributes: {} };
  }),
  GatherV2: rule(['x', 'indices'], (inputs, { axis, batchDims }) => {
    const [x, indices] = [at(inputs, 0), at(inputs, 1)];
    const along = resolveAxis(axis, x.shape);
    const batch = Number(batchDims ?? 0);
    const shape = [
      ...x.shape.slice(0, along),
      ...indices.shape.slice(batch),
      ...x.shape.slice(along + 1),
    ];
    const attributes = { axis: along, batchDims: batch };
    return { outputs: [{ shape, dtype: x.dtype }], attributes };
  }),
  LeakyRelu: rule(['x'], (inputs, { alpha }) => ({
    outputs: [first(inputs)],
    attributes: { alpha: Number(alpha) },
  })),
  LogSoftmax: { ...unary, inputs: ['logits'] },
  MirrorPad: rule(['x'], (inputs, attributes) => {
    const paddings = pairs(attributes['paddings']);
    const mode = attributes['mode'] === 'reflect' ? 'reflect' : 'symmetric';
    return { outputs: [padded(first(inputs), paddings)], attributes: { paddings, mode } };
  }),
  OneHot: rule(['indices'], (inputs, { depth, onValue, offValue, dtype }) => {
    const attributes = {
      depth: Number(depth),
      onValue: Number(onValue ?? 1),
      offValue: Number(offValue ?? 0),
      dtype: dtypeOf(dtype ?? 'int32'),
    };
    const shape = [...first(inputs).shape, attributes.depth];
    return { outputs: [{ shape, dtype: attributes.dtype }], attributes };
  }),
  Pack: rule('list', (inputs, attributes) => {
    const { shape, dtype } = first(inputs);
    const axis = resolveAxis(attributes['axis'], [...shape, 1]);
    return {
      outputs: [{ shape: shape.toSpliced(axis, 0, inputs.length), dtype }],
      attributes: { axis },
    };
  }),
  PadV2: rule(['x'], (inputs, attributes) => {
    const paddings = pairs(attributes['paddings']);
    const constantValue = Number(attributes['constantValue'] ?? 0);
    return { outputs: [padded(first(inputs), paddings)], attributes: { paddings, constantValue } };
  }),
  Reshape: rule(['x'], (inputs, attributes) => {
    const x = first(inputs);
    const shape = resolveShape(attributes['shape'], countElements(x.shape));
    return { outputs: [{ shape, dtype: x.dtype }], attributes: { shape } };
  }),
  Reverse: rule(['x'], (inputs, { dims }) => ({
    outputs: [first(inputs)],
    attributes: { dims: resolveAxes(dims, first(inputs).shape) },
  })),
  ScatterNd: rule(['indices', 'updates'], (inputs, attributes) => {
    const shape = numbers(attributes['shape']);
    return { outputs: [{ shape, dtype: at(inputs, 1).dtype }], attributes: { shape } };
  }),
  Select: rule(['condition', 't', 'e'], (inputs) => ({
    outputs: [{ shape: broadcast(inputs), dtype: at(inputs, 1).dtype }],
    attributes: {},
  })),
  Slice: rule(['x'], (inputs, attributes) => {
    const x = first(inputs);
    const begin = x.shape.map((_, axis) => numbers(attributes['begin'])[axis] ?? 0);
    const size = x.shape.map((length, axis) => {
      const wanted = numbers(attributes['size'])[axis] ?? -1;
      return wanted < 0 ? length - (begin[axis] ?? 0) : wanted;
    });
    return { outputs: [{ shape: size, dtype: x.dtype }], attributes: { begin, size } };
  }),
  Softmax: { ...unary, inputs: ['logits'] },
  SplitV: rule(['x'], (inputs, attributes) => {
    const { shape, dtype } = first(inputs);
    const axis = resolveAxis(attributes['axis'], shape);
    const sizes = splitSizes(attributes['numOrSizeSplits'], shape[axis] ?? 0);
    return {
      outputs: sizes.map((size) => ({ shape: shape.with(axis, size), dtype })),
      attributes: { numOrSizeSplits: sizes, axis },
    };
  }),
  Step: rule(['x'], (inputs, { alpha }) => ({
    outputs: [first(inputs)],
    attributes: { alpha: Number(alpha ?? 0) },
  })),
  Tile: rule(['x'], (inputs, attributes) => {
    const { shape, dtype } = first(inputs);
    const reps = numbers(attributes['reps']);
    return {
      outputs: [{ shape: shape.map((size, axis) => size * (reps[axis] ?? 1)), dtype }],
      attributes: { reps },
    };
  }),
  TopK: rule(['x'], (inputs, { k, sorted }) => {
    const { shape, dtype } = first(inputs);
    const top = shape.with(shape.length - 1, Number(k));
    return {
      outputs: [
        { shape: top, dtype },
        { shape: top, dtype: 'int32' },
      ],
      attributes: { k: Number(k), sorted: sorted !== false },
    };
  }),
  Transpose: rule(['x'], (inputs, attributes) => {
    const { shape, dtype } = first(inputs);
    const perm = numbers(attributes['perm']);
    return {
      outputs: [{ shape: perm.map((axis) => shape[axis] ?? 1), dtype }],
      attributes: { perm },
    };
  }),
  Unpack: rule(['value'], (inputs, attributes) => {
    const { shape, dtype } = first(inputs);
    const axis = resolveAxis(attributes['axis'], shape);
    const rest = shape.toSpliced(axis, 1);
    return {
      outputs: Array.from({ length: shape[axis] ?? 0 }, () => ({ shape: rest, dtype })),
      attributes: { axis },
    };
  }),
  UnsortedSegmentSum: rule(['x', 'segmentIds'], (inputs, attributes) => {
    const x = first(inputs);
    const numSegments = Number(attributes['numSegments']);
    const shape = [numSegments, ...x.shape.slice(at(inputs, 1).shape.length)];
    return { outputs: [{ shape, dtype: x.dtype }], attributes: { numSegments } };
  }),
  _FusedMatMul: rule(['a', 'b', 'bias'], (inputs, { transposeA, transposeB }) => {
    const attributes = { transposeA: transposeA === true, transposeB: transposeB === true };
    return { outputs: [productForm(inputs, attributes)], attributes };
  }),
};

/** True for a name that has a rule. */
export function isKernelName(name: string): name is KernelName {
  return Object.hasOwn(KERNEL_RULES, name);
}

function argument(): KernelRule<{ readonly axis: number }> {
  return rule(['x'], (inputs, attributes) => {
    const { shape } = first(inputs);
    const axis = resolveAxis(attributes['axis'], shape);
    return { outputs: [{ shape: shape.toSpliced(axis, 1), dtype: 'int32' }], attributes: { axis } };
  });
}

function scanning(): KernelRule<KernelAttributes['Cumsum']> {
  return rule(['x'], (inputs, { axis, exclusive, reverse }) => ({
    outputs: [first(inputs)],
    attributes: {
      axis: resolveAxis(axis, first(inputs).shape),
      exclusive: exclusive === true,
      reverse: reverse === true,
    },
  }));
}

function productForm(
  inputs: readonly TensorForm[],
  { transposeA, transposeB }: KernelAttributes['BatchMatMul'],
): TensorForm {
  const [a, b] = [at(inputs, 0), at(inputs, 1)];
  const rows = a.shape.at(transposeA ? -1 : -2) ?? 1;
  const columns = b.shape.at(transposeB ? -2 : -1) ?? 1;
  const batch = tf.backend_util.assertAndGetBroadcastShape(
    a.shape.slice(0, -2),
    b.shape.slice(0, -2),
  );
  return { shape: [...batch, rows, columns], dtype: a.dtype };
}

function padded({ shape, dtype }: TensorForm, paddings: number[][]): TensorForm {
  const sizes = shape.map((size, axis) => {
    const [before = 0, after = 0] = paddings[axis] ?? [];
    return size + before + after;
  });
  return { shape: sizes, dtype };
}

function pairs(paddings: unknown): number[][] {
  return (paddings as number[][]).map((pair) => numbers(pair));
}

function splitSizes(wanted: unknown, length: number): number[] {
  if (typeof wanted === 'number') {
    return Array.from({ length: wanted }, () => length / wanted);
  }
  const sizes = numbers(wanted);
  const known = sizes.filter((size) => size !== -1).reduce((a, b) => a + b, 0);
  return sizes.map((size) => (size === -1 ? length - known : size));
}

/** A dtype that a graph can hold. */
function dtypeOf(dtype: unknown): Dtype {
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return dtype;
  throw new RangeError(`"dtype" must be float32, int32 or bool (got "${String(dtype)}").`);
}
