/** How much arithmetic a run of an ablation is; what its time is judged by before it is known. */

import { countTokens, encoderFlops, pretrainFlops, tokenGrid } from '../../model/index.ts';
import type { FinetuneRecipe, PretrainRecipe, ProbeRecipe, Readout } from '../../recipes/index.ts';
import { countMasked } from '../../sample/index.ts';
import { clipConfig, encoderOf } from '../../train/index.ts';

/** The recipes of a run. */
export interface RunRecipes {
  readonly pretrain: PretrainRecipe;
  readonly probe: ProbeRecipe;
  readonly finetune: FinetuneRecipe;
}

/** Samples of the datasets. */
export interface DataSizes {
  readonly numPretrain: number;
  readonly numLabelled: number;
  readonly numVal: number;
}

/** Billions of floating point operations of a pre-training and of what judges it. */
export function workOf(
  recipes: RunRecipes,
  readouts: readonly Readout[],
  sizes: DataSizes,
): number {
  return (
    pretrainWork(recipes, sizes) +
    (readouts.includes('probe') ? probeWork(recipes, sizes) : 0) +
    (readouts.includes('finetune') ? finetuneWork(recipes, sizes) : 0)
  );
}

/** Billions of floating point operations of a pre-training. */
function pretrainWork({ pretrain }: RunRecipes, { numPretrain }: DataSizes): number {
  const { model, data, train } = pretrain;
  const { decoderWidth: width, decoderDepth: depth, decoderHeads: numHeads } = model;
  const config = {
    ...clipConfig(data),
    encoder: encoderOf(model),
    decoder: { width, depth, numHeads },
  };
  const mask = { kind: data.mask, ratio: data.maskRatio };
  const visible = countTokens(config) - countMasked(tokenGrid(config), mask);
  const numClips = train.epochs * (data.epochSamples ?? numPretrain);
  return (3 * numClips * pretrainFlops(config, visible)) / 1e9;
}

function probeWork({ probe }: RunRecipes, { numLabelled, numVal }: DataSizes): number {
  const { data, model, train, test } = probe;
  const numClips = train.clipsPerVideo * numLabelled + test.segments * test.crops * numVal;
  return (numClips * encoderFlops({ ...clipConfig(data), encoder: encoderOf(model) })) / 1e9;
}

function finetuneWork({ finetune }: RunRecipes, { numLabelled, numVal }: DataSizes): number {
  const { data, model, train, test } = finetune;
  const trained = 3 * train.epochs * data.repeats * numLabelled;
  const numClips = trained + test.segments * test.crops * numVal;
  return (numClips * encoderFlops({ ...clipConfig(data), encoder: encoderOf(model) })) / 1e9;
}
