/** ONNX for reductions, scans and what belongs to them. */

import { countElements } from '../graph/graph.ts';
import type { KernelAttributes, ReductionName } from '../graph/kernels.ts';
import type { Lowering, LoweringCall } from './lowering.ts';
import { input, inputSpec, outputSpec } from './lowering.ts';
import { ONNX_TYPES, int } from './model.ts';
import type { OnnxBuilder } from './model.ts';

type Reduction = KernelAttributes['Sum'];

/** Kernels that reduce axes. */
export const REDUCTION_LOWERINGS: { readonly [Name in ReductionName]: Lowering<Reduction> } = {
  All: (call) => [toBool(call, reduce(call, 'ReduceMin', toInt(call)))],
  Any: (call) => [toBool(call, reduce(call, 'ReduceMax', toInt(call)))],
  Max: (call) => [reduce(call, 'ReduceMax', input(call, 0))],
  Mean: (call) => {
    const { onnx } = call;
    const isFloat = inputSpec(call, 0).dtype === 'float32';
    const to = int(ONNX_TYPES.float32);
    const x = isFloat ? input(call, 0) : onnx.op('Cast', [input(call, 0)], { to });
    return [reduce(call, 'ReduceMean', x)];
  },
  Min: (call) => [reduce(call, 'ReduceMin', input(call, 0))],
  Prod: (call) => [reduce(call, 'ReduceProd', input(call, 0))],
  Sum: (call) => [overRows(call) ?? reduce(call, 'ReduceSum', input(call, 0))],
};

/** From so many rows on, a product with ones is the faster sum over them on the cpu. */
const MANY_ROWS = 32;

/** A row of ones. Shape: `[1, length]`. */
export function onesRow(onnx: OnnxBuilder, length: number): string {
  return onnx.op('Expand', [onnx.scalar(1, 'float32'), onnx.shape([1, length])]);
}

/** A sum over all leading axes, as a product with ones; nothing for other sums. */
function overRows(call: LoweringCall<Reduction>): string | undefined {
  const { onnx, attributes } = call;
  const { shape, dtype } = inputSpec(call, 0);
  const { length } = attributes.axis;
  const isLeading = length < shape.length && attributes.axis.every((axis, at) => axis === at);
  const [numRows, width] = [shape.slice(0, length), shape.slice(length)].map(countElements) as Two;
  if (!onnx.hasContrib || dtype !== 'float32' || !isLeading || numRows < MANY_ROWS || width === 0)
    return undefined;
  const rows = onnx.op('Reshape', [input(call, 0), onnx.shape([numRows, width])]);
  const sum = onnx.op('MatMul', [onesRow(onnx, numRows), rows]);
  return onnx.op('Reshape', [sum, onnx.shape(outputSpec(call).shape)]);
}

type Two = [number, number];

/** The place of the largest or smallest element. */
export function lowerArgument(opType: 'ArgMax' | 'ArgMin'): Lowering<{ readonly axis: number }> {
  return (call) => {
    const { onnx, attributes } = call;
    const place = onnx.op(opType, [input(call, 0)], {
      axis: int(attributes.axis),
      keepdims: int(0),
    });
    return [onnx.op('Cast', [place], { to: int(ONNX_TYPES.int32) })];
  };
}

/** Running sums. */
export const lowerCumsum: Lowering<KernelAttributes['Cumsum']> = (call) => {
  const { onnx, attributes } = call;
  const axis = onnx.tensor(Int32Array.of(attributes.axis), []);
  return [
    onnx.op('CumSum', [input(call, 0), axis], {
      exclusive: int(attributes.exclusive ? 1 : 0),
      reverse: int(attributes.reverse ? 1 : 0),
    }),
  ];
};

function reduce(call: LoweringCall<Reduction>, opType: string, x: string): string {
  const { onnx, attributes } = call;
  if (attributes.axis.length === 0) {
    return onnx.op('Reshape', [x, onnx.shape(outputSpec(call).shape)]);
  }
  return onnx.op(opType, [x, onnx.shape(attributes.axis)], {
    keepdims: int(attributes.keepDims ? 1 : 0),
  });
}

function toInt(call: LoweringCall<Reduction>): string {
  return call.onnx.op('Cast', [input(call, 0)], { to: int(ONNX_TYPES.int32) });
}

function toBool(call: LoweringCall<Reduction>, x: string): string {
  return call.onnx.op('Cast', [x], { to: int(ONNX_TYPES.bool) });
}

/** Running products, which ONNX lacks: one multiplication per place of the axis. */
export const lowerCumprod: Lowering<KernelAttributes['Cumprod']> = (call) => {
  const { onnx, attributes } = call;
  const { axis, exclusive, reverse } = attributes;
  const { shape, dtype } = inputSpec(call, 0);
  const length = shape[axis] ?? 1;
  const order = Array.from({ length }, (_, index) => (reverse ? length - 1 - index : index));
  const axes = onnx.shape([axis]);
  const one = onnx.op('Expand', [onnx.scalar(1, dtype), onnx.shape(shape.with(axis, 1))]);
  const parts: string[] = [];
  let product = one;
  for (const place of order) {
    const ends = [onnx.shape([place]), onnx.shape([place + 1])];
    const next = onnx.op('Mul', [product, onnx.op('Slice', [input(call, 0), ...ends, axes])]);
    parts.push(exclusive ? product : next);
    product = next;
  }
  return [onnx.op('Concat', reverse ? parts.toReversed() : parts, { axis: int(axis) })];
};
