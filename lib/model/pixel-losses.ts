/**
 * How far a prediction is from its target: `mse`, the choice of VideoMAE; `l1` and `smooth-l1` as in its ablation.
 *
 * Differs: the paper does not say where smooth L1 turns from a square into a line; it is at 1, as PyTorch has it.
 */

import { tf } from '../ops/index.ts';

/** Names of the losses. */
export type PixelLoss = 'mse' | 'l1' | 'smooth-l1';

/** Mean over all values of a difference of any shape. */
export const PIXEL_LOSSES: Readonly<Record<PixelLoss, (difference: tf.Tensor) => tf.Scalar>> =
  Object.freeze({
    mse: (difference) => tf.mean(tf.square(difference)),
    l1: (difference) => tf.mean(tf.abs(difference)),
    'smooth-l1': (difference) => {
      const size = tf.abs(difference);
      const inside = tf.minimum(size, 1);
      return tf.mean(tf.add(tf.mul(tf.square(inside), 0.5), tf.sub(size, inside)));
    },
  });

/** The names of all losses. */
export const PIXEL_LOSS_NAMES: readonly PixelLoss[] = Object.keys(PIXEL_LOSSES) as PixelLoss[];
