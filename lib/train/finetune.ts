/**
 * Fine-tuning: a pre-trained encoder, or one with drawn weights, learns to name classes.
 *
 * Source: VideoMAE (Tong et al. 2022) and its released code; the numbers are in `recipes`.
 */

import type { LoaderOptions, LoaderSource, SourceDescription } from '../load/index.ts';
import {
  classifierShapes,
  classify,
  countParameters,
  countTokens,
  encoderFlops,
  drawParameters,
  positionTable,
} from '../model/index.ts';
import { crossEntropy } from '../ops/index.ts';
import type { ClassifierConfig, NamedParameter } from '../model/index.ts';
import type { FinetuneRecipe } from '../recipes/index.ts';
import { ownData } from './batch-data.ts';
import { clipConfig, clipOptions } from './clip-options.ts';
import { drawUniform } from './draw-uniform.ts';
import { describeLabelled } from './describe-labelled.ts';
import { encoderOf } from './encoder-of.ts';
import { estimateMemory } from './estimate-memory.ts';
import { loadInitial } from './load-initial.ts';
import { parameterRules } from './optimizer/parameter-groups.ts';
import { checkRunFolder } from './run-folder.ts';
import type { OpenRunOptions } from './run-folder.ts';
import { scaleRate } from './schedule.ts';
import { openScorer, scoreVideos } from './scorer.ts';
import { countCopies } from './train-step.ts';
import { runTraining } from './train-loop.ts';
import type { RunSummary, TrainingHooks, TrainingJob } from './training-job.ts';

/** Options of {@link finetune}. */
export interface FinetuneOptions extends TrainingHooks, OpenRunOptions {
  /** Folder of the run. */
  readonly out: string;
  readonly recipe: FinetuneRecipe;
  /** File with the weights of a pre-trained encoder; null trains from scratch. */
  readonly from: string | null;
  /** Videos to look at after each epoch, one view each; the best epoch is kept. */
  readonly val?: LoaderSource;
}

/**
 * Trains a classifier on shards with labels and leaves a run in a folder.
 *
 * @throws {TubeletError} as {@link checkRunFolder}, TUBE_LABELS_MISSING, TUBE_CLIPS_DIFFER, TUBE_LOSS_DIVERGED, TUBE_WEIGHTS_MISMATCH, what
 * loading and the engine throw
 * @throws {RangeError} naming the value of the recipe that is wrong
 * @throws the reason of `signal`, after a checkpoint
 */
export async function finetune(
  source: LoaderSource,
  options: FinetuneOptions,
): Promise<RunSummary> {
  const { out, recipe, from, val } = options;
  const { train, model } = recipe;
  const shards = await describeLabelled(source, recipe.data);
  const { classes } = shards;
  const config: ClassifierConfig = {
    ...clipConfig(recipe.data),
    encoder: encoderOf(model),
    dropPath: model.dropPath,
    headDropout: model.headDropout,
    numClasses: classes.length,
  };
  const shapes = classifierShapes(config);
  const makeFolder = await checkRunFolder(
    out,
    { v: 1, recipe, model: { kind: 'classifier', config }, classes, from },
    options,
  );
  const scorer =
    val === undefined
      ? null
      : await openScorer({
          config,
          shapes,
          forward: (parameters, inputs) => classify(parameters, inputs as never, config),
          batchSize: Math.min(16, train.batchSize),
          engine: options.engine,
        });
  const rule = { seed: train.seed, rule: 'finetune', headScale: model.headScale } as const;
  const draw = (names?: ReadonlySet<string>): Iterable<NamedParameter> =>
    drawParameters(shapes, rule, names);
  const job: TrainingJob = {
    folder: out,
    makeFolder,
    source,
    loader: loaderOptions(recipe, shards),
    train,
    save: recipe.save,
    shapes,
    initial: () => (from === null ? draw() : loadInitial(from, 'encoder', { shapes, draw })),
    rules: parameterRules(
      shapes,
      from === null ? null : { factor: train.layerDecay, depth: config.encoder.depth },
    ),
    lossOf: (parameters, inputs) =>
      crossEntropy(classify(parameters, inputs as never, config), inputs['softLabels'] as never),
    ...batchWiring(recipe, config),
    factsOf: (info, plan) => factsOf({ recipe, config, numSamples: info.numSamples }, plan),
    ...(scorer === null || val === undefined
      ? {}
      : {
          validate: async (program, signal) => {
            scorer.setState(program.readState(Object.keys(shapes)));
            const views = { segments: 1, crops: 1 };
            const { workers } = options;
            const { record } = await scoreVideos(scorer, val, {
              clip: recipe.data,
              own: views,
              workers,
              signal,
              config,
              classes,
            });
            const { top1, top5 } = record;
            return { values: { top1, top5 }, measure: 'top1', value: top1, isHigherBetter: true };
          },
        }),
  };
  try {
    return await runTraining(job, options);
  } finally {
    await scorer?.dispose();
  }
}

function factsOf(
  {
    recipe,
    config,
    numSamples,
  }: {
    readonly recipe: FinetuneRecipe;
    readonly config: ClassifierConfig;
    readonly numSamples: number;
  },
  plan: { readonly stepsPerEpoch: number; readonly numSteps: number },
): RunSummary['facts'] {
  const { train, data } = recipe;
  const numParameters = countParameters(classifierShapes(config));
  const numTokens = countTokens(config);
  const microBatchSize = (train.batchSize / train.accumulate) * data.repeats;
  return {
    ...plan,
    numSamples,
    numParameters,
    globalBatchSize: train.batchSize,
    microBatchSize,
    lr: scaleRate(train.lr, train.batchSize),
    tokensPerClip: numTokens,
    visibleTokens: numTokens,
    gflopsPerClip: (3 * encoderFlops(config)) / 1e9,
    memoryBytes: estimateMemory({
      numParameters,
      copies: countCopies(train),
      numClips: microBatchSize,
      stacks: [{ size: config.encoder, numTokens }],
    }),
  };
}

function loaderOptions(
  { data }: FinetuneRecipe,
  shards: SourceDescription,
): Omit<LoaderOptions, 'batchSize'> {
  const { randAugment, mixupAlpha, cutmixAlpha } = data;
  const mix = {
    mixupAlpha,
    cutmixAlpha,
    probability: data.mixProbability,
    switchProbability: data.mixSwitch,
  };
  return {
    ...clipOptions(data, shards),
    ...(randAugment === null ? {} : { randAugment }),
    ...(data.erasing > 0 ? { erasing: data.erasing } : {}),
    repeats: data.repeats,
    smoothing: data.smoothing,
    numClasses: shards.classes.length,
    ...(mixupAlpha > 0 || cutmixAlpha > 0 ? { mix } : {}),
    remainder: 'drop',
  };
}

/** From batches to the inputs of a step. */
function batchWiring(
  { train, model, data }: FinetuneRecipe,
  config: ClassifierConfig,
): Pick<TrainingJob, 'inputSpecs' | 'inputsOf'> {
  const { width, depth } = config.encoder;
  const numTokens = countTokens(config);
  const positions = positionTable(numTokens, width);
  const numClips = (train.batchSize / train.accumulate) * data.repeats;
  const draws = {
    ...(model.dropPath > 0 ? { draws: [2 * depth, numClips] } : {}),
    ...(model.headDropout > 0 ? { headDraws: [numClips, width] } : {}),
  };
  return {
    inputSpecs: ({ tensors }) => ({
      tokens: {
        shape: [numClips, ...(tensors.find(({ name }) => name === 'pixels')?.shape ?? [])],
      },
      softLabels: { shape: [numClips, config.numClasses] },
      positions: { shape: [numTokens, width] },
      ...Object.fromEntries(Object.entries(draws).map(([name, shape]) => [name, { shape }])),
    }),
    inputsOf: ({ pixels, softLabels }, { step, micro }) => ({
      positions,
      tokens: ownData('pixels', pixels),
      softLabels: ownData('softLabels', softLabels),
      ...Object.fromEntries(
        Object.entries(draws).map(([name, [rows = 0, columns = 0]]) => [
          name,
          drawUniform(rows * columns, train.seed, name, step, micro),
        ]),
      ),
    }),
  };
}
