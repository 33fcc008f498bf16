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
  drawParameters,
  positionTable,
  pretrainFlops,
  pretrainLoss,
  pretrainShapes,
} from '../model/index.ts';
import type { NamedParameter, PretrainConfig } from '../model/index.ts';
import type { PretrainRecipe } from '../recipes/index.ts';
import { targetLength } from '../sample/index.ts';
import { ownData } from './batch-data.ts';
import { checkClips, clipConfig, clipOptions } from './clip-options.ts';
import { encoderOf } from './encoder-of.ts';
import { drawUniform } from './draw-uniform.ts';
import { loadInitial } from './load-initial.ts';
import { MaskedLoss } from './masked-loss.ts';
import { openViews } from './open-views.ts';
import { parameterRules } from './optimizer/parameter-groups.ts';
import { checkRunFolder } from './run-folder.ts';
import type { OpenRunOptions } from './run-folder.ts';
import { scaleRate } from './schedule.ts';
import { estimateMemory } from './estimate-memory.ts';
import { runTraining } from './train-loop.ts';
import { countCopies } from './train-step.ts';
import type { RunSummary, TrainingHooks, TrainingJob } from './training-job.ts';

/** Options of {@link pretrain}. */
export interface PretrainOptions extends TrainingHooks, OpenRunOptions {
  /** Folder of the run. */
  readonly out: string;
  readonly recipe: PretrainRecipe;
  /** Weights to start from, a file; default: drawn from the seed. */
  readonly from?: string;
  /** Videos on which the loss is measured after each epoch, which then says what is best; default: the loss of training says it. */
  readonly val?: LoaderSource;
}

/**
 * Pre-trains a network on shards and leaves a run in a folder.
 *
 * @throws {TubeletError} as {@link checkRunFolder}, TUBE_CLIPS_DIFFER, TUBE_LOSS_DIVERGED, TUBE_WEIGHTS_MISMATCH, what loading and the engine throw
 * @throws {RangeError} naming the value of the recipe that is wrong
 * @throws the reason of `signal`, after a checkpoint
 */
export async function pretrain(
  source: LoaderSource,
  options: PretrainOptions,
): Promise<RunSummary> {
  const { out, recipe, from = null, val } = options;
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
  const makeFolder = await checkRunFolder(out, run, options);
  const draw = (names?: ReadonlySet<string>): Iterable<NamedParameter> =>
    drawParameters(shapes, { seed: recipe.train.seed, rule: 'pretrain' }, names);
  await using heldOut = new MaskedLoss({ config, loss: recipe.train.loss, engine: options.engine });
  const job: TrainingJob = {
    folder: out,
    makeFolder,
    source,
    loader: loaderOptions(recipe, shards),
    train: recipe.train,
    save: recipe.save,
    shapes,
    initial: () => (from === null ? draw() : loadInitial(from, 'exact', { shapes, draw })),
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
          copies: countCopies(recipe.train),
          numClips: batchSize / accumulate,
          stacks: [
            { size: config.encoder, numTokens: visibleTokens },
            { size: config.decoder, numTokens: countTokens(config) },
          ],
        }),
      };
    },
    ...(val === undefined
      ? {}
      : {
          validate: async (program, signal) => {
            const parameters = program.readState(Object.keys(shapes));
            const { loader } = await openViews(val, {
              clip: recipe.data,
              own: { segments: 1, crops: 1 },
              batchSize: Math.min(16, recipe.train.batchSize),
              workers: options.workers,
              signal,
              load: { ...maskOptions(recipe.data), onError: 'throw', seed: recipe.train.seed },
            });
            await using _closing = loader;
            const loss = await heldOut.measure(parameters, loader);
            return {
              values: { valLoss: loss },
              measure: 'valLoss',
              value: loss,
              isHigherBetter: false,
            };
          },
        }),
  };
  return await runTraining(job, options);
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
    ...(data.targetFrames === 'own'
      ? {}
      : { targetLength: targetLength(data.targetFrames, clipConfig(data).tubelet) }),
  };
}

function loaderOptions(
  { data }: PretrainRecipe,
  shards: ShardClips,
): Omit<LoaderOptions, 'batchSize'> {
  return {
    ...clipOptions(data, shards),
    ...maskOptions(data),
    ...(data.epochSamples === null ? {} : { epochSamples: data.epochSamples }),
    remainder: 'drop',
  };
}

/** What is hidden, and what is to be predicted. */
function maskOptions({
  mask,
  maskRatio,
  target,
  targetFrames,
}: PretrainRecipe['data']): Pick<LoaderOptions, 'mask' | 'target' | 'targetFrames'> {
  return { mask: { kind: mask, ratio: maskRatio }, target, targetFrames };
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
