/** The exact Gaussian error linear unit. Source: Hendrycks and Gimpel 2016; not their approximation by tanh. */

import { outputAt, runFused } from './run-fused.ts';
import { tf } from './tfjs.ts';

/** `x Φ(x) = x / 2 * (1 + erf(x / √2))`, element by element. */
export function gelu<T extends tf.Tensor>(x: T): T {
  const run = tf.customGrad((...args: unknown[]) => {
    const [own, save] = args as [tf.Tensor, tf.GradSaveFunc];
    save([own]);
    return { value: geluValue(own), gradFunc: gradient };
  });
  return run(x) as T;
}

/** The value, on which no gradient is taken. */
export function geluValue(x: tf.Tensor): tf.Tensor {
  return outputAt(
    runFused('Gelu', { x }, {}, () => [tf.mul(x, below(x))]),
    0,
  );
}

/** The gradient of `x` in `gelu(x) weightᵀ`, and `gelu(x)` again. Shapes: `dy` `[…, out]`, `weight` `[out, in]`, `x` `[…, in]`. */
export function geluAgain(dy: tf.Tensor, weight: tf.Tensor2D, x: tf.Tensor): tf.Tensor[] {
  return runFused('GeluAgain', { dy, weight, x }, {}, () => {
    const [outputs] = weight.shape;
    const back = tf.matMul(tf.reshape<tf.Rank.R2>(dy, [-1, outputs]), weight);
    return [tf.mul(tf.reshape(back, x.shape), slope(x)), tf.mul(x, below(x))];
  });
}

function gradient(dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor {
  const x = outputAt(saved, 0);
  const outputs = runFused('GeluGrad', { dy, x }, {}, () => [tf.mul(dy, slope(x))]);
  return outputAt(outputs, 0);
}

/** Φ, the part of a normal distribution below x. */
function below(x: tf.Tensor): tf.Tensor {
  return tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5);
}

/** Φ(x) + x φ(x). */
function slope(x: tf.Tensor): tf.Tensor {
  const density = tf.exp(tf.mul(tf.square(x), -0.5));
  return tf.add(below(x), tf.mul(tf.mul(x, density), 1 / Math.sqrt(2 * Math.PI)));
}
