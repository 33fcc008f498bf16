/**
 * Something-Something V2; shards made with `--stride 2` (pre-training) and `--stride 1` (fine-tuning takes frames evenly). Paper:
 * VideoMAE (Tong et al. 2022), tables 8 and 9 and the released scripts; top-1 of ViT-B: 69.6 after 800 epochs, 70.8 after 2400. Time:
 * 19.5 hours on 64 V100 for 800 epochs. Here: not yet run. Nothing is flipped: classes know left from right.
 */

import { FINETUNE, PRETRAIN } from './defaults.ts';
import type { FinetuneRecipe, PretrainRecipe } from './recipe.ts';

const UNIFORM = { frames: 'uniform', flip: 0 } as const;

/** Pre-training as the paper has it. */
export const SSV2_PRETRAIN: PretrainRecipe = Object.freeze({ ...PRETRAIN, name: 'ssv2-pretrain' });

/** Pre-training as the released script has it: batches of 2048, 2400 epochs. */
export const SSV2_PRETRAIN_SCRIPT: PretrainRecipe = Object.freeze({
  ...PRETRAIN,
  name: 'ssv2-pretrain-script',
  train: Object.freeze({ ...PRETRAIN.train, epochs: 2400, batchSize: 2048, accumulate: 128 }),
});

/** Fine-tuning as the paper has it. */
export const SSV2_FINETUNE: FinetuneRecipe = Object.freeze({
  ...FINETUNE,
  name: 'ssv2-finetune',
  data: Object.freeze({ ...FINETUNE.data, ...UNIFORM }),
  train: Object.freeze({ ...FINETUNE.train, epochs: 40, lr: 5e-4 }),
  test: Object.freeze({ segments: 2, crops: 3 }),
});

/** Fine-tuning as the released script for 2400 epochs has it. */
export const SSV2_FINETUNE_SCRIPT: FinetuneRecipe = Object.freeze({
  ...SSV2_FINETUNE,
  name: 'ssv2-finetune-script',
  data: Object.freeze({ ...SSV2_FINETUNE.data, randAugment: 'rand-m7-n4-mstd0.5-inc1' }),
  train: Object.freeze({ ...SSV2_FINETUNE.train, epochs: 30, batchSize: 384, accumulate: 48 }),
});
