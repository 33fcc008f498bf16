/**
 * Small runs that end on two cores: clips of 8 frames of 64 pixels, ViT-Ti. Made for `tubelet demo`; values are ours.
 */

import { FINETUNE, PRETRAIN, encoderOf } from './defaults.ts';
import type { FinetuneRecipe, PretrainRecipe, ProbeRecipe } from './recipe.ts';

const CLIP = {
  numFrames: 8,
  stride: 1,
  size: 64,
  tubeletFrames: 2,
  patch: 8,
  frames: 'dense',
  flip: 0,
} as const;

const SAVE = Object.freeze({ everyEpochs: 5, everySteps: null, keep: 1 });

/** Pre-training. */
export const SMALL_PRETRAIN: PretrainRecipe = Object.freeze({
  ...PRETRAIN,
  name: 'small-pretrain',
  model: Object.freeze({
    ...encoderOf('Ti', 0),
    decoderWidth: 96,
    decoderDepth: 4,
    decoderHeads: 3,
  }),
  data: Object.freeze({ ...PRETRAIN.data, ...CLIP }),
  train: Object.freeze({
    ...PRETRAIN.train,
    epochs: 40,
    warmupEpochs: 4,
    batchSize: 16,
    accumulate: 1,
    lr: 6e-3,
    minLr: 1e-4,
  }),
  save: SAVE,
});

/** Fine-tuning; classes of the demo are directions, so nothing is flipped. */
export const SMALL_FINETUNE: FinetuneRecipe = Object.freeze({
  ...FINETUNE,
  name: 'small-finetune',
  model: Object.freeze({ ...encoderOf('Ti', 0.1), headDropout: 0, headScale: 0.001 }),
  data: Object.freeze({
    ...FINETUNE.data,
    ...CLIP,
    randAugment: null,
    erasing: 0,
    repeats: 1,
    mixProbability: 0.5,
  }),
  train: Object.freeze({
    ...FINETUNE.train,
    epochs: 30,
    warmupEpochs: 3,
    batchSize: 16,
    accumulate: 1,
    lr: 8e-3,
    minLr: 1e-4,
  }),
  test: Object.freeze({ segments: 2, crops: 1 }),
  save: SAVE,
});

/** Linear probe. */
export const SMALL_PROBE: ProbeRecipe = Object.freeze({
  name: 'small-probe',
  task: 'probe',
  model: Object.freeze({ ...encoderOf('Ti', 0), features: 'encoder' }),
  data: Object.freeze({ ...CLIP, crop: 'multi-scale' }),
  train: Object.freeze({
    epochs: 100,
    warmupEpochs: 10,
    batchSize: 64,
    lr: 0.1,
    momentum: 0.9,
    weightDecay: 0,
    optimizer: 'sgd',
    batchNorm: true,
    clipsPerVideo: 2,
    seed: 0,
  }),
  test: Object.freeze({ segments: 2, crops: 1 }),
});

/** The probe of the paper's appendix (SSv2); what it does not state, such as normalised features, is ours. */
export const SSV2_PROBE: ProbeRecipe = Object.freeze({
  ...SMALL_PROBE,
  name: 'ssv2-probe',
  model: Object.freeze({ ...SMALL_PROBE.model, ...encoderOf('B', 0) }),
  data: Object.freeze({
    ...SMALL_PROBE.data,
    numFrames: 16,
    size: 224,
    patch: 16,
    frames: 'uniform',
  }),
  train: Object.freeze({ ...SMALL_PROBE.train, batchSize: 1024, clipsPerVideo: 1 }),
  test: Object.freeze({ segments: 2, crops: 3 }),
});
