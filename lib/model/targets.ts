/**
 * Targets of pre-training in tensor operations, for callers that have clips as the network sees them and no bytes. Batches of the
 * loader come with targets.
 *
 * Source: VideoMAE, engine_for_pretraining.py@14ef8d8: per tubelet and colour, unbiased variance, 1e-6 added to the deviation.
 */

import { tf } from '../ops/index.ts';

/** How the clips were normalised, and whether targets are. */
export interface TokenTargetOptions {
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
  /** Default true; else targets are pixels in 0 … 1. */
  readonly isNormalised?: boolean;
}

const EPSILON = 1e-6;

/**
 * Makes targets. Shapes: `tokens` float32 `[B, M, P]` of normalised pixels, colour fastest; result the same. In single precision a tubelet
 * of one colour gets an offset of some hundredths, as in the reference.
 */
export function tokenTargets(tokens: tf.Tensor3D, options: TokenTargetOptions): tf.Tensor3D {
  const [batch, count, length] = tokens.shape;
  const { mean, std, isNormalised = true } = options;
  const colours = tf.reshape(tokens, [batch, count, length / 3, 3]);
  const pixels = tf.add(tf.mul(colours, tf.tensor1d([...std])), tf.tensor1d([...mean])); // 0 … 1
  if (!isNormalised) return tf.reshape(pixels, [batch, count, length]);
  const centred = tf.sub(pixels, tf.mean(pixels, 2, true));
  const variance = tf.div(tf.sum(tf.square(centred), 2, true), length / 3 - 1);
  const normal = tf.div(centred, tf.add(tf.sqrt(variance), EPSILON));
  return tf.reshape(normal, [batch, count, length]);
}
