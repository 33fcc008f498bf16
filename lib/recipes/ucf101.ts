/**
 * UCF101, split 1. Paper: VideoMAE (Tong et al. 2022), appendix, and the released scripts, which agree with it as far as it goes;
 * top-1 of ViT-B: 91.3 without other data. Time: the authors used 8 GPUs. Here: not yet run.
 */

import { FINETUNE, PRETRAIN } from './defaults.ts';
import type { FinetuneRecipe, PretrainRecipe } from './recipe.ts';

/** Pre-training, 3200 epochs. */
export const UCF101_PRETRAIN: PretrainRecipe = Object.freeze({
  ...PRETRAIN,
  name: 'ucf101-pretrain',
  data: Object.freeze({ ...PRETRAIN.data, maskRatio: 0.75 }),
  train: Object.freeze({
    ...PRETRAIN.train,
    epochs: 3200,
    batchSize: 192,
    accumulate: 24,
    lr: 3e-4,
  }),
});

/** Fine-tuning: released script; the paper names batch, epochs, rate, layer decay and drop path. */
export const UCF101_FINETUNE: FinetuneRecipe = Object.freeze({
  ...FINETUNE,
  name: 'ucf101-finetune',
  model: Object.freeze({ ...FINETUNE.model, dropPath: 0.2, headDropout: 0.5 }),
  data: Object.freeze({ ...FINETUNE.data, randAugment: 'rand-m7-n4-mstd0.5-inc1' }),
  train: Object.freeze({
    ...FINETUNE.train,
    epochs: 100,
    batchSize: 128,
    accumulate: 16,
    lr: 5e-4,
    minLr: 1e-5,
    layerDecay: 0.7,
  }),
});
