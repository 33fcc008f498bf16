/**
 * HMDB51; shards made with `--stride 2`. Paper: VideoMAE (Tong et al. 2022), appendix; there is no script. Top-1 of ViT-B: 62.6 without
 * other data. Not stated and ours: warm-up, and what the paper leaves open as in UCF101. Here: not yet run.
 */

import { UCF101_FINETUNE, UCF101_PRETRAIN } from './ucf101.ts';
import type { FinetuneRecipe, PretrainRecipe } from './recipe.ts';

/** Pre-training, 4800 epochs. */
export const HMDB51_PRETRAIN: PretrainRecipe = Object.freeze({
  ...UCF101_PRETRAIN,
  name: 'hmdb51-pretrain',
  train: Object.freeze({ ...UCF101_PRETRAIN.train, epochs: 4800 }),
});

/** Fine-tuning, 50 epochs. */
export const HMDB51_FINETUNE: FinetuneRecipe = Object.freeze({
  ...UCF101_FINETUNE,
  name: 'hmdb51-finetune',
  model: Object.freeze({ ...UCF101_FINETUNE.model, headDropout: 0 }),
  train: Object.freeze({ ...UCF101_FINETUNE.train, epochs: 50, lr: 1e-3 }),
  test: Object.freeze({ segments: 10, crops: 3 }),
});
