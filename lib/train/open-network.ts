/** A trained network out of the folder of a run. */

import type { CompileOptions, Program } from '../engine/index.ts';
import {
  applyHead,
  classifierFeatures,
  classifierShapes,
  classify,
  encoderShapes,
  probeFeatures,
} from '../model/index.ts';
import type { ParameterShapes } from '../model/index.ts';
import { findWeights } from './checkpoint.ts';
import type { WeightsChoice } from './checkpoint.ts';
import { loadExactly } from './load-initial.ts';
import { normaliseFeatures, probeShapes } from './probe-head.ts';
import type { RunModel } from './run-folder.ts';
import { openScorer } from './scorer.ts';
import type { ScorerSpec } from './scorer.ts';

/** What a network is to give: scores of classes, or features of clips. */
export type NetworkOutput = 'scores' | 'features';

/** How to open. */
export interface OpenNetworkOptions {
  readonly output: NetworkOutput;
  /** Default `'best'`. */
  readonly which?: WeightsChoice;
  /** Clips at once. */
  readonly batchSize: number;
  readonly engine?: CompileOptions | undefined;
}

/**
 * Opens the network of a run with its weights. Dispose of it when done.
 *
 * @throws {TubeletError} TUBE_RUN_NOT_FOUND, TUBE_WEIGHTS_DAMAGED, TUBE_WEIGHTS_MISMATCH, what the engine throws
 * @throws {RangeError} if scores are wanted of a run of pre-training, which has no classes
 */
export async function openNetwork(
  run: string,
  model: RunModel,
  { output, which = 'best', batchSize, engine }: OpenNetworkOptions,
): Promise<Program> {
  const { shapes, forward } = networkOf(model, output);
  const program = await openScorer({ config: model.config, shapes, forward, batchSize, engine });
  try {
    program.setState(await loadExactly(shapes, await findWeights(run, which)));
    return program;
  } catch (error) {
    await program.dispose();
    throw error;
  }
}

/** Names and shapes of parameters, and the forward pass over tokens. */
type NetworkParts = Pick<ScorerSpec, 'shapes' | 'forward'>;

/**
 * The network of a run, up to what it is to give.
 *
 * @throws {RangeError} if scores are wanted of a run of pre-training, which has no classes
 */
export function networkOf(model: RunModel, output: NetworkOutput): NetworkParts {
  return output === 'scores' ? scoring(model) : featuring(model);
}

function scoring(model: RunModel): NetworkParts {
  switch (model.kind) {
    case 'classifier': {
      const { config } = model;
      return {
        shapes: classifierShapes(config),
        forward: (parameters, inputs) => classify(parameters, inputs as never, config),
      };
    }
    case 'probe': {
      const { config } = model;
      return {
        shapes: { ...encoderShapes(config), ...probeShapes(config) },
        forward: (parameters, inputs) => {
          const features = probeFeatures(parameters, inputs as never, config);
          return applyHead(parameters, normaliseFeatures(parameters, features, config.batchNorm));
        },
      };
    }
    case 'pretrain':
      throw new RangeError('"run" must have classes; this one is a run of pre-training.');
    default:
      throw new TypeError(`internal: unknown model ${String(model satisfies never)}`);
  }
}

/** Features: mean of all tokens, after the encoder's last normalisation where the network has one. */
function featuring(model: RunModel): NetworkParts {
  const { config } = model;
  if (model.kind !== 'classifier') {
    const shapes: ParameterShapes = encoderShapes(config);
    return {
      shapes,
      forward: (parameters, inputs) => probeFeatures(parameters, inputs as never, config),
    };
  }
  const shapes = Object.fromEntries(
    Object.entries(classifierShapes(model.config)).filter(([name]) => !name.startsWith('head.')),
  );
  return {
    shapes,
    forward: (parameters, inputs) => classifierFeatures(parameters, inputs as never, config),
  };
}
