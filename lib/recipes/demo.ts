/**
 * The runs of `tubelet demo`: ViT-Ti on clips of 8 frames of 32 pixels, which are whole videos of a second, in tubelets of 2 x 16 x 16: 16
 * tokens a clip. Values are ours, for minutes on two cores. Rates are for batches of 256, as all are: a batch of 32 has an eighth. Rates of
 * 1e-3 and more for such batches made all features alike.
 */

import type { FinetuneRecipe, PretrainRecipe, ProbeRecipe } from './recipe.ts';
import { SMALL_FINETUNE, SMALL_PRETRAIN, SMALL_PROBE } from './small.ts';

const CLIP = { size: 32, patch: 16, crop: 'center' } as const;

/** Pre-training. */
export const DEMO_PRETRAIN: PretrainRecipe = Object.freeze({
  ...SMALL_PRETRAIN,
  name: 'demo-pretrain',
  data: Object.freeze({
    ...SMALL_PRETRAIN.data,
    ...CLIP,
    mask: 'random',
    maskRatio: 0.5,
  }),
  train: Object.freeze({
    ...SMALL_PRETRAIN.train,
    epochs: 24,
    warmupEpochs: 1,
    batchSize: 32,
    lr: 1.6e-3,
    minLr: 1e-4,
  }),
});

/** Fine-tuning, which begins with the encoder and head of the probe. */
export const DEMO_FINETUNE: FinetuneRecipe = Object.freeze({
  ...SMALL_FINETUNE,
  name: 'demo-finetune',
  model: Object.freeze({ ...SMALL_FINETUNE.model, dropPath: 0 }),
  data: Object.freeze({
    ...SMALL_FINETUNE.data,
    ...CLIP,
    mixupAlpha: 0,
    cutmixAlpha: 0,
    smoothing: 0,
  }),
  train: Object.freeze({
    ...SMALL_FINETUNE.train,
    epochs: 8,
    warmupEpochs: 1,
    batchSize: 32,
    lr: 6e-3,
    minLr: 1e-5,
    layerDecay: 0.75,
  }),
  test: Object.freeze({ segments: 1, crops: 1 }),
});

/** Training from scratch: as many steps of the same clips, with the rate that suits drawn weights. */
export const DEMO_SCRATCH: FinetuneRecipe = Object.freeze({
  ...DEMO_FINETUNE,
  name: 'demo-scratch',
  train: Object.freeze({ ...DEMO_FINETUNE.train, lr: 2.4e-3, layerDecay: 1 }),
});

/** Linear probe. */
export const DEMO_PROBE: ProbeRecipe = Object.freeze({
  ...SMALL_PROBE,
  name: 'demo-probe',
  model: Object.freeze({ ...SMALL_PROBE.model, features: 'classifier' }),
  data: Object.freeze({ ...SMALL_PROBE.data, ...CLIP }),
  train: Object.freeze({
    ...SMALL_PROBE.train,
    epochs: 40,
    warmupEpochs: 4,
    clipsPerVideo: 1,
  }),
  test: Object.freeze({ segments: 1, crops: 1 }),
});
