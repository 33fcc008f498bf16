/** Shapes and dtypes of what a kernel gives, and its attributes with everything resolved. Source: tfjs' cpu kernels. */

import type { Attributes, Dtype, TensorForm } from '../graph/graph.ts';
import { countElements } from '../graph/graph.ts';
import { tf } from '../../ops/index.ts';

/** What tfjs passes: attributes of unknown form. */
export type RawAttributes = Readonly<Record<string, unknown>>;

/** What a kernel call becomes: its outputs and its resolved attributes. */
export interface Plan<A> {
  readonly outputs: readonly TensorForm[];
  readonly attributes: A;
}

/** The rule of one kernel. */
export interface KernelRule<A> {
  /** Names of the inputs in order, as tfjs calls them; `list` for kernels that take a list of tensors. */
  readonly inputs: readonly string[] | 'list';
  readonly plan: (inputs: readonly TensorForm[], attributes: RawAttributes) => Plan<A>;
}

const NONE: Readonly<Record<string, never>> = {};

/** One input, same shape and dtype out. */
export const unary: KernelRule<typeof NONE> = {
  inputs: ['x'],
  plan: (inputs) => ({ outputs: [first(inputs)], attributes: NONE }),
};

/** One input, bools of the same shape out. */
export const testing: KernelRule<typeof NONE> = {
  inputs: ['x'],
  plan: (inputs) => ({
    outputs: [{ shape: first(inputs).shape, dtype: 'bool' }],
    attributes: NONE,
  }),
};

/** Two inputs, broadcast. */
export const binary: KernelRule<typeof NONE> = {
  inputs: ['a', 'b'],
  plan: (inputs) => ({
    outputs: [{ shape: broadcast(inputs), dtype: first(inputs).dtype }],
    attributes: NONE,
  }),
};

/** Two inputs, broadcast, bools out. */
export const comparing: KernelRule<typeof NONE> = {
  inputs: ['a', 'b'],
  plan: (inputs) => ({
    outputs: [{ shape: broadcast(inputs), dtype: 'bool' }],
    attributes: NONE,
  }),
};

/** Axes reduced; `dtype` is that of the output where it differs from the input's. */
export function reducing(
  dtype?: Dtype,
): KernelRule<{ readonly axis: readonly number[]; readonly keepDims: boolean }> {
  return {
    inputs: ['x'],
    plan: (inputs, { axis, reductionIndices, keepDims }) => {
      const x = first(inputs);
      const axes = resolveAxes(reductionIndices ?? axis, x.shape);
      const shape = x.shape
        .map((size, index) => (axes.includes(index) ? 1 : size))
        .filter((_, index) => keepDims === true || !axes.includes(index));
      const outputs = [{ shape, dtype: dtype ?? x.dtype }];
      return { outputs, attributes: { axis: axes, keepDims: keepDims === true } };
    },
  };
}

/** A rule for given input names and a function of specs and attributes. */
export function rule<A extends Attributes>(
  inputs: readonly string[] | 'list',
  plan: (inputs: readonly TensorForm[], attributes: RawAttributes) => Plan<A>,
): KernelRule<A> {
  return { inputs, plan };
}

/** The first input, which must exist. */
export function first(inputs: readonly TensorForm[]): TensorForm {
  return at(inputs, 0);
}

/** The input at an index, which must exist. */
export function at(inputs: readonly TensorForm[], index: number): TensorForm {
  const spec = inputs[index];
  if (spec === undefined) throw new RangeError(`A kernel needs ${index + 1} inputs.`);
  return spec;
}

/** The shape of inputs broadcast against each other. */
export function broadcast(inputs: readonly TensorForm[]): number[] {
  return inputs
    .map(({ shape }) => [...shape])
    .reduce((a, b) => tf.backend_util.assertAndGetBroadcastShape(a, b));
}

/** Axes as a sorted list without negative ones; all of them if none is named. */
export function resolveAxes(axis: unknown, shape: readonly number[]): number[] {
  const wanted = axis === undefined || axis === null ? shape.map((_, index) => index) : axis;
  return tf.util.parseAxisParam(wanted as number | number[], [...shape]).toSorted((a, b) => a - b);
}

/** One axis, not negative. */
export function resolveAxis(axis: unknown, shape: readonly number[]): number {
  return resolveAxes(axis ?? 0, shape)[0] ?? 0;
}

/** A list of numbers from a number, a list or nothing. */
export function numbers(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  return Array.isArray(value) || ArrayBuffer.isView(value)
    ? Array.from(value as ArrayLike<number>)
    : [];
}

/** The shape with at most one -1 filled in. */
export function resolveShape(shape: unknown, elements: number): number[] {
  const wanted = numbers(shape);
  const known = countElements(wanted.filter((size) => size !== -1));
  return wanted.map((size) => (size === -1 ? elements / known : size));
}
