/** The frozen encoder of a probe, up to its features, and what becomes of it and the trained head. */

import {
  classifierFeatures,
  classifierShapes,
  encoderShapes,
  probeFeatures,
} from '../model/index.ts';
import type { ParameterShapes } from '../model/index.ts';
import { tf } from '../ops/index.ts';
import type { StateData } from './checkpoint.ts';
import { HEAD_NORM, foldNorm, probeShapes } from './probe-head.ts';
import type { ProbeConfig, RunModel } from './run-folder.ts';
import type { ScorerSpec } from './scorer.ts';

/** Parameters of the encoder and the way to its features, `[B, D]`. */
export function featureNetwork(config: ProbeConfig): Pick<ScorerSpec, 'shapes' | 'forward'> {
  const shapes = encoderShapes(config);
  if (config.features === 'encoder') {
    return {
      shapes,
      forward: (parameters, inputs) => probeFeatures(parameters, inputs as never, config),
    };
  }
  const { width } = config.encoder;
  const plain = (): Record<string, tf.Tensor> => ({
    [HEAD_NORM.weight]: tf.ones([width]),
    [HEAD_NORM.bias]: tf.zeros([width]),
  });
  return {
    shapes: Object.fromEntries(
      Object.entries(shapes).filter(([name]) => !name.startsWith('norm.')),
    ),
    forward: (parameters, inputs) =>
      classifierFeatures({ ...parameters, ...plain() }, inputs as never, config),
  };
}

/** The network that a probe leaves: a classifier like any other where its features are a classifier's. */
export function probeModel(config: ProbeConfig): RunModel {
  if (config.features === 'encoder') return { kind: 'probe', config };
  const { batchNorm: _, features: __, ...classifier } = config;
  return { kind: 'classifier', config: classifier };
}

/** Names and shapes of all that a probe leaves. */
export function probedShapes(config: ProbeConfig): ParameterShapes {
  return config.features === 'encoder'
    ? { ...encoderShapes(config), ...probeShapes(config) }
    : classifierShapes(config);
}

/** Puts encoder and head together; statistics of features become the classifier's normalisation. */
export function joinProbe(config: ProbeConfig, weights: StateData, head: StateData): StateData {
  return { ...weights, ...(config.features === 'encoder' ? head : foldNorm(config, head)) };
}
