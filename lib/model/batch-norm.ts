/**
 * Normalisation over the batch, with running statistics as values that go in and come out.
 *
 * Source: Ioffe and Szegedy 2015, with PyTorch's conventions: the running variance takes the unbiased one of the batch.
 */

import { tf } from '../ops/index.ts';

/** Running statistics. Shapes: `[D]`. */
export interface RunningStats {
  readonly mean: tf.Tensor1D;
  readonly variance: tf.Tensor1D;
}

/** Epsilon and how fast the statistics follow. */
export interface BatchNormOptions {
  readonly epsilon: number;
  /** Part of a batch's statistics that goes into the running ones. */
  readonly momentum: number;
}

/** Normalises by the statistics of the batch. Shapes: `x` `[B, D]`, B ≥ 2; gives the new running statistics as well. */
export function normaliseBatch(
  x: tf.Tensor2D,
  running: RunningStats,
  { epsilon, momentum }: BatchNormOptions,
): { readonly normal: tf.Tensor2D; readonly running: RunningStats } {
  const batch = x.shape[0];
  const mean = tf.mean(x, 0);
  const centred = tf.sub(x, mean);
  const variance = tf.mean(tf.square(centred), 0);
  const follow = (old: tf.Tensor1D, own: tf.Tensor): tf.Tensor1D =>
    tf.add(tf.mul(old, 1 - momentum), tf.mul(own, momentum));
  return {
    normal: tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon))),
    running: {
      mean: follow(running.mean, mean),
      variance: follow(running.variance, tf.mul(variance, batch / (batch - 1))),
    },
  };
}

/** Normalises by running statistics. Shapes: `x` and result `[B, D]`. */
export function normaliseByRunning(
  x: tf.Tensor2D,
  { mean, variance }: RunningStats,
  epsilon: number,
): tf.Tensor2D {
  return tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, epsilon)));
}
