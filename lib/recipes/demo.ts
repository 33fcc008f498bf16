/**
 * The runs of `tubelet demo`: ViT-Ti on clips of 8 frames of 32 pixels, a second of video at 8 frames per second. Values are ours; rates are
 * for batches of 256, as all are, so that a batch of 16 has a sixteenth. Not tuned yet: see the README's limits.
 */

import type { FinetuneRecipe, PretrainRecipe, ProbeRecipe } from './recipe.ts';
import { SMALL_FINETUNE, SMALL_PRETRAIN, SMALL_PROBE } from './small.ts';

const CLIP = { size: 32, crop: 'center' } as const;

/** Pre-training. */
export const DEMO_PRETRAIN: PretrainRecipe = Object.freeze({
  ...SMALL_PRETRAIN,
  name: 'demo-pretrain',
  data: Object.freeze({ ...SMALL_PRETRAIN.data, ...CLIP, maskRatio: 0.75, target: 'pixels' }),
  train: Object.freeze({
    ...SMALL_PRETRAIN.train,
    epochs: 20,
    warmupEpochs: 1,
    lr: 0.0048,
  }),
});

/** Fine-tuning, and training from scratch. */
export const DEMO_FINETUNE: FinetuneRecipe = Object.freeze({
  ...SMALL_FINETUNE,
  name: 'demo-finetune',
  model: Object.freeze({ ...SMALL_FINETUNE.model, dropPath: 0 }),
  data: Object.freeze({ ...SMALL_FINETUNE.data, ...CLIP, mixupAlpha: 0, cutmixAlpha: 0 }),
  train: Object.freeze({ ...SMALL_FINETUNE.train, epochs: 6, warmupEpochs: 1, lr: 0.0032 }),
});

/** Linear probe. */
export const DEMO_PROBE: ProbeRecipe = Object.freeze({
  ...SMALL_PROBE,
  name: 'demo-probe',
  data: Object.freeze({ ...SMALL_PROBE.data, ...CLIP }),
  train: Object.freeze({ ...SMALL_PROBE.train, clipsPerVideo: 1 }),
});
