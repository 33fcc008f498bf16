/** Shape rules of kernels that work element by element or reduce. */

import type {
  BinaryName,
  CompareName,
  KernelAttributes,
  KernelName,
  ReductionName,
  TestName,
  UnaryName,
} from '../graph/kernels.ts';
import { binary, broadcast, comparing, reducing, testing, unary } from './shape-rules.ts';
import type { KernelRule } from './shape-rules.ts';

type Rules<K extends KernelName> = { readonly [Name in K]: KernelRule<KernelAttributes[Name]> };

/** Rules of this form. */
export const UNARY_RULES: Rules<UnaryName> = {
  Abs: unary,
  Acos: unary,
  Acosh: unary,
  Asin: unary,
  Asinh: unary,
  Atan: unary,
  Atanh: unary,
  Ceil: unary,
  Cos: unary,
  Cosh: unary,
  Elu: unary,
  Erf: unary,
  Exp: unary,
  Expm1: unary,
  Floor: unary,
  Identity: unary,
  Log: unary,
  Log1p: unary,
  Neg: unary,
  OnesLike: unary,
  Reciprocal: unary,
  Relu: unary,
  Relu6: unary,
  Round: unary,
  Rsqrt: unary,
  Selu: unary,
  Sigmoid: unary,
  Sign: unary,
  Sin: unary,
  Sinh: unary,
  Softplus: unary,
  Sqrt: unary,
  Square: unary,
  Tan: unary,
  Tanh: unary,
  ZerosLike: unary,
};

/** Rules of this form. */
export const TESTS_RULES: Rules<TestName> = {
  IsFinite: testing,
  IsInf: testing,
  IsNan: testing,
  LogicalNot: testing,
};

/** Rules of this form. */
export const BINARY_RULES: Rules<BinaryName> = {
  Add: binary,
  Atan2: binary,
  EluGrad: { ...binary, inputs: ['dy', 'y'] },
  FloorDiv: {
    ...binary,
    plan: (inputs) => ({ outputs: [{ shape: broadcast(inputs), dtype: 'int32' }], attributes: {} }),
  },
  Maximum: binary,
  Minimum: binary,
  Mod: binary,
  Multiply: binary,
  Pow: binary,
  Prelu: { ...binary, inputs: ['x', 'alpha'] },
  RealDiv: binary,
  SquaredDifference: binary,
  Sub: binary,
};

/** Rules of this form. */
export const COMPARE_RULES: Rules<CompareName> = {
  Equal: comparing,
  Greater: comparing,
  GreaterEqual: comparing,
  Less: comparing,
  LessEqual: comparing,
  LogicalAnd: comparing,
  LogicalOr: comparing,
  LogicalXor: comparing,
  NotEqual: comparing,
};

/** Rules of this form. */
export const REDUCTIONS_RULES: Rules<ReductionName> = {
  All: reducing('bool'),
  Any: reducing('bool'),
  Max: reducing(),
  Mean: reducing('float32'),
  Min: reducing(),
  Prod: reducing(),
  Sum: reducing(),
};
