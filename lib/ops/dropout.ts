/**
 * Dropping numbers or whole branches at random. The random numbers are inputs: a traced program draws none, and the same numbers give
 * the same result everywhere. Source: Srivastava et al. 2014; drop path from Huang et al. 2016 (stochastic depth).
 */

import { checkNumber } from '../core/index.ts';
import { outputAt } from './run-fused.ts';
import { tf } from './tfjs.ts';

/**
 * Sets numbers to 0 with probability `rate` and divides the others by `1 - rate`.
 * Shapes: `draws` uniform in 0 … 1 (exclusive), of a shape that broadcasts to that of `x`.
 *
 * @throws {RangeError} if `rate` is not in 0 … 1 (exclusive)
 */
export function dropout<T extends tf.Tensor>(x: T, draws: tf.Tensor, rate: number): T {
  checkNumber('rate', rate, { min: 0, max: 1 - Number.EPSILON });
  if (rate === 0) return x;
  const run = tf.customGrad((...args: unknown[]) => {
    const [own, save] = args as [tf.Tensor, tf.GradSaveFunc];
    const kept = tf.mul(tf.cast(tf.greaterEqual(draws, rate), 'float32'), 1 / (1 - rate));
    save([kept]);
    return {
      value: tf.mul(own, kept),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.mul(dy, outputAt(saved, 0)),
    };
  });
  return run(x) as T;
}

/**
 * Drops whole samples: `draws` has one uniform number in 0 … 1 (exclusive) per sample.
 * Shapes: `x` and result `[B, …]`, `draws` `[B]`.
 *
 * @throws {RangeError} if `rate` is not in 0 … 1 (exclusive)
 */
export function dropPath<T extends tf.Tensor>(x: T, draws: tf.Tensor, rate: number): T {
  const perSample = x.shape.map((size, axis) => (axis === 0 ? size : 1));
  return dropout(x, tf.reshape(draws, perSample), rate);
}
