/**
 * One step of training as functions of tensors: loss, gradients, clipping, AdamW, moving average. An engine can trace each of them into
 * one graph.
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

/** Arrays of the size of the parameters that live while a step is done: its states and the gradients. */
export function countCopies(options: Partial<TrainStepOptions>): number {
  return stateKinds(options).length + 2;
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
function parametersOf(state: NamedTensors): NamedTensors {
  const prefixes = Object.values(STATE_PREFIXES);
  return Object.fromEntries(
    Object.entries(state).filter(([name]) => !prefixes.some((prefix) => name.startsWith(prefix))),
  );
}

/** The functions of a step. */
export interface TrainStep {
  /**
   * Takes the inputs of `lossOf`. Without micro steps this is the whole step: it takes the scalars too and gives `loss`, `gradNorm` (before
   * clipping) and the next state. With them it gives `loss`, and adds its part of the gradients to their sums.
   */
  readonly run: TensorFunction;
  /** What follows the last micro step: takes the scalars, gives `gradNorm` and the next state, and clears the sums. Null without micro steps. */
  readonly update: TensorFunction | null;
}

/** Scalars of a step beside the inputs of `lossOf`. */
export const STEP_SCALARS = ['lr', 'weightDecay', 'correction1', 'correction2'] as const;

/** Makes the functions of a step. */
export function createTrainStep(options: TrainStepOptions): TrainStep {
  const { lossOf, accumulate = 1 } = options;
  const derive = (inputs: NamedTensors, state: NamedTensors): ReturnType<typeof lossAndGradients> =>
    lossAndGradients((own) => lossOf(own, inputs), parametersOf(state));
  if (accumulate === 1) {
    const run: TensorFunction = (inputs, state) => {
      const { loss, gradients } = derive(inputs, state);
      return { loss, ...updateState({ gradients, inputs, state }, options) };
    };
    return { run, update: null };
  }
  return {
    run: (inputs, state) => {
      const { loss, gradients } = derive(inputs, state);
      const sums = mapTensors(gradients, (gradient, name) =>
        tf.add(take(state, `${STATE_PREFIXES.sum}${name}`), tf.div(gradient, accumulate)),
      );
      return { loss, ...withPrefix(sums, STATE_PREFIXES.sum) };
    },
    update: (inputs, state) => {
      const sums = below(state, STATE_PREFIXES.sum);
      // Not zeros from nowhere: what reads the old sum can overwrite it. Of what is no number nothing comes but that, and the run ends.
      const cleared = mapTensors(sums, (sum) => tf.sub(sum, sum));
      return {
        ...updateState({ gradients: sums, inputs, state }, options),
        ...withPrefix(cleared, STATE_PREFIXES.sum),
      };
    },
  };
}

/** Clips gradients and moves parameters, moments and average. */
function updateState(
  { gradients, inputs, state }: Readonly<Record<'gradients' | 'inputs' | 'state', NamedTensors>>,
  options: TrainStepOptions,
): NamedTensors {
  const { clipNorm = null, emaDecay = null } = options;
  const { gradNorm, limited } = limitGradients(gradients, clipNorm);
  const moments = {
    first: below(state, STATE_PREFIXES.first),
    second: below(state, STATE_PREFIXES.second),
  };
  const [lr, weightDecay, correction1, correction2] = STEP_SCALARS.map((name) =>
    take(inputs, name),
  ) as Four;
  const scalars = { lr, weightDecay, correction1, correction2 };
  const parameters = parametersOf(state);
  const next = adamwStep({ parameters, ...moments }, limited, scalars, options);
  return {
    gradNorm,
    ...next.parameters,
    ...withPrefix(next.first, STATE_PREFIXES.first),
    ...withPrefix(next.second, STATE_PREFIXES.second),
    ...(emaDecay === null ? {} : followEma(state, next.parameters, emaDecay)),
  };
}

type Four = [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];

function followEma(state: NamedTensors, parameters: NamedTensors, decay: number): NamedTensors {
  const averages = below(state, STATE_PREFIXES.ema);
  return withPrefix(followParameters(averages, parameters, decay), STATE_PREFIXES.ema);
}
