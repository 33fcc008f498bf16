/**
 * Kinetics-400. Paper: VideoMAE (Tong et al. 2022), tables 8 and 9 and the released scripts; top-1 of ViT-B after 800 epochs of
 * pre-training: 80.0 (81.0 with repeats), after 1600: 81.5. Time: the authors used 64 V100. Here: not yet run.
 *
 * Differs between paper and scripts: batches of pre-training (1024, 2048), batch, rate and RandAugment of fine-tuning, flip.
 */

import { FINETUNE, PRETRAIN } from './defaults.ts';
import type { FinetuneRecipe, PretrainRecipe } from './recipe.ts';

/** Pre-training as the paper has it: flipped, batches of 1024. */
export const K400_PRETRAIN: PretrainRecipe = Object.freeze({
  ...PRETRAIN,
  name: 'k400-pretrain',
  data: Object.freeze({ ...PRETRAIN.data, flip: 0.5 }),
});

/** Pre-training as the released script has it: not flipped, batches of 2048, 1600 epochs. */
export const K400_PRETRAIN_SCRIPT: PretrainRecipe = Object.freeze({
  ...PRETRAIN,
  name: 'k400-pretrain-script',
  train: Object.freeze({ ...PRETRAIN.train, epochs: 1600, batchSize: 2048, accumulate: 128 }),
});

/** Fine-tuning as the paper has it. */
export const K400_FINETUNE: FinetuneRecipe = Object.freeze({ ...FINETUNE, name: 'k400-finetune' });

/** Fine-tuning as the released script for 1600 epochs has it. */
export const K400_FINETUNE_SCRIPT: FinetuneRecipe = Object.freeze({
  ...FINETUNE,
  name: 'k400-finetune-script',
  data: Object.freeze({ ...FINETUNE.data, randAugment: 'rand-m7-n4-mstd0.5-inc1' }),
  train: Object.freeze({ ...FINETUNE.train, batchSize: 384, accumulate: 48, lr: 5e-4 }),
});
