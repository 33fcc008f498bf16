/** Loss of a classifier. Source: label smoothing from Szegedy et al. 2016. */

import { checkNumber } from '../core/index.ts';
import { outputAt } from './run-fused.ts';
import { tf } from './tfjs.ts';

/** How to compare. */
export interface CrossEntropyOptions {
  /** Part of each target that is spread evenly over all classes, 0 … 1; 0 by default. */
  readonly smoothing?: number;
}

/**
 * Mean over the batch of `-Σ target · log softmax(logits)`; targets are probabilities, so mixed labels work.
 * Shapes: `logits` and `targets` float32 `[B, classes]`, result scalar.
 *
 * @throws {RangeError} if the shapes differ or `smoothing` is out of bounds
 */
export function crossEntropy(
  logits: tf.Tensor2D,
  targets: tf.Tensor2D,
  { smoothing = 0 }: CrossEntropyOptions = {},
): tf.Scalar {
  checkNumber('smoothing', smoothing, { min: 0, max: 1 });
  const [batch, classes] = logits.shape;
  if (targets.shape[0] !== batch || targets.shape[1] !== classes) {
    throw new RangeError(
      `"targets" must have the shape of the logits, [${logits.shape.join()}] (got [${targets.shape.join()}]).`,
    );
  }
  const run = tf.customGrad((...args: unknown[]) => {
    const [own, ownTargets, save] = args as [tf.Tensor2D, tf.Tensor2D, tf.GradSaveFunc];
    const smooth =
      smoothing === 0 ? ownTargets : tf.add(tf.mul(ownTargets, 1 - smoothing), smoothing / classes);
    const logs = tf.logSoftmax(own);
    save([logs, smooth]);
    const value = tf.mul(tf.sum(tf.mul(smooth, logs)), -1 / batch);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor[] => {
      const [savedLogs, target] = [outputAt(saved, 0), outputAt(saved, 1)];
      const weight = tf.mul(dy, 1 / batch);
      const total = tf.sum(target, 1, true); // [B, 1]: 1 for probabilities
      return [
        tf.mul(tf.sub(tf.mul(tf.exp(savedLogs), total), target), weight),
        tf.mul(savedLogs, tf.mul(weight, smoothing - 1)),
      ];
    };
    return { value, gradFunc };
  });
  return run(logits, targets) as tf.Scalar;
}
