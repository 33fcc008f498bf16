/** Runs a function on both engines and compares what they give. */

import type { ExecutionContext } from 'ava';
import * as tf from '@tensorflow/tfjs';
import { compile } from '../../lib/engine/index.ts';
import type { TensorData, TensorDtype } from '../../lib/engine/index.ts';

/** A tensor as plain data. */
export interface Example {
  readonly shape: readonly number[];
  readonly dtype: TensorDtype;
  readonly data: TensorData;
}

/** Deterministic numbers from 0 to 1. Source: mulberry32, public domain. */
export function createRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  };
}

/** A float tensor with numbers of a range. */
export function floats(
  shape: readonly number[],
  random: () => number,
  [low, high] = [-2, 2],
): Example {
  const length = shape.reduce((a, b) => a * b, 1);
  const data = Float32Array.from({ length }, () => low + (high - low) * random());
  return { shape, dtype: 'float32', data };
}

/** An integer tensor with numbers from `low` up to but not `high`. */
export function integers(
  shape: readonly number[],
  random: () => number,
  [low, high] = [-4, 5],
): Example {
  const length = shape.reduce((a, b) => a * b, 1);
  const data = Int32Array.from({ length }, () => Math.floor(low + (high - low) * random()));
  return { shape, dtype: 'int32', data };
}

/** A tensor of bools. */
export function bools(shape: readonly number[], random: () => number): Example {
  const length = shape.reduce((a, b) => a * b, 1);
  return {
    shape,
    dtype: 'bool',
    data: Uint8Array.from({ length }, () => (random() < 0.5 ? 0 : 1)),
  };
}

/** Operands by position, tensors out. */
export type Operation = (...operands: tf.Tensor[]) => tf.Tensor | tf.Tensor[];

/** The operation's values. */
export function valuesOnly(operation: Operation) {
  return (named: Readonly<Record<string, tf.Tensor>>): Record<string, tf.Tensor> => {
    const values = [operation(...Object.values(named))].flat();
    return Object.fromEntries(values.map((value, index) => [`y${index}`, value]));
  };
}

/** The operation's values, and the gradients of a weighted sum of them for every float operand. */
export function withGradients(operation: Operation, operands: readonly Example[]) {
  return (named: Readonly<Record<string, tf.Tensor>>): Record<string, tf.Tensor> => {
    const all = operands.map((_, index) => named[`x${index}`]!);
    const values = [operation(...all)].flat();
    const outputs: Record<string, tf.Tensor> = {};
    for (const [index, value] of values.entries()) outputs[`y${index}`] = value;
    const wanted = operands.flatMap(({ dtype }, index) => (dtype === 'float32' ? [index] : []));
    if (wanted.length === 0 || values.some(({ dtype }) => dtype !== 'float32')) return outputs;
    const loss = (...floatOnes: tf.Tensor[]): tf.Scalar => {
      const given = all.map((one, index) => floatOnes[wanted.indexOf(index)] ?? one);
      const terms = [operation(...given)].flat().map((value, index) => weighted(value, index));
      return terms.reduce((a, b) => a.add(b)) as tf.Scalar;
    };
    const gradients = tf.grads(loss)(wanted.map((index) => all[index]!));
    for (const [at, gradient] of gradients.entries()) outputs[`g${wanted[at]!}`] = gradient;
    return outputs;
  };
}

/** A sum with different weights, so that no gradient hides behind another. */
function weighted(value: tf.Tensor, seed: number): tf.Tensor {
  const weights = Float32Array.from(
    { length: value.size },
    (_, at) => 0.5 + ((at * 7 + seed) % 11) / 11,
  );
  return value.mul(tf.tensor(weights, value.shape)).sum();
}

/** Compares both engines on a function of named tensors. Tolerance is relative to the largest value of an output. */
export async function compareEngines(
  t: ExecutionContext,
  fn: Parameters<typeof compile>[0],
  examples: Readonly<Record<string, Example>>,
  tolerance = 1e-5,
): Promise<void> {
  const inputs = Object.fromEntries(
    Object.entries(examples).map(([name, { data }]) => [name, data]),
  );
  await using traced = await compile(fn, { inputs: examples });
  await using eager = await compile(fn, { inputs: examples }, { engine: 'eager', backend: 'cpu' });
  const [got, wanted] = [await traced.run(inputs), await eager.run(inputs)];
  t.deepEqual(Object.keys(got).toSorted(), Object.keys(wanted).toSorted());
  for (const [name, expected] of Object.entries(wanted)) {
    const { error, at } = largestError(got[name]!, expected);
    t.true(
      error <= tolerance,
      `${name}[${at}]: ${String(got[name]![at])} instead of ${String(expected[at])} (error ${error})`,
    );
  }
}

/** The largest difference, relative to the largest finite magnitude of what was expected (at least 1e-3). */
export function largestError(
  got: ArrayLike<number>,
  wanted: ArrayLike<number>,
): { error: number; at: number } {
  if (got.length !== wanted.length) return { error: Infinity, at: 0 };
  let scale = 1e-3;
  for (let at = 0; at < wanted.length; at += 1) {
    if (Number.isFinite(wanted[at])) scale = Math.max(scale, Math.abs(wanted[at]!));
  }
  let worst = { error: 0, at: 0 };
  for (let at = 0; at < wanted.length; at += 1) {
    const isSame = Object.is(got[at], wanted[at]) || got[at] === wanted[at];
    const error = isSame ? 0 : Math.abs(got[at]! - wanted[at]!) / scale;
    if (!(error <= worst.error)) worst = { error: Number.isNaN(error) ? Infinity : error, at };
  }
  return worst;
}
