/**
 * AdamW: decay apart from the gradient, moments corrected for their start, epsilon outside the root.
 *
 * Source: Loshchilov and Hutter 2019, in PyTorch's order of operations.
 */

import { adamwUpdate, tf } from '../../ops/index.ts';
import type { AdamwStepScalars } from '../../ops/index.ts';
import { take } from '../tensors.ts';
import type { NamedTensors } from '../tensors.ts';
import type { ParameterRule, ParameterRules } from './parameter-groups.ts';

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
  const scalarsOf = stepScalars(scalars);
  for (const [name, parameter] of Object.entries(state.parameters)) {
    const next = adamwUpdate(
      {
        parameter,
        gradient: take(gradients, name),
        first: take(state.first, name),
        second: take(state.second, name),
      },
      scalarsOf(rules[name]),
      { beta1, beta2, epsilon },
    );
    parameters[name] = next.parameter;
    first[name] = next.first;
    second[name] = next.second;
  }
  return { parameters, first, second };
}

/** Scalars of a parameter, which it shares with all that have the same rule. */
function stepScalars({
  lr,
  weightDecay,
  correction1,
  correction2,
}: AdamwScalars): (rule?: ParameterRule) => AdamwStepScalars {
  const known = new Map<string, AdamwStepScalars>();
  return ({ lrScale, decays } = { lrScale: 1, decays: false, layer: -1 }) => {
    const key = `${lrScale} ${decays}`;
    const own = tf.mul(lr, lrScale);
    const made = known.get(key) ?? {
      rate: tf.mul(own, correction1),
      keep: decays ? tf.sub(1, tf.mul(own, weightDecay)) : tf.onesLike(lr),
      correction: correction2,
    };
    known.set(key, made);
    return made;
  };
}
