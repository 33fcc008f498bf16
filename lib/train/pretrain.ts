/**
 * Pre-training: the encoder learns from videos without labels.
 *
 * Source: VideoMAE (Tong et al. 2022); the numbers are in `recipes`.
 */

import { describeSource } from '../load/index.ts';
import type { LoaderOptions, LoaderSource, ShardClips } from '../load/index.ts';
import {
  countParameters,
  countTokens,
  initialise,
  positionTable,
  pretrainFlops,
  pretrainLoss,
  pretrainShapes,
} from '../model/index.ts';
import type { PretrainConfig, Weights } from '../model/index.ts';
import type { PretrainRecipe } from '../recipes/index.ts';
import { ownData } from './batch-data.ts';
import { checkClips, clipConfig, clipOptions } from './clip-options.ts';
import { encoderOf } from './encoder-of.ts';
import { drawUniform } from './draw-uniform.ts';
import { loadInitial } from './load-initial.ts';
import { parameterRules } from './optimizer/parameter-groups.ts';
import { openRunFolder } from './run-folder.ts';
import type { OpenRunOptions } from './run-folder.ts';
import { scaleRate } from './schedule.ts';
import { estimateMemory } from './estimate-memory.ts';
import { runTraining } from './train-loop.ts';
import type { RunSummary, TrainingHooks, TrainingJob } from './training-job.ts';

/** Options of {@link pretrain}. */
export interface PretrainOptions extends TrainingHooks, OpenRunOptions {
  /** Folder of the run. */
  readonly out: string;
  readonly recipe: PretrainRecipe;
  /** Weights to start from, a file; default: drawn from the seed. */
  readonly from?: string;
}

/**
 * Pre-trains a network on shards and leaves a run in a folder.
 *
 * @throws {TubeletError} as {@link openRunFolder}, TUBE_CLIPS_DIFFER, TUBE_LOSS_DIVERGED, TUBE_WEIGHTS_MISMATCH, what loading and the engine throw
 * @throws {RangeError} naming the value of the recipe that is wrong
 * @throws the reason of `signal`, after a checkpoint
 */
export async function pretrain(
  source: LoaderSource,
  options: PretrainOptions,
): Promise<RunSummary> {
  const { out, recipe, from = null } = options;
  const shards = await describeSource(source);
  checkClips(recipe.data, shards);
  const config = pretrainConfig(recipe);
  const shapes = pretrainShapes(config);
  const run = {
    v: 1,
    recipe,
    model: { kind: 'pretrain', config },
    classes: [],
    from,
  } as const;
  await openRunFolder(out, run, options);
  const drawFirst = (): Weights =>
    initialise(shapes, { seed: recipe.train.seed, rule: 'pretrain' });
  const job: TrainingJob = {
    folder: out,
    source,
    loader: loaderOptions(recipe, shards),
    train: recipe.train,
    save: recipe.save,
    shapes,
    initial: () => (from === null ? drawFirst() : loadInitial(drawFirst(), from, 'exact')),
    rules: parameterRules(shapes),
    lossOf: (parameters, inputs) =>
      pretrainLoss(parameters, inputs as never, {
        ...config,
        loss: recipe.train.loss,
      }),
    ...batchWiring(recipe, config),
    factsOf: (info, plan) => {
      const visibleTokens = info.tensors.find(({ name }) => name === 'visible')?.shape[0] ?? 0;
      const { batchSize, accumulate } = recipe.train;
      const numParameters = countParameters(shapes);
      return {
        ...plan,
        numSamples: info.numSamples,
        numParameters,
        globalBatchSize: batchSize,
        microBatchSize: batchSize / accumulate,
        lr: scaleRate(recipe.train.lr, batchSize),
        tokensPerClip: countTokens(config),
        visibleTokens,
        gflopsPerClip: (3 * pretrainFlops(config, visibleTokens)) / 1e9,
        memoryBytes: estimateMemory({
          numParameters,
          numClips: batchSize / accumulate,
          stacks: [
            { size: config.encoder, numTokens: visibleTokens },
            { size: config.decoder, numTokens: countTokens(config) },
          ],
        }),
      };
    },
  };
  return runTraining(job, options);
}

/** The network of a recipe. */
function pretrainConfig({ model, data }: PretrainRecipe): PretrainConfig {
  return {
    ...clipConfig(data),
    encoder: encoderOf(model),
    decoder: {
      width: model.decoderWidth,
      depth: model.decoderDepth,
      numHeads: model.decoderHeads,
    },
    dropPath: model.dropPath,
  };
}

function loaderOptions(
  { data }: PretrainRecipe,
  shards: ShardClips,
): Omit<LoaderOptions, 'batchSize'> {
  return {
    ...clipOptions(data, shards),
    mask: { kind: data.mask, ratio: data.maskRatio },
    target: data.target,
    ...(data.epochSamples === null ? {} : { epochSamples: data.epochSamples }),
    remainder: 'drop',
  };
}

/** From batches to the inputs of a step. */
function batchWiring(
  { train, model }: PretrainRecipe,
  config: PretrainConfig,
): Pick<TrainingJob, 'inputSpecs' | 'inputsOf'> {
  const { encoder, decoder } = config;
  const numTokens = countTokens(config);
  const tables = {
    encoderPositions: positionTable(numTokens, encoder.width),
    decoderPositions: positionTable(numTokens, decoder.width),
  };
  const numClips = train.batchSize / train.accumulate;
  const stacks = { encoderDraws: encoder, decoderDraws: decoder };
  const hasDraws = model.dropPath > 0;
  return {
    inputSpecs: ({ tensors }) => ({
      ...Object.fromEntries(
        tensors.map(({ name, dtype, shape }) => [
          name,
          { shape: [numClips, ...shape], dtype: dtype === 'int32' ? 'int32' : 'float32' },
        ]),
      ),
      encoderPositions: { shape: [numTokens, encoder.width] },
      decoderPositions: { shape: [numTokens, decoder.width] },
      ...(hasDraws
        ? Object.fromEntries(
            Object.entries(stacks).map(([name, { depth }]) => [
              name,
              { shape: [2 * depth, numClips] },
            ]),
          )
        : {}),
    }),
    inputsOf: ({ visible, target, visibleTokens, maskedTokens }, { step, micro }) => ({
      ...tables,
      visible: ownData('visible', visible),
      target: ownData('target', target),
      visibleTokens: ownData('visibleTokens', visibleTokens),
      maskedTokens: ownData('maskedTokens', maskedTokens),
      ...(hasDraws
        ? Object.fromEntries(
            Object.entries(stacks).map(([name, { depth }]) => [
              name,
              drawUniform(2 * depth * numClips, train.seed, name, step, micro),
            ]),
          )
        : {}),
    }),
  };
}
