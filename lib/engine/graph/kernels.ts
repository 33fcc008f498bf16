/**
 * The vocabulary: every tfjs kernel that a graph may hold, with its attributes. Rules of the engine are total maps over it,
 * so a kernel that lacks its shape rule or its lowering does not compile.
 */

import type { Dtype } from './graph.ts';

/** No attributes. */
export type None = Readonly<Record<string, never>>;

interface Reduction {
  /** Reduced axes, ascending. */
  readonly axis: readonly number[];
  readonly keepDims: boolean;
}
interface Axis {
  readonly axis: number;
}
interface Scan extends Axis {
  readonly exclusive: boolean;
  readonly reverse: boolean;
}

/** Kernels with one input whose output has the same shape and dtype. */
export type UnaryName =
  | 'Abs'
  | 'Acos'
  | 'Acosh'
  | 'Asin'
  | 'Asinh'
  | 'Atan'
  | 'Atanh'
  | 'Ceil'
  | 'Cos'
  | 'Cosh'
  | 'Elu'
  | 'Erf'
  | 'Exp'
  | 'Expm1'
  | 'Floor'
  | 'Identity'
  | 'Log'
  | 'Log1p'
  | 'Neg'
  | 'OnesLike'
  | 'Reciprocal'
  | 'Relu'
  | 'Relu6'
  | 'Round'
  | 'Rsqrt'
  | 'Selu'
  | 'Sigmoid'
  | 'Sign'
  | 'Sin'
  | 'Sinh'
  | 'Softplus'
  | 'Sqrt'
  | 'Square'
  | 'Tan'
  | 'Tanh'
  | 'ZerosLike';

/** Kernels with one float input and a bool output of the same shape. */
export type TestName = 'IsFinite' | 'IsInf' | 'IsNan' | 'LogicalNot';

/** Kernels with two inputs that are broadcast against each other. */
export type BinaryName =
  | 'Add'
  | 'Atan2'
  | 'EluGrad'
  | 'FloorDiv'
  | 'Maximum'
  | 'Minimum'
  | 'Mod'
  | 'Multiply'
  | 'Pow'
  | 'Prelu'
  | 'RealDiv'
  | 'SquaredDifference'
  | 'Sub';

/** Kernels with two broadcast inputs and a bool output. */
export type CompareName =
  | 'Equal'
  | 'Greater'
  | 'GreaterEqual'
  | 'Less'
  | 'LessEqual'
  | 'LogicalAnd'
  | 'LogicalOr'
  | 'LogicalXor'
  | 'NotEqual';

/** Kernels that reduce axes. */
export type ReductionName = 'All' | 'Any' | 'Max' | 'Mean' | 'Min' | 'Prod' | 'Sum';

/** Attributes by kernel, in tfjs' own form with everything resolved. */
export interface KernelAttributes
  extends
    Record<UnaryName | TestName | BinaryName | CompareName, None>,
    Record<ReductionName, Reduction> {
  AddN: None;
  ArgMax: Axis;
  ArgMin: Axis;
  BatchMatMul: { readonly transposeA: boolean; readonly transposeB: boolean };
  BroadcastTo: { readonly shape: readonly number[] };
  Cast: { readonly dtype: Dtype };
  ClipByValue: { readonly clipValueMin: number; readonly clipValueMax: number };
  Concat: Axis;
  Cumprod: Scan;
  Cumsum: Scan;
  Fill: { readonly shape: readonly number[]; readonly value: number; readonly dtype: Dtype };
  GatherNd: None;
  GatherV2: { readonly axis: number; readonly batchDims: number };
  LeakyRelu: { readonly alpha: number };
  LogSoftmax: None;
  MirrorPad: {
    readonly paddings: readonly (readonly number[])[];
    readonly mode: 'reflect' | 'symmetric';
  };
  OneHot: {
    readonly depth: number;
    readonly onValue: number;
    readonly offValue: number;
    readonly dtype: Dtype;
  };
  Pack: Axis;
  PadV2: { readonly paddings: readonly (readonly number[])[]; readonly constantValue: number };
  Reshape: { readonly shape: readonly number[] };
  Reverse: { readonly dims: readonly number[] };
  ScatterNd: { readonly shape: readonly number[] };
  Select: None;
  Slice: { readonly begin: readonly number[]; readonly size: readonly number[] };
  Softmax: None;
  SplitV: { readonly numOrSizeSplits: readonly number[]; readonly axis: number };
  Step: { readonly alpha: number };
  Tile: { readonly reps: readonly number[] };
  TopK: { readonly k: number; readonly sorted: boolean };
  Transpose: { readonly perm: readonly number[] };
  Unpack: Axis;
  UnsortedSegmentSum: { readonly numSegments: number };
  /** A product of two matrices with a row added; made by a pass. */
  _FusedMatMul: KernelAttributes['BatchMatMul'];
}

/** Name of a kernel, as in tfjs. */
export type KernelName = keyof KernelAttributes;
