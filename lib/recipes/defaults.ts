/** What most recipes share; the values of the paper's K400 runs. */

import type { ModelSize } from '../model/index.ts';
import type { EncoderSection, FinetuneRecipe, PretrainRecipe, SaveSection } from './recipe.ts';

/** Clips of 16 frames of 224 pixels; shards made with `--stride 4` (K400, UCF101) or `--stride 2` (SSv2, HMDB51). */
const CLIP = Object.freeze({ numFrames: 16, stride: 1, size: 224, tubeletFrames: 2, patch: 16 });

/** An encoder of a size as it is. */
export function encoderOf(size: ModelSize, dropPath: number): EncoderSection {
  return { size, width: null, depth: null, heads: null, dropPath };
}

/** A checkpoint every ten epochs, the last two kept. */
const SAVE: SaveSection = Object.freeze({ everyEpochs: 10, everySteps: null, keep: 2 });

/** Pre-training of ViT-B: paper, appendix. */
export const PRETRAIN: PretrainRecipe = Object.freeze({
  name: 'pretrain',
  task: 'pretrain',
  model: Object.freeze({
    ...encoderOf('B', 0),
    decoderWidth: 384,
    decoderDepth: 4,
    decoderHeads: 6,
  }),
  data: Object.freeze({
    ...CLIP,
    frames: 'pretrain',
    crop: 'multi-scale',
    flip: 0,
    mask: 'tube',
    maskRatio: 0.9,
    target: 'normalised',
    epochSamples: null,
    targetFrames: 'own',
  }),
  train: Object.freeze({
    epochs: 800,
    warmupEpochs: 40,
    batchSize: 1024,
    accumulate: 64,
    lr: 1.5e-4,
    minLr: 1e-5,
    beta1: 0.9,
    beta2: 0.95,
    weightDecay: 0.05,
    weightDecayEnd: 0.05,
    clipNorm: null,
    emaDecay: null,
    seed: 0,
    loss: 'mse',
  }),
  save: SAVE,
});

/** Fine-tuning of ViT-B: paper, appendix. */
export const FINETUNE: FinetuneRecipe = Object.freeze({
  name: 'finetune',
  task: 'finetune',
  model: Object.freeze({ ...encoderOf('B', 0.1), headDropout: 0, headScale: 0.001 }),
  data: Object.freeze({
    ...CLIP,
    frames: 'dense',
    crop: 'resized',
    flip: 0.5,
    randAugment: 'rand-m9-n4-mstd0.5-inc1',
    erasing: 0.25,
    repeats: 2,
    mixupAlpha: 0.8,
    cutmixAlpha: 1,
    mixProbability: 1,
    mixSwitch: 0.5,
    smoothing: 0.1,
  }),
  train: Object.freeze({
    epochs: 75,
    warmupEpochs: 5,
    batchSize: 512,
    accumulate: 64,
    lr: 1e-3,
    minLr: 1e-6,
    beta1: 0.9,
    beta2: 0.999,
    weightDecay: 0.05,
    weightDecayEnd: 0.05,
    clipNorm: null,
    emaDecay: null,
    seed: 0,
    layerDecay: 0.75,
  }),
  test: Object.freeze({ segments: 5, crops: 3 }),
  save: SAVE,
});
