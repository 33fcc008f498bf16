/** The ONNX form of every kernel: a total map, so a kernel without one does not compile. */

import type { KernelAttributes, KernelName } from '../graph/kernels.ts';
import {
  lowerConcat,
  lowerGather,
  lowerGatherNd,
  lowerMirrorPad,
  lowerOneHot,
  lowerPack,
  lowerPad,
  lowerReshape,
  lowerReverse,
  lowerScatter,
  lowerSegmentSum,
  lowerSlice,
  lowerSplit,
  lowerTopK,
  lowerTranspose,
  lowerUnpack,
} from './arrangement.ts';
import {
  BINARY_LOWERINGS,
  COMPARE_LOWERINGS,
  TEST_LOWERINGS,
  UNARY_LOWERINGS,
  fill,
  same,
} from './elementwise.ts';
import type { Lowering } from './lowering.ts';
import { input, inputSpec, outputSpec } from './lowering.ts';
import { ONNX_TYPES, float, int } from './model.ts';
import { lowerProduct } from './products.ts';
import { REDUCTION_LOWERINGS, lowerArgument, lowerCumprod, lowerCumsum } from './reductions.ts';

/** Every kernel's lowering. */
export const KERNEL_LOWERINGS: {
  readonly [Name in KernelName]: Lowering<KernelAttributes[Name]>;
} = {
  ...UNARY_LOWERINGS,
  ...TEST_LOWERINGS,
  ...BINARY_LOWERINGS,
  ...COMPARE_LOWERINGS,
  ...REDUCTION_LOWERINGS,
  AddN: ({ onnx, inputs }) => [
    inputs.reduce((sum, one) => (sum === '' ? one : onnx.op('Add', [sum, one])), ''),
  ],
  ArgMax: lowerArgument('ArgMax'),
  ArgMin: lowerArgument('ArgMin'),
  BatchMatMul: lowerProduct,
  BroadcastTo: ({ onnx, inputs: [x = ''], attributes }) => [
    onnx.op('Expand', [x, onnx.shape(attributes.shape)]),
  ],
  Cast: (call) => [
    call.onnx.op('Cast', [input(call, 0)], { to: int(ONNX_TYPES[call.attributes.dtype]) }),
  ],
  ClipByValue: (call) => {
    const { dtype } = inputSpec(call, 0);
    const { clipValueMin, clipValueMax } = call.attributes;
    const bounds = [clipValueMin, clipValueMax].map((bound) => call.onnx.scalar(bound, dtype));
    return [call.onnx.op('Clip', [input(call, 0), ...bounds])];
  },
  Concat: lowerConcat,
  Cumprod: lowerCumprod,
  Cumsum: lowerCumsum,
  Fill: (call) => [fill(call, call.attributes.value)],
  GatherNd: lowerGatherNd,
  GatherV2: lowerGather,
  LeakyRelu: ({ onnx, inputs, attributes }) => [
    onnx.op('LeakyRelu', inputs, { alpha: float(attributes.alpha) }),
  ],
  LogSoftmax: ({ onnx, inputs }) => [onnx.op('LogSoftmax', inputs, { axis: int(-1) })],
  MirrorPad: lowerMirrorPad,
  OneHot: lowerOneHot,
  Pack: lowerPack,
  PadV2: lowerPad,
  Reshape: lowerReshape,
  Reverse: lowerReverse,
  ScatterNd: lowerScatter,
  Select: same('Where'),
  Slice: lowerSlice,
  Softmax: ({ onnx, inputs }) => [onnx.op('Softmax', inputs, { axis: int(-1) })],
  SplitV: lowerSplit,
  Step: (call) => {
    const { onnx, attributes } = call;
    const x = input(call, 0);
    const { dtype } = outputSpec(call);
    const isAbove = onnx.op('Greater', [x, onnx.scalar(0, inputSpec(call, 0).dtype)]);
    const step = onnx.op('Where', [
      isAbove,
      onnx.scalar(1, dtype),
      onnx.scalar(attributes.alpha, dtype),
    ]);
    return [dtype === 'float32' ? onnx.op('Where', [onnx.op('IsNaN', [x]), x, step]) : step];
  },
  Tile: ({ onnx, inputs: [x = ''], attributes }) => [
    attributes.reps.length === 0
      ? onnx.op('Identity', [x])
      : onnx.op('Tile', [x, onnx.shape(attributes.reps)]),
  ],
  TopK: lowerTopK,
  Transpose: lowerTranspose,
  Unpack: lowerUnpack,
  UnsortedSegmentSum: lowerSegmentSum,
  _FusedMatMul: ({ onnx, inputs, attributes }) => [
    onnx.op('Gemm', inputs, {
      transA: int(attributes.transposeA ? 1 : 0),
      transB: int(attributes.transposeB ? 1 : 0),
    }),
  ],
};
