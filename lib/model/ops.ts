/** The larger operations of a transformer, composed of small ones; gradients come from these. */

import { tf } from './tf.ts';

const SQRT_HALF = Math.SQRT1_2;

/**
 * Normalises the last axis with its biased variance, `(x - mean) / sqrt(variance + epsilon) * scale + offset`.
 * Shapes: `x` `[…, D]`, `scale` and `offset` `[D]`.
 */
export function layerNorm<T extends tf.Tensor>(
  x: T,
  scale: tf.Tensor,
  offset: tf.Tensor,
  epsilon: number,
): T {
  const centred = tf.sub(x, tf.mean(x, -1, true));
  const variance = tf.mean(tf.square(centred), -1, true);
  const normal = tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon)));
  return tf.add(tf.mul(normal, scale), offset);
}

/** Exact GELU, `x / 2 * (1 + erf(x / sqrt 2))`. */
export function gelu<T extends tf.Tensor>(x: T): T {
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, SQRT_HALF)), 1));
}

/** Attention, `softmax(q k^T * scale) v`. Shapes: all `[B, heads, N, D / heads]`. */
export function attention(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  scale: number,
): tf.Tensor4D {
  const scores = tf.matMul(tf.mul(q, scale), k, false, true); // [B, heads, N, N]
  return tf.matMul(tf.softmax(scores), v);
}

/** Mean over the batch of `sum of -target * log softmax(logits)`. Shapes: both `[B, classes]`; result scalar. */
export function crossEntropy(logits: tf.Tensor2D, targets: tf.Tensor2D): tf.Scalar {
  const perClip = tf.sum(tf.mul(targets, tf.logSoftmax(logits)), 1); // [B]
  return tf.neg(tf.mean(perClip));
}
