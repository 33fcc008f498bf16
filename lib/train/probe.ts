/**
 * Linear probe: how well a frozen encoder tells classes apart. Its features are computed once; only the head is trained.
 *
 * Source: the appendix of VideoMAE (Tong et al. 2022) for the optimizer; what it leaves open is as in MAE (He et al. 2022).
 */

import { checkOneOf } from '../core/index.ts';
import type { LoaderSource } from '../load/index.ts';
import { countParameters, countTokens, encoderFlops } from '../model/index.ts';
import type { ProbeRecipe } from '../recipes/index.ts';
import { readProgress, saveCheckpoint } from './checkpoint.ts';
import { clipConfig } from './clip-options.ts';
import { describeLabelled } from './describe-labelled.ts';
import { encoderOf } from './encoder-of.ts';
import { estimateMemory } from './estimate-memory.ts';
import { loadExactly } from './load-initial.ts';
import { openFeatures } from './probe-features.ts';
import { featureNetwork, joinProbe, probeModel, probedShapes } from './probe-network.ts';
import { checkRunFolder } from './run-folder.ts';
import type { OpenRunOptions, ProbeConfig } from './run-folder.ts';
import { scaleRate } from './schedule.ts';
import { trainHead } from './train-head.ts';
import type { RunFacts, TrainingHooks } from './training-job.ts';

/** Options of {@link probe}. */
export interface ProbeOptions
  extends
    Pick<TrainingHooks, 'engine' | 'workers' | 'signal' | 'wallClock' | 'onStart'>,
    OpenRunOptions {
  /** Folder of the run. */
  readonly out: string;
  readonly recipe: ProbeRecipe;
  /** File with the weights of a pre-trained network. */
  readonly from: string;
  readonly onProgress?: (report: ProbeProgress) => void;
}

/** How far a probe is. */
export interface ProbeProgress {
  readonly stage: 'features' | 'head';
  /** Clips or steps. */
  readonly done: number;
  readonly total: number;
  /** Of the last step; null while features are computed. */
  readonly loss: number | null;
  readonly lr: number | null;
}

/** What came out. */
export interface ProbeSummary {
  readonly numClips: number;
  readonly numSteps: number;
  /** Mean loss of the last epoch. */
  readonly loss: number;
  readonly facts: RunFacts;
}

/**
 * Trains a linear probe on shards with labels and leaves a run in a folder. Clips that cannot be read are an error. With `resume` a run
 * that was stopped takes the features that it has and goes on with the head bit for bit.
 *
 * @throws {TubeletError} as {@link checkRunFolder}, TUBE_LABELS_MISSING, TUBE_CLIPS_DIFFER, TUBE_WEIGHTS_MISMATCH, TUBE_LOSS_DIVERGED, what
 * loading and the engine throw; TUBE_OPTIONS_DIFFER also if the features of the run are of other shards or weights
 * @throws {RangeError} naming the value of the recipe that is wrong
 * @throws the reason of `signal`
 */
export async function probe(source: LoaderSource, options: ProbeOptions): Promise<ProbeSummary> {
  const { out, recipe, from, onProgress } = options;
  checkOneOf('model.features', recipe.model.features, ['encoder', 'classifier']);
  const shards = await describeLabelled(source, recipe.data);
  const { classes } = shards;
  const config: ProbeConfig = {
    ...clipConfig(recipe.data),
    encoder: encoderOf(recipe.model),
    numClasses: classes.length,
    batchNorm: recipe.train.batchNorm,
    features: recipe.model.features,
  };
  const weights = await loadExactly(featureNetwork(config).shapes, from);
  const run = { v: 1, recipe, model: probeModel(config), classes, from } as const;
  const makeFolder = await checkRunFolder(out, run, options);
  await makeFolder();
  const features = await openFeatures(source, {
    ...options,
    run: out,
    config,
    shards,
    weights,
    onCount: (numClips) => options.onStart?.(factsOf(recipe, config, numClips)),
    onClip: (done, total) => onProgress?.({ stage: 'features', done, total, loss: null, lr: null }),
  });
  const { numClips } = features;
  const facts = factsOf(recipe, config, numClips);
  const { numSteps } = facts;
  const finished = await readProgress(out);
  if (finished !== null) return { numClips, numSteps, loss: finished.average ?? Number.NaN, facts };
  const { loss, state } = await trainHead(features, {
    ...options,
    run: out,
    config,
    train: recipe.train,
    facts,
    onStep: ({ step, ...values }) =>
      onProgress?.({ stage: 'head', done: step, total: numSteps, ...values }),
  });
  const whole = joinProbe(config, weights, state);
  await saveCheckpoint(out, {
    progress: {
      v: 1,
      step: numSteps,
      cursor: null,
      lossSum: 0,
      average: loss,
      lowest: null,
      badSteps: 0,
      best: null,
    },
    state: { names: Object.keys(whole), read: (name) => Float32Array.from(whole[name] ?? []) },
    shapes: probedShapes(config),
    keep: 1,
  });
  return { numClips, numSteps, loss, facts };
}

/** What is known once the clips are counted. The work of a clip is one forward pass; the memory is that of features and weights. */
function factsOf({ train }: ProbeRecipe, config: ProbeConfig, numClips: number): RunFacts {
  const batchSize = Math.min(train.batchSize, numClips);
  const stepsPerEpoch = Math.floor(numClips / batchSize);
  const numTokens = countTokens(config);
  const { width, numHeads } = config.encoder;
  const numParameters = countParameters(probedShapes(config));
  const microBatchSize = Math.min(16, train.batchSize);
  const oneBlock = { size: { width, numHeads, depth: 1 }, numTokens };
  const forward = estimateMemory({ numParameters, numClips: microBatchSize, stacks: [oneBlock] });
  return {
    numSamples: numClips,
    numParameters,
    globalBatchSize: batchSize,
    microBatchSize,
    stepsPerEpoch,
    numSteps: train.epochs * stepsPerEpoch,
    lr: scaleRate(train.lr, batchSize),
    tokensPerClip: numTokens,
    visibleTokens: numTokens,
    gflopsPerClip: encoderFlops(config) / 1e9,
    memoryBytes: forward + 4 * numClips * width,
  };
}
