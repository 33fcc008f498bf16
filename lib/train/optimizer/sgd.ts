/**
 * Gradient descent with momentum, for probes: plain, or LARS, which gives every matrix a learning rate in proportion to its length.
 *
 * Source: PyTorch's SGD (no dampening, decay added to the gradient); You et al. 2017 as in moco-v3@c349e6e.
 */

import { tf } from '../../ops/index.ts';
import { take } from '../tensors.ts';
import type { NamedTensors } from '../tensors.ts';

/** Constants of a run. */
export interface SgdOptions {
  readonly momentum: number;
  /** Added to the gradient, times the parameter. Default 0. */
  readonly weightDecay?: number;
  /** Looks ahead by one step of momentum. Default false. */
  readonly nesterov?: boolean;
}

/** Constants of a run with LARS. */
export interface LarsOptions {
  readonly momentum: number;
  readonly weightDecay?: number;
  /** Default 0.001. */
  readonly trust?: number;
}

/** Parameters and their momentum. */
export interface SgdState {
  readonly parameters: NamedTensors;
  readonly momentum: NamedTensors;
}

/** Does one step of SGD. `lr` is a scalar. */
export function sgdStep(
  state: SgdState,
  gradients: NamedTensors,
  lr: tf.Tensor,
  { momentum, weightDecay = 0, nesterov = false }: SgdOptions,
): SgdState {
  return mapState(state, (name, parameter, old) => {
    const gradient = take(gradients, name);
    const pull = weightDecay === 0 ? gradient : tf.add(gradient, tf.mul(parameter, weightDecay));
    const own = tf.add(tf.mul(old, momentum), pull);
    const move = nesterov ? tf.add(pull, tf.mul(own, momentum)) : own;
    return [tf.sub(parameter, tf.mul(move, lr)), own];
  });
}

/** Does one step of LARS; vectors get neither decay nor a rate of their own. `lr` is a scalar. */
export function larsStep(
  state: SgdState,
  gradients: NamedTensors,
  lr: tf.Tensor,
  { momentum, weightDecay = 0, trust = 0.001 }: LarsOptions,
): SgdState {
  return mapState(state, (name, parameter, old) => {
    const gradient = take(gradients, name);
    const pull =
      parameter.rank > 1 ? scaledPull(parameter, gradient, weightDecay, trust) : gradient;
    const own = tf.add(tf.mul(old, momentum), pull);
    return [tf.sub(parameter, tf.mul(own, lr)), own];
  });
}

function scaledPull(
  parameter: tf.Tensor,
  gradient: tf.Tensor,
  weightDecay: number,
  trust: number,
): tf.Tensor {
  const pull = tf.add(gradient, tf.mul(parameter, weightDecay));
  const length = tf.sqrt(tf.sum(tf.square(parameter)));
  const pullLength = tf.sqrt(tf.sum(tf.square(pull)));
  const isUsable = tf.logicalAnd(tf.greater(length, 0), tf.greater(pullLength, 0));
  const ratio = tf.div(tf.mul(length, trust), tf.maximum(pullLength, 1e-30));
  return tf.mul(pull, tf.where(isUsable, ratio, tf.onesLike(ratio)));
}

function mapState(
  state: SgdState,
  step: (name: string, parameter: tf.Tensor, old: tf.Tensor) => readonly [tf.Tensor, tf.Tensor],
): SgdState {
  const parameters: Record<string, tf.Tensor> = {};
  const momentum: Record<string, tf.Tensor> = {};
  for (const [name, parameter] of Object.entries(state.parameters)) {
    const [next, own] = step(name, parameter, take(state.momentum, name));
    parameters[name] = next;
    momentum[name] = own;
  }
  return { parameters, momentum };
}
