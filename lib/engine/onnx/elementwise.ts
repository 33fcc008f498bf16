/** ONNX for kernels that work element by element. */

import type {
  BinaryName,
  CompareName,
  KernelAttributes,
  TestName,
  UnaryName,
} from '../graph/kernels.ts';
import type { None } from '../graph/kernels.ts';
import type { Lowering, LoweringCall } from './lowering.ts';
import { input, inputSpec, outputSpec } from './lowering.ts';
import { int } from './model.ts';
import { ONNX_TYPES } from './model.ts';

type Lowerings<K extends keyof KernelAttributes> = {
  readonly [Name in K]: Lowering<KernelAttributes[Name]>;
};

/** One ONNX operator that does the same. */
export function same(opType: string): Lowering<None> {
  return ({ onnx, inputs }) => [onnx.op(opType, inputs)];
}

/** Makes the value a float if it is an integer, and back after. */
function inFloat(body: (call: LoweringCall<None>, x: string) => string): Lowering<None> {
  return (call) => {
    const { onnx } = call;
    const { dtype } = inputSpec(call, 0);
    if (dtype === 'float32') return [body(call, input(call, 0))];
    const x = onnx.op('Cast', [input(call, 0)], { to: int(ONNX_TYPES.float32) });
    const out = outputSpec(call).dtype;
    const y = body(call, x);
    return [out === 'bool' ? y : onnx.op('Cast', [y], { to: int(ONNX_TYPES[out]) })];
  };
}

function viaFloat(opType: string): Lowering<None> {
  return inFloat(({ onnx }, x) => onnx.op(opType, [x]));
}

/** A constant of the output's shape that is not stored in full. */
function filled(value: number): Lowering<None> {
  return (call) => [fill(call, value)];
}

/** A number in the shape of the first output. */
export function fill({ onnx, ...call }: LoweringCall<unknown>, value: number): string {
  const { shape, dtype } = outputSpec(call);
  const scalar = onnx.scalar(value, dtype);
  return shape.length === 0 ? scalar : onnx.op('Expand', [scalar, onnx.shape(shape)]);
}

/** Kernels with one input. */
export const UNARY_LOWERINGS: Lowerings<UnaryName> = {
  Abs: same('Abs'),
  Acos: viaFloat('Acos'),
  Acosh: viaFloat('Acosh'),
  Asin: viaFloat('Asin'),
  Asinh: viaFloat('Asinh'),
  Atan: viaFloat('Atan'),
  Atanh: viaFloat('Atanh'),
  Ceil: viaFloat('Ceil'),
  Cos: viaFloat('Cos'),
  Cosh: viaFloat('Cosh'),
  Elu: viaFloat('Elu'),
  Erf: viaFloat('Erf'),
  Exp: viaFloat('Exp'),
  Expm1: inFloat(expm1),
  Floor: viaFloat('Floor'),
  Identity: same('Identity'),
  Log: viaFloat('Log'),
  Log1p: inFloat(log1p),
  Neg: same('Neg'),
  OnesLike: filled(1),
  Reciprocal: viaFloat('Reciprocal'),
  Relu: same('Relu'),
  Relu6: ({ onnx, inputs: [x = ''], inputSpecs: [spec] }) => {
    const dtype = spec?.dtype ?? 'float32';
    return [onnx.op('Clip', [x, onnx.scalar(0, dtype), onnx.scalar(6, dtype)])];
  },
  Round: viaFloat('Round'),
  Rsqrt: inFloat(({ onnx }, x) => onnx.op('Reciprocal', [onnx.op('Sqrt', [x])])),
  Selu: viaFloat('Selu'),
  Sigmoid: viaFloat('Sigmoid'),
  Sign: same('Sign'),
  Sin: viaFloat('Sin'),
  Sinh: viaFloat('Sinh'),
  Softplus: viaFloat('Softplus'),
  Sqrt: viaFloat('Sqrt'),
  Square: ({ onnx, inputs: [x = ''] }) => [onnx.op('Mul', [x, x])],
  Tan: viaFloat('Tan'),
  Tanh: viaFloat('Tanh'),
  ZerosLike: filled(0),
};

/** Kernels that ask something of each element. */
export const TEST_LOWERINGS: Lowerings<TestName> = {
  IsFinite: inFloat(({ onnx }, x) =>
    onnx.op('Not', [onnx.op('Or', [onnx.op('IsNaN', [x]), onnx.op('IsInf', [x])])]),
  ),
  IsInf: viaFloat('IsInf'),
  IsNan: viaFloat('IsNaN'),
  LogicalNot: same('Not'),
};

/** Kernels with two inputs. */
export const BINARY_LOWERINGS: Lowerings<BinaryName> = {
  Add: same('Add'),
  Atan2: atan2,
  EluGrad: ({ onnx, inputs: [dy = '', y = ''] }) => {
    const isPositive = onnx.op('GreaterOrEqual', [y, onnx.scalar(0, 'float32')]);
    const below = onnx.op('Mul', [dy, onnx.op('Add', [y, onnx.scalar(1, 'float32')])]);
    return [onnx.op('Where', [isPositive, dy, below])];
  },
  FloorDiv: (call) => {
    const { onnx } = call;
    const to = int(ONNX_TYPES.float32);
    const [a, b] = [0, 1].map((index) =>
      inputSpec(call, index).dtype === 'float32'
        ? input(call, index)
        : onnx.op('Cast', [input(call, index)], { to }),
    );
    const quotient = onnx.op('Floor', [onnx.op('Div', [a ?? '', b ?? ''])]);
    return [onnx.op('Cast', [quotient], { to: int(ONNX_TYPES.int32) })];
  },
  Maximum: same('Max'),
  Minimum: same('Min'),
  Mod: floorMod,
  Multiply: same('Mul'),
  Pow: same('Pow'),
  Prelu: same('PRelu'),
  RealDiv: (call) => {
    const { onnx } = call;
    if (inputSpec(call, 0).dtype === 'float32') return [onnx.op('Div', call.inputs)];
    const to = int(ONNX_TYPES.float32);
    const floats = call.inputs.map((one) => onnx.op('Cast', [one], { to }));
    return [onnx.op('Div', floats)];
  },
  SquaredDifference: ({ onnx, inputs }) => {
    const difference = onnx.op('Sub', inputs);
    return [onnx.op('Mul', [difference, difference])];
  },
  Sub: same('Sub'),
};

/** Comparisons and logic. */
export const COMPARE_LOWERINGS: Lowerings<CompareName> = {
  Equal: same('Equal'),
  Greater: inOrder('Greater'),
  GreaterEqual: inOrder('GreaterOrEqual'),
  Less: inOrder('Less'),
  LessEqual: inOrder('LessOrEqual'),
  LogicalAnd: same('And'),
  LogicalOr: same('Or'),
  LogicalXor: same('Xor'),
  NotEqual: ({ onnx, inputs }) => [onnx.op('Not', [onnx.op('Equal', inputs)])],
};

/** ONNX does not order bools; tfjs does. */
function inOrder(opType: string): Lowering<None> {
  return (call) => {
    const { onnx, inputs, inputSpecs } = call;
    const ordered = inputs.map((name, index) =>
      inputSpecs[index]?.dtype === 'bool'
        ? onnx.op('Cast', [name], { to: int(ONNX_TYPES.int32) })
        : name,
    );
    return [onnx.op(opType, ordered)];
  };
}

/**
 * exp(x) - 1 without the loss near 0: with u = exp(x), (u - 1) * x / log(u) there, plainly u - 1 elsewhere.
 * Source: W. Kahan's formula, as in N. Higham, Accuracy and Stability of Numerical Algorithms, 1.14.1.
 */
function expm1({ onnx }: LoweringCall<None>, x: string): string {
  const one = onnx.scalar(1, 'float32');
  const u = onnx.op('Exp', [x]);
  const difference = onnx.op('Sub', [u, one]);
  const near = onnx.op('Div', [onnx.op('Mul', [difference, x]), onnx.op('Log', [u])]);
  const isTiny = onnx.op('Equal', [u, one]);
  const isNear = onnx.op('Less', [onnx.op('Abs', [x]), onnx.scalar(0.5, 'float32')]);
  const elsewhere = onnx.op('Where', [isNear, near, difference]);
  return onnx.op('Where', [isTiny, x, elsewhere]);
}

/** log(1 + x) without the loss near 0, by the same idea: with u = 1 + x, x * log(u) / (u - 1). */
function log1p({ onnx }: LoweringCall<None>, x: string): string {
  const one = onnx.scalar(1, 'float32');
  const u = onnx.op('Add', [one, x]);
  const log = onnx.op('Log', [u]);
  const near = onnx.op('Div', [onnx.op('Mul', [x, log]), onnx.op('Sub', [u, one])]);
  const isTiny = onnx.op('Equal', [u, one]);
  const isNear = onnx.op('Less', [onnx.op('Abs', [x]), onnx.scalar(0.5, 'float32')]);
  return onnx.op('Where', [isTiny, x, onnx.op('Where', [isNear, near, log])]);
}

/** a - floor(a / b) * b, the sign of b. */
function floorMod(call: LoweringCall<None>): string[] {
  const { onnx, inputs } = call;
  if (inputSpec(call, 0).dtype === 'int32') return [onnx.op('Mod', inputs)];
  const rest = onnx.op('Mod', inputs, { fmod: int(1) });
  const zero = onnx.scalar(0, 'float32');
  const sign = onnx.op('Mul', [rest, input(call, 1)]);
  const isOther = onnx.op('Less', [sign, zero]);
  return [onnx.op('Where', [isOther, onnx.op('Add', [rest, input(call, 1)]), rest])];
}

/** The angle of (b, a), from the arc tangent of the quotient and the signs of both. */
function atan2(call: LoweringCall<None>): string[] {
  const { onnx } = call;
  const [y, x] = [input(call, 0), input(call, 1)];
  const zero = onnx.scalar(0, 'float32');
  const isNegative = (value: string): string => onnx.op('Less', [value, zero]);
  const half = onnx.op('Atan', [onnx.op('Div', [y, x])]);
  const pi = onnx.scalar(Math.PI, 'float32');
  const turn = onnx.op('Where', [isNegative(y), onnx.op('Neg', [pi]), pi]);
  const turned = onnx.op('Where', [isNegative(x), onnx.op('Add', [half, turn]), half]);
  const isOrigin = onnx.op('And', [onnx.op('Equal', [x, zero]), onnx.op('Equal', [y, zero])]);
  return [onnx.op('Where', [isOrigin, zero, turned])];
}
