/**
 * Products with weights of what takes less time to compute again than memory to keep: only the input of the first step, and the
 * statistics of its rows, are kept for the gradient.
 *
 * Source: Chen et al. 2016, Training Deep Nets with Sublinear Memory Cost, for single operations.
 */

import { checkNumber } from '../core/index.ts';
import { geluAgain, geluValue } from './gelu.ts';
import { normaliseAgain, normaliseRows } from './layer-norm.ts';
import { linear } from './linear.ts';
import { outputAt } from './run-fused.ts';
import { tf } from './tfjs.ts';

/** A layer's parameters. Shapes: `weight` `[out, in]`, `bias` `[out]`. */
export interface LinearParameters {
  readonly weight: tf.Tensor;
  readonly bias: tf.Tensor;
}

/** Parameters of a normalisation, `[in]` each. */
export interface NormParameters {
  readonly scale: tf.Tensor;
  readonly offset: tf.Tensor;
  readonly epsilon: number;
}

/** `gelu(x) Wᵀ + b` on the last axis. Shapes: `x` `[…, in]`, result `[…, out]`. */
export function geluLinear(x: tf.Tensor, { weight, bias }: LinearParameters): tf.Tensor {
  const run = tf.customGrad((...args: unknown[]) => {
    const [own, ownWeight, ownBias, save] = args as [...Repeated<3>, tf.GradSaveFunc];
    save([own, ownWeight]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor[] => {
      const [savedX, savedWeight] = saved as Repeated<2>;
      const [gradient, value] = geluAgain(dy, savedWeight as tf.Tensor2D, savedX) as Repeated<2>;
      return [gradient, ...parameterGradients(dy, value)];
    };
    return { value: linear(geluValue(own), ownWeight, ownBias), gradFunc };
  });
  return run(x, weight, bias);
}

/**
 * `layerNorm(x) Wᵀ + b` on the last axis. Shapes: `x` `[…, in]`, result `[…, out]`.
 *
 * @throws {RangeError} if `epsilon` is not above 0
 */
export function normLinear(
  x: tf.Tensor,
  { scale, offset, epsilon }: NormParameters,
  { weight, bias }: LinearParameters,
): tf.Tensor {
  checkNumber('epsilon', epsilon, { min: Number.MIN_VALUE });
  const run = tf.customGrad((...args: unknown[]) => {
    const [own, ownScale, ownOffset, ownWeight, ownBias, save] = args as [
      ...Repeated<5>,
      tf.GradSaveFunc,
    ];
    const inputs = { x: own, scale: ownScale, offset: ownOffset };
    const { value, mean, inverseDeviation } = normaliseRows(inputs, epsilon);
    save([own, ownScale, ownOffset, mean, inverseDeviation, ownWeight]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor[] => {
      const [savedX, savedScale, savedOffset, savedMean, savedDeviation, savedWeight] =
        saved as Repeated<6>;
      const gradients = normaliseAgain({
        dy: backThrough(dy, savedWeight, savedX.shape),
        x: savedX,
        scale: savedScale,
        offset: savedOffset,
        mean: savedMean,
        inverseDeviation: savedDeviation,
      });
      return [...gradients.slice(0, 3), ...parameterGradients(dy, outputAt(gradients, 3))];
    };
    return { value: linear(value, ownWeight, ownBias), gradFunc };
  });
  return run(x, scale, offset, weight, bias);
}

type Repeated<N extends number, List extends tf.Tensor[] = []> = List['length'] extends N
  ? List
  : Repeated<N, [...List, tf.Tensor]>;

/** The gradient of what a layer took, `[…, in]`. */
function backThrough(dy: tf.Tensor, weight: tf.Tensor, shape: number[]): tf.Tensor {
  return tf.reshape(tf.matMul(rowsOf(dy), weight as tf.Tensor2D), shape);
}

/** The gradients of a layer's weight and bias. */
function parameterGradients(dy: tf.Tensor, x: tf.Tensor): tf.Tensor[] {
  const rows = rowsOf(dy);
  return [tf.matMul(rows, rowsOf(x), true), tf.sum(rows, 0)];
}

function rowsOf(x: tf.Tensor): tf.Tensor2D {
  return tf.reshape(x, [-1, x.shape.at(-1) ?? 1]);
}
