/**
 * One step of training as one function of tensors: loss, gradients, clipping, AdamW, moving average. An engine can trace all of it
 * into one graph.
 */

import { tf } from '../ops/index.ts';
import type { ParameterShapes } from '../model/index.ts';
import { adamwStep } from './optimizer/adamw.ts';
import type { AdamwOptions } from './optimizer/adamw.ts';
import {
  followParameters,
  limitGradients,
  lossAndGradients,
  mapTensors,
} from './optimizer/gradients.ts';
import type { ParameterRules } from './optimizer/parameter-groups.ts';
import { below, take, withPrefix } from './tensors.ts';
import type { NamedTensors, TensorFunction } from './tensors.ts';

/** What a step consists of. */
export interface TrainStepOptions extends AdamwOptions {
  /** Loss of one batch; gets the inputs of the step. */
  readonly lossOf: (parameters: NamedTensors, inputs: NamedTensors) => tf.Scalar;
  readonly rules: ParameterRules;
  /** Longest gradient; default: no limit. */
  readonly clipNorm?: number | null;
  /** Micro steps of a step, whose gradients are averaged. Default 1. */
  readonly accumulate?: number;
  /** Decay of a moving average of all parameters; default: none is kept. */
  readonly emaDecay?: number | null;
}

/** What a step keeps beside the parameters: moments of AdamW, sum of gradients, moving average. */
export type StateKind = 'first' | 'second' | 'sum' | 'ema';

/** Prefixes under which a step keeps its state; what has none is a parameter. */
export const STATE_PREFIXES: Readonly<Record<StateKind, string>> = Object.freeze({
  first: 'optimizer.first.',
  second: 'optimizer.second.',
  sum: 'optimizer.sum.',
  ema: 'ema.',
});

/** Which further state a step keeps of each parameter; all of it starts at 0, the moving average at the parameter itself. */
export function stateKinds({
  accumulate = 1,
  emaDecay = null,
}: Partial<TrainStepOptions>): StateKind[] {
  return [
    'first',
    'second',
    ...(accumulate > 1 ? (['sum'] as const) : []),
    ...(emaDecay === null ? [] : (['ema'] as const)),
  ];
}

/** Names and shapes of all state of a step. */
export function stateShapes(
  shapes: ParameterShapes,
  options: Partial<TrainStepOptions>,
): ParameterShapes {
  const prefixes = ['', ...stateKinds(options).map((kind) => STATE_PREFIXES[kind])];
  return Object.fromEntries(
    prefixes.flatMap((prefix) =>
      Object.entries(shapes).map(([name, shape]) => [`${prefix}${name}`, shape]),
    ),
  );
}

/** The parameters among the state of a step. */
export function parametersOf(state: NamedTensors): NamedTensors {
  const prefixes = Object.values(STATE_PREFIXES);
  return Object.fromEntries(
    Object.entries(state).filter(([name]) => !prefixes.some((prefix) => name.startsWith(prefix))),
  );
}

/**
 * Makes the function of a step. Its inputs are those of `lossOf` and the scalars `lr`, `weightDecay`, `correction1`, `correction2`, and
 * with micro steps `isLast`, 1 in the last of them and else 0. It gives `loss`, `gradNorm` (before clipping) and the next state. In all but the last micro step the
 * gradient is only summed up and `gradNorm` is that of the sum so far.
 */
export function createTrainStep(options: TrainStepOptions): TensorFunction {
  const { lossOf, accumulate = 1, clipNorm = null, emaDecay = null } = options;
  return (inputs, state) => {
    const old = parametersOf(state);
    const { loss, gradients } = lossAndGradients((own) => lossOf(own, inputs), old);
    const sums = accumulate === 1 ? gradients : addTo(state, gradients, accumulate);
    const { gradNorm, limited } = limitGradients(sums, clipNorm);
    const moments = {
      first: below(state, STATE_PREFIXES.first),
      second: below(state, STATE_PREFIXES.second),
    };
    const scalars = {
      lr: take(inputs, 'lr'),
      weightDecay: take(inputs, 'weightDecay'),
      correction1: take(inputs, 'correction1'),
      correction2: take(inputs, 'correction2'),
    };
    const next = adamwStep({ parameters: old, ...moments }, limited, scalars, options);
    const updated: NamedTensors = {
      ...next.parameters,
      ...withPrefix(next.first, STATE_PREFIXES.first),
      ...withPrefix(next.second, STATE_PREFIXES.second),
      ...(emaDecay === null ? {} : followEma(state, next.parameters, emaDecay)),
    };
    if (accumulate === 1) return { loss, gradNorm, ...updated };
    const isLast = tf.greater(take(inputs, 'isLast'), 0.5);
    return {
      loss,
      gradNorm,
      ...mapTensors(updated, (tensor, name) => tf.where(isLast, tensor, take(state, name))),
      ...withPrefix(
        mapTensors(sums, (sum) => tf.where(isLast, tf.zerosLike(sum), sum)),
        STATE_PREFIXES.sum,
      ),
    };
  };
}

function addTo(state: NamedTensors, gradients: NamedTensors, accumulate: number): NamedTensors {
  const sums = below(state, STATE_PREFIXES.sum);
  return mapTensors(gradients, (gradient, name) =>
    tf.add(take(sums, name), tf.div(gradient, accumulate)),
  );
}

function followEma(state: NamedTensors, parameters: NamedTensors, decay: number): NamedTensors {
  const averages = below(state, STATE_PREFIXES.ema);
  return withPrefix(followParameters(averages, parameters, decay), STATE_PREFIXES.ema);
}
