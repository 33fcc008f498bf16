/** One update of AdamW. Source: Loshchilov and Hutter 2019, with PyTorch's order of operations. */

import { outputAt, runFused } from './run-fused.ts';
import { tf } from './tfjs.ts';

/** A parameter, its gradient and its moments, all of one shape. */
export interface AdamwTensors {
  readonly parameter: tf.Tensor;
  readonly gradient: tf.Tensor;
  readonly first: tf.Tensor;
  readonly second: tf.Tensor;
}

/** Scalars of a step, as tensors so that a program need not be compiled again. */
export interface AdamwStepScalars {
  /** Learning rate divided by `1 - beta1^k`; k counts steps from 1. */
  readonly rate: tf.Tensor;
  /** `1 - learning rate · weight decay`. */
  readonly keep: tf.Tensor;
  /** `1 / (1 - beta2^k)`. */
  readonly correction: tf.Tensor;
}

/** Constants of a run. */
export interface AdamwConstants {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/** What comes next. */
export type AdamwNext = Omit<AdamwTensors, 'gradient'>;

/**
 * Moves a parameter: `m ← β₁ m + (1 - β₁) g`, `v ← β₂ v + (1 - β₂) g²`, `p ← keep · p - rate · m / (√(correction · v) + ε)`.
 */
export function adamwUpdate(
  tensors: AdamwTensors,
  scalars: AdamwStepScalars,
  { beta1, beta2, epsilon }: AdamwConstants,
): AdamwNext {
  const { parameter, gradient, first, second } = tensors;
  const inputs = { parameter, gradient, first, second, ...scalars };
  const outputs = runFused('AdamW', inputs, { beta1, beta2, epsilon }, () => {
    const m = tf.add(tf.mul(first, beta1), tf.mul(gradient, 1 - beta1));
    const v = tf.add(tf.mul(second, beta2), tf.mul(tf.square(gradient), 1 - beta2));
    const deviation = tf.add(tf.sqrt(tf.mul(v, scalars.correction)), epsilon);
    const move = tf.mul(tf.div(m, deviation), scalars.rate);
    return [tf.sub(tf.mul(parameter, scalars.keep), move), m, v];
  });
  const [next, m, v] = [0, 1, 2].map((index) => outputAt(outputs, index)) as Three;
  return { parameter: next, first: m, second: v };
}

type Three = [tf.Tensor, tf.Tensor, tf.Tensor];
