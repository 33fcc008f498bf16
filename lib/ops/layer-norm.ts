/** Normalisation of rows. Source: Ba, Kiros and Hinton 2016; the gradient is its closed form. */

import { checkNumber } from '../core/index.ts';
import { outputAt, runFused } from './run-fused.ts';
import { tf } from './tfjs.ts';

/**
 * Normalises the last axis with its biased variance: `(x - mean) / sqrt(variance + epsilon) * scale + offset`.
 * Shapes: `x` and result float32 `[…, D]`, `scale` and `offset` `[D]`.
 *
 * @throws {RangeError} if `epsilon` is not above 0
 */
export function layerNorm<T extends tf.Tensor>(
  x: T,
  scale: tf.Tensor,
  offset: tf.Tensor,
  epsilon: number,
): T {
  checkNumber('epsilon', epsilon, { min: Number.MIN_VALUE });
  const run = tf.customGrad((...args: unknown[]) => {
    const [own, ownScale, ownOffset, save] = args as [...Three, tf.GradSaveFunc];
    const inputs = { x: own, scale: ownScale, offset: ownOffset };
    const { value, mean, inverseDeviation } = normaliseRows(inputs, epsilon);
    save([own, ownScale, mean, inverseDeviation]);
    return { value, gradFunc: gradients };
  });
  return run(x, scale, offset) as T;
}

type Three = [tf.Tensor, tf.Tensor, tf.Tensor];

/** What normalisation takes. */
export interface NormInputs {
  readonly x: tf.Tensor;
  readonly scale: tf.Tensor;
  readonly offset: tf.Tensor;
}

/** Statistics of each row, `[…, 1]`. */
export interface NormStatistics {
  readonly mean: tf.Tensor;
  /** `1 / sqrt(variance + epsilon)`. */
  readonly inverseDeviation: tf.Tensor;
}

/** The value, on which no gradient is taken, with the statistics that a gradient needs. */
export function normaliseRows(
  inputs: NormInputs,
  epsilon: number,
): NormStatistics & { readonly value: tf.Tensor } {
  const outputs = runFused('LayerNorm', { ...inputs }, { epsilon }, () => forward(inputs, epsilon));
  const [value, mean, inverseDeviation] = [0, 1, 2].map((index) =>
    outputAt(outputs, index),
  ) as Three;
  return { value, mean, inverseDeviation };
}

/** The gradients of `x`, `scale` and `offset`, and the value again. */
export function normaliseAgain(
  inputs: NormInputs & NormStatistics & { readonly dy: tf.Tensor },
): tf.Tensor[] {
  return runFused('LayerNormAgain', { ...inputs }, {}, () => {
    const { x, scale, offset, mean, inverseDeviation } = inputs;
    const normal = tf.mul(tf.sub(x, mean), inverseDeviation);
    return [...backward(inputs), tf.add(tf.mul(normal, scale), offset)];
  });
}

interface GradInputs extends Omit<NormInputs, 'offset'>, NormStatistics {
  readonly dy: tf.Tensor;
}

function gradients(dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor[] {
  const known: GradInputs = {
    dy,
    x: outputAt(saved, 0),
    scale: outputAt(saved, 1),
    mean: outputAt(saved, 2),
    inverseDeviation: outputAt(saved, 3),
  };
  return runFused('LayerNormGrad', { ...known }, {}, () => backward(known));
}

function forward({ x, scale, offset }: NormInputs, epsilon: number): tf.Tensor[] {
  const mean = tf.mean(x, -1, true);
  const centred = tf.sub(x, mean);
  const variance = tf.mean(tf.square(centred), -1, true);
  const inverseDeviation = tf.rsqrt(tf.add(variance, epsilon));
  const normal = tf.mul(centred, inverseDeviation);
  return [tf.add(tf.mul(normal, scale), offset), mean, inverseDeviation];
}

function backward({ dy, x, scale, mean, inverseDeviation }: GradInputs): tf.Tensor[] {
  const rows = x.shape.slice(0, -1).map((_, axis) => axis);
  const normal = tf.mul(tf.sub(x, mean), inverseDeviation);
  const product = tf.mul(dy, normal);
  const scaled = tf.mul(dy, scale);
  const along = tf.mean(tf.mul(product, scale), -1, true);
  const level = tf.mean(scaled, -1, true);
  const inner = tf.sub(scaled, tf.add(tf.mul(normal, along), level));
  return [tf.mul(inner, inverseDeviation), tf.sum(product, rows), tf.sum(dy, rows)];
}
