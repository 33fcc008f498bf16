/** ONNX for kernels that move, choose and join elements. */

import type { KernelAttributes } from '../graph/kernels.ts';
import type { Lowering, LoweringCall } from './lowering.ts';
import { input, inputSpec, outputSpec } from './lowering.ts';
import { ONNX_TYPES, int, ints, text } from './model.ts';

/** The same elements in another shape. */
export const lowerReshape: Lowering<KernelAttributes['Reshape']> = (call) => [
  call.onnx.op('Reshape', [input(call, 0), call.onnx.shape(outputSpec(call).shape)], {
    allowzero: int(1),
  }),
];

/** A box of elements. */
export const lowerSlice: Lowering<KernelAttributes['Slice']> = ({ onnx, ...call }) => {
  const { begin, size } = call.attributes;
  const { shape } = inputSpec(call, 0);
  const axes = shape.map((_, axis) => axis).filter((axis) => size[axis] !== shape[axis]);
  if (axes.length === 0) return [onnx.op('Identity', [input(call, 0)])];
  const starts = axes.map((axis) => begin[axis] ?? 0);
  const ends = axes.map((axis) => (begin[axis] ?? 0) + (size[axis] ?? 0));
  return [
    onnx.op('Slice', [input(call, 0), onnx.shape(starts), onnx.shape(ends), onnx.shape(axes)]),
  ];
};

/** Elements in reverse order along axes. */
export const lowerReverse: Lowering<KernelAttributes['Reverse']> = ({ onnx, ...call }) => {
  const { dims } = call.attributes;
  if (dims.length === 0) return [onnx.op('Identity', [input(call, 0)])];
  const starts = dims.map(() => -1);
  const ends = dims.map(() => -(2 ** 31));
  const inputs = [starts, ends, dims, starts].map((list) => onnx.shape(list));
  return [onnx.op('Slice', [input(call, 0), ...inputs])];
};

/** Pieces along an axis. */
export const lowerSplit: Lowering<KernelAttributes['SplitV']> = ({ onnx, ...call }) => {
  const { numOrSizeSplits: sizes, axis } = call.attributes;
  if (sizes.length === 1) return [onnx.op('Identity', [input(call, 0)])];
  return onnx.ops('Split', [input(call, 0), onnx.shape(sizes)], {
    outputs: sizes.length,
    attributes: { axis: int(axis) },
  });
};

/** Tensors one after the other along an axis. */
export const lowerConcat: Lowering<KernelAttributes['Concat']> = ({ onnx, ...call }) => [
  call.inputs.length === 1
    ? onnx.op('Identity', [input(call, 0)])
    : onnx.op('Concat', call.inputs, { axis: int(call.attributes.axis) }),
];

/** Tensors along a new axis. */
export const lowerPack: Lowering<KernelAttributes['Pack']> = ({ onnx, ...call }) => {
  const { axis } = call.attributes;
  const axes = onnx.shape([axis]);
  const parts = call.inputs.map((name) => onnx.op('Unsqueeze', [name, axes]));
  const [only = ''] = parts;
  return [parts.length === 1 ? only : onnx.op('Concat', parts, { axis: int(axis) })];
};

/** Tensors of an axis, which goes away. */
export const lowerUnpack: Lowering<KernelAttributes['Unpack']> = ({ onnx, ...call }) => {
  const { axis } = call.attributes;
  const count = inputSpec(call, 0).shape[axis] ?? 1;
  const axes = onnx.shape([axis]);
  if (count === 1) return [onnx.op('Squeeze', [input(call, 0), axes])];
  const sizes = onnx.shape(Array.from({ length: count }, () => 1));
  return onnx
    .ops('Split', [input(call, 0), sizes], { outputs: count, attributes: { axis: int(axis) } })
    .map((part) => onnx.op('Squeeze', [part, axes]));
};

/** A border of one number. */
export const lowerPad: Lowering<KernelAttributes['PadV2']> = ({ onnx, ...call }) => {
  const { paddings, constantValue } = call.attributes;
  const { dtype } = inputSpec(call, 0);
  if (paddings.length === 0) return [onnx.op('Identity', [input(call, 0)])];
  const pads = onnx.shape(padsOf(paddings));
  return [onnx.op('Pad', [input(call, 0), pads, onnx.scalar(constantValue, dtype)])];
};

/** A border of mirrored elements; `symmetric` repeats the edge, `reflect` does not. */
export const lowerMirrorPad: Lowering<KernelAttributes['MirrorPad']> = ({ onnx, ...call }) => {
  const { paddings, mode } = call.attributes;
  if (mode === 'reflect') {
    return [
      onnx.op('Pad', [input(call, 0), onnx.shape(padsOf(paddings))], { mode: text('reflect') }),
    ];
  }
  const { shape } = inputSpec(call, 0);
  let name = input(call, 0);
  for (const [axis, size] of shape.entries()) {
    const [before = 0, after = 0] = paddings[axis] ?? [];
    if (before === 0 && after === 0) continue;
    const order = [
      ...Array.from({ length: before }, (_, index) => before - 1 - index),
      ...Array.from({ length: size }, (_, index) => index),
      ...Array.from({ length: after }, (_, index) => size - 1 - index),
    ];
    name = onnx.op('Gather', [name, onnx.shape(order)], { axis: int(axis) });
  }
  return [name];
};

/** Slices chosen by index. */
export const lowerGather: Lowering<KernelAttributes['GatherV2']> = ({ onnx, ...call }) => {
  const { axis, batchDims } = call.attributes;
  if (batchDims === 0) return [onnx.op('Gather', call.inputs, { axis: int(axis) })];
  return [gatherInBatch({ onnx, ...call })];
};

/** Batched choice along the axis: indices are spread over what follows it, then `GatherElements` picks. */
function gatherInBatch({ onnx, ...call }: LoweringCall<KernelAttributes['GatherV2']>): string {
  const { axis, batchDims } = call.attributes;
  const [x, indices] = [inputSpec(call, 0), inputSpec(call, 1)];
  const chosen = indices.shape.slice(batchDims);
  const count = chosen.reduce((product, size) => product * size, 1);
  const middle = x.shape.slice(batchDims, axis);
  const after = x.shape.slice(axis + 1);
  const batch = x.shape.slice(0, batchDims);
  const narrow = [...batch, ...middle.map(() => 1), count, ...after.map(() => 1)];
  const wide = [...batch, ...middle, count, ...after];
  const flat = onnx.op('Reshape', [input(call, 1), onnx.shape(narrow)]);
  const spread = onnx.op('Expand', [flat, onnx.shape(wide)]);
  const picked = onnx.op('GatherElements', [input(call, 0), spread], { axis: int(axis) });
  return onnx.op('Reshape', [picked, onnx.shape(outputSpec(call).shape)]);
}

/** One number where the index is, another elsewhere. */
export const lowerOneHot: Lowering<KernelAttributes['OneHot']> = ({ onnx, ...call }) => {
  const { depth, onValue, offValue, dtype } = call.attributes;
  const places = onnx.tensor(
    Int32Array.from({ length: depth }, (_, index) => index),
    [depth],
  );
  const { shape } = inputSpec(call, 0);
  const spread = onnx.op('Unsqueeze', [input(call, 0), onnx.shape([shape.length])]);
  const isHere = onnx.op('Equal', [spread, places]);
  return [onnx.op('Where', [isHere, onnx.scalar(onValue, dtype), onnx.scalar(offValue, dtype)])];
};

/** Axes in another order. */
export const lowerTranspose: Lowering<KernelAttributes['Transpose']> = ({ onnx, ...call }) => [
  onnx.op('Transpose', [input(call, 0)], { perm: ints(call.attributes.perm) }),
];

/** Sums of rows with the same index; rows with an index out of range are left out. */
export const lowerSegmentSum: Lowering<KernelAttributes['UnsortedSegmentSum']> = ({
  onnx,
  ...call
}) => {
  const { shape, dtype } = outputSpec(call);
  const ids = inputSpec(call, 1).shape;
  const index = onnx.op('Cast', [input(call, 1)], { to: int(ONNX_TYPES.int64) });
  const column = onnx.op('Reshape', [index, onnx.shape([...ids, 1])]);
  const zeros = onnx.op('Expand', [onnx.scalar(0, dtype), onnx.shape(shape)]);
  return [onnx.op('ScatterND', [zeros, column, input(call, 0)], { reduction: text('add') })];
};

/** Sums of updates at places of a tensor of zeros. */
export const lowerScatter: Lowering<KernelAttributes['ScatterNd']> = ({ onnx, ...call }) => {
  const { shape, dtype } = outputSpec(call);
  const index = onnx.op('Cast', [input(call, 0)], { to: int(ONNX_TYPES.int64) });
  const zeros = onnx.op('Expand', [onnx.scalar(0, dtype), onnx.shape(shape)]);
  return [onnx.op('ScatterND', [zeros, index, input(call, 1)], { reduction: text('add') })];
};

/** Elements chosen by whole coordinates. */
export const lowerGatherNd: Lowering<KernelAttributes['GatherNd']> = ({ onnx, ...call }) => {
  const index = onnx.op('Cast', [input(call, 1)], { to: int(ONNX_TYPES.int64) });
  return [onnx.op('GatherND', [input(call, 0), index])];
};

/** The largest elements of the last axis and their places. */
export const lowerTopK: Lowering<KernelAttributes['TopK']> = ({ onnx, ...call }) => {
  const { k, sorted } = call.attributes;
  const [values = '', places = ''] = onnx.ops('TopK', [input(call, 0), onnx.shape([k])], {
    outputs: 2,
    attributes: { axis: int(-1), sorted: int(sorted ? 1 : 0) },
  });
  return [values, onnx.op('Cast', [places], { to: int(ONNX_TYPES.int32) })];
};

function padsOf(paddings: readonly (readonly number[])[]): number[] {
  return [...paddings.map(([before = 0]) => before), ...paddings.map(([, after = 0]) => after)];
}
