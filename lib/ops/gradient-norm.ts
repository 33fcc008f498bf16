/** Length of gradients and its limit. */

import { checkNumber } from '../core/index.ts';
import { tf } from './tfjs.ts';

/** Added to the length before dividing, as in PyTorch's `clip_grad_norm_`. */
const EPSILON = 1e-6;

/** Euclidean length of all tensors together, as if they were one vector: a scalar. */
export function globalNorm(tensors: readonly tf.Tensor[]): tf.Scalar {
  if (tensors.length === 0) throw new RangeError('"tensors" must not be empty.');
  const squares = tensors.map((one): tf.Scalar => tf.sum(tf.square(one)));
  return tf.sqrt(squares.length === 1 ? (squares[0] as tf.Scalar) : tf.addN(squares));
}

/**
 * Shortens tensors that together are longer than `limit`, by `limit / (length + 1e-6)`; shorter ones stay as they are.
 *
 * @throws {RangeError} if `limit` is not above 0
 */
export function clipByGlobalNorm(
  tensors: readonly tf.Tensor[],
  limit: number,
): { readonly clipped: tf.Tensor[]; readonly norm: tf.Scalar } {
  checkNumber('limit', limit, { min: Number.MIN_VALUE });
  const norm = globalNorm(tensors);
  const factor = tf.minimum(tf.div(limit, tf.add(norm, EPSILON)), 1);
  return { clipped: tensors.map((one) => tf.mul(one, factor)), norm };
}
