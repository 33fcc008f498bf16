/**
 * AdamW: decay apart from the gradient, moments corrected for their start, epsilon outside the root.
 *
 * Source: Loshchilov and Hutter 2019, in PyTorch's order of operations.
 */

import { tf } from '../../model/index.ts';
import { take } from '../tensors.ts';
import type { NamedTensors } from '../tensors.ts';
import type { ParameterRules } from './parameter-groups.ts';

/** Constants of a run. */
export interface AdamwOptions {
  readonly beta1: number;
  readonly beta2: number;
  /** Default 1e-8. */
  readonly epsilon?: number;
}

/** Scalars of one step; made by {@link adamwScalars}. */
export interface AdamwScalars {
  readonly lr: tf.Tensor;
  readonly weightDecay: tf.Tensor;
  /** `1 / (1 - beta1^k)` and the same for the second moment; k counts steps from 1. */
  readonly correction1: tf.Tensor;
  readonly correction2: tf.Tensor;
}

/** Parameters and moments, all under the names of the parameters. */
export interface AdamwState {
  readonly parameters: NamedTensors;
  readonly first: NamedTensors;
  readonly second: NamedTensors;
}

/** Values of the scalars of a step, in double precision. `step` counts from 0. */
export function adamwScalars(
  step: number,
  { beta1, beta2 }: AdamwOptions,
): { readonly correction1: number; readonly correction2: number } {
  return {
    correction1: 1 / (1 - beta1 ** (step + 1)),
    correction2: 1 / (1 - beta2 ** (step + 1)),
  };
}

/** Does one step; a learning rate of 0 still moves the moments. */
export function adamwStep(
  state: AdamwState,
  gradients: NamedTensors,
  scalars: AdamwScalars,
  { rules, beta1, beta2, epsilon = 1e-8 }: AdamwOptions & { readonly rules: ParameterRules },
): AdamwState {
  const parameters: Record<string, tf.Tensor> = {};
  const first: Record<string, tf.Tensor> = {};
  const second: Record<string, tf.Tensor> = {};
  for (const [name, parameter] of Object.entries(state.parameters)) {
    const { lrScale = 1, decays = false } = rules[name] ?? {};
    const lr = lrScale === 1 ? scalars.lr : tf.mul(scalars.lr, lrScale);
    const gradient = take(gradients, name);
    const m = tf.add(tf.mul(take(state.first, name), beta1), tf.mul(gradient, 1 - beta1));
    const v = tf.add(
      tf.mul(take(state.second, name), beta2),
      tf.mul(tf.square(gradient), 1 - beta2),
    );
    const deviation = tf.add(tf.sqrt(tf.mul(v, scalars.correction2)), epsilon);
    const move = tf.div(tf.mul(m, tf.mul(lr, scalars.correction1)), deviation);
    const decayed = decays
      ? tf.mul(parameter, tf.sub(1, tf.mul(lr, scalars.weightDecay)))
      : parameter;
    parameters[name] = tf.sub(decayed, move);
    first[name] = m;
    second[name] = v;
  }
  return { parameters, first, second };
}
