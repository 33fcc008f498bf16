/** Products with weights. */

import { checkInteger } from '../core/index.ts';
import { tf } from './tfjs.ts';

/** `x Wᵀ + b` on the last axis. Shapes: `x` `[…, in]`, `weight` `[out, in]`, `bias` `[out]` or none, result `[…, out]`. */
export function linear(x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor | null): tf.Tensor {
  const [outputs = 1, inputs = 1] = weight.shape;
  const rows = tf.reshape(x, [-1, inputs]); // one product instead of one per clip
  const product = tf.matMul(rows, weight, false, true);
  const result = bias === null ? product : tf.add(product, bias);
  return tf.reshape(result, [...x.shape.slice(0, -1), outputs]);
}

/**
 * Cuts a clip into tubelets. Shapes: `clip` `[B, T, H, W, C]`, result `[B, N, P]`: tokens by time, row, column; values by frame, row, column,
 * colour.
 *
 * @throws {RangeError} if a tubelet does not divide the clip
 */
export function clipTubelets(
  clip: tf.Tensor5D,
  tubelet: readonly [numFrames: number, rows: number, columns: number],
): tf.Tensor3D {
  const [batch, frames, height, width, colours] = clip.shape;
  const [t, p, q] = tubelet;
  const sizes = { T: [frames, t], H: [height, p], W: [width, q] } as const;
  for (const [axis, [size, part]] of Object.entries(sizes)) {
    checkInteger('tubelet', part, { min: 1 });
    if (size % part !== 0)
      throw new RangeError(`"tubelet" must divide axis ${axis}, ${size} (got ${part}).`);
  }
  const [slots, rows, columns] = [frames / t, height / p, width / q];
  const cut = tf.reshape(clip, [batch, slots, t, rows, p, columns, q * colours]);
  const ordered = tf.transpose(cut, [0, 1, 3, 5, 2, 4, 6]);
  return tf.reshape(ordered, [batch, slots * rows * columns, t * p * q * colours]);
}

/**
 * Embeds tubelets: what a convolution with kernel and stride of one tubelet gives at their places, as one product.
 * Shapes: `tubelets` `[B, M, P]` with values by frame, row, column, colour; `kernel` `[D, C, t, p, q]`; `bias` `[D]`; result `[B, M, D]`.
 */
export function embedTubelets(
  tubelets: tf.Tensor3D,
  kernel: tf.Tensor5D,
  bias: tf.Tensor,
): tf.Tensor3D {
  const [width] = kernel.shape;
  const weight = tf.reshape(tf.transpose(kernel, [0, 2, 3, 4, 1]), [width, tubelets.shape[2]]);
  return linear(tubelets, weight, bias) as tf.Tensor3D;
}
