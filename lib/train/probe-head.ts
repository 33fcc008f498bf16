/**
 * The head of a linear probe: batch normalisation without scale and shift, then one linear layer.
 *
 * Source: He et al. 2022 (MAE) and its released code, since VideoMAE does not say how its probe is made.
 */

import { applyHead, normaliseBatch, normaliseByRunning } from '../model/index.ts';
import { crossEntropy } from '../ops/index.ts';
import type { ParameterShapes } from '../model/index.ts';
import type { tf } from '../ops/index.ts';
import { lossAndGradients } from './optimizer/gradients.ts';
import { larsStep, sgdStep } from './optimizer/sgd.ts';
import type { StateData } from './checkpoint.ts';
import type { ProbeConfig } from './run-folder.ts';
import { take } from './tensors.ts';
import type { NamedTensors, TensorFunction } from './tensors.ts';

/** How the head is trained. */
export interface ProbeStepOptions {
  readonly optimizer: 'sgd' | 'lars';
  readonly momentum: number;
  readonly weightDecay: number;
  readonly batchNorm: boolean;
}

const NORM = { epsilon: 1e-6, momentum: 0.1 } as const;
const MEAN = 'bn.running_mean';
const VARIANCE = 'bn.running_var';
const HEAD = ['head.weight', 'head.bias'] as const;
/** Prefix of the optimizer's state. */
export const MOMENTUM_PREFIX = 'optimizer.momentum.';

/** Names and shapes of the head and its running statistics. */
export function probeShapes({ encoder, numClasses, batchNorm }: ProbeConfig): ParameterShapes {
  const { width } = encoder;
  return {
    'head.weight': [numClasses, width],
    'head.bias': [numClasses],
    ...(batchNorm ? { [MEAN]: [width], [VARIANCE]: [width] } : {}),
  };
}

/** Names of the classifier's normalisation of features. */
export const HEAD_NORM = { weight: 'fc_norm.weight', bias: 'fc_norm.bias' } as const;

/**
 * Turns the running statistics of normalised features into scale and shift of the classifier's own normalisation, which come after it:
 * (x − mean) / √(variance + ε) = x · weight + bias.
 */
export function foldNorm({ encoder }: ProbeConfig, head: StateData): StateData {
  const { [MEAN]: mean, [VARIANCE]: variance, ...linear } = head;
  const weight = new Float32Array(encoder.width).fill(1);
  const bias = new Float32Array(encoder.width);
  if (mean === undefined || variance === undefined)
    return { ...linear, [HEAD_NORM.weight]: weight, [HEAD_NORM.bias]: bias };
  for (let i = 0; i < encoder.width; i++) {
    const scale = 1 / Math.sqrt(Number(variance[i]) + NORM.epsilon);
    weight[i] = scale;
    bias[i] = -Number(mean[i]) * scale;
  }
  return { ...linear, [HEAD_NORM.weight]: weight, [HEAD_NORM.bias]: bias };
}

/** Normalises features by the running statistics, if the probe has them. Shapes: `[B, D]`. */
export function normaliseFeatures(
  parameters: NamedTensors,
  features: tf.Tensor2D,
  batchNorm: boolean,
): tf.Tensor2D {
  if (!batchNorm) return features;
  const stats = { mean: take(parameters, MEAN), variance: take(parameters, VARIANCE) };
  return normaliseByRunning(features, stats as never, NORM.epsilon);
}

/** Makes the function of a step: inputs `features` `[B, D]`, `targets` `[B, classes]`, `lr`; gives `loss` and the next state. */
export function createProbeStep(options: ProbeStepOptions): TensorFunction {
  return (inputs, state) => {
    const features = take(inputs, 'features') as tf.Tensor2D;
    const stats = { mean: state[MEAN], variance: state[VARIANCE] };
    const pass = options.batchNorm ? normaliseBatch(features, stats as never, NORM) : null;
    const head = Object.fromEntries(HEAD.map((name) => [name, take(state, name)]));
    const { loss, gradients } = lossAndGradients(
      (own) =>
        crossEntropy(
          applyHead(own, pass?.normal ?? features),
          take(inputs, 'targets') as tf.Tensor2D,
        ),
      head,
    );
    const momentum = Object.fromEntries(
      HEAD.map((name) => [name, take(state, `${MOMENTUM_PREFIX}${name}`)]),
    );
    const stepOf = options.optimizer === 'lars' ? larsStep : sgdStep;
    const next = stepOf({ parameters: head, momentum }, gradients, take(inputs, 'lr'), options);
    return {
      loss,
      ...next.parameters,
      ...Object.fromEntries(
        Object.entries(next.momentum).map(([name, one]) => [`${MOMENTUM_PREFIX}${name}`, one]),
      ),
      ...(pass === null ? {} : { [MEAN]: pass.running.mean, [VARIANCE]: pass.running.variance }),
    };
  };
}
