/** A run that takes a second or two: a network of two narrow blocks on clips of a few pixels. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { changeRecipe, findRecipe } from '../../lib/recipes/index.ts';
import type { FinetuneRecipe, PretrainRecipe, ProbeRecipe } from '../../lib/recipes/index.ts';
import { writeClips } from './make-clips.ts';
import type { ClipsForm } from './make-clips.ts';
import { temporaryFolder } from './make-dataset.ts';

/** Twelve raw samples in two shards. */
const SMALL_CLIPS: ClipsForm = {
  layout: 'raw',
  shape: [6, 20, 30, 3],
  sizes: [7, 5],
};

const COMMON = [
  'model.width=24',
  'model.depth=2',
  'model.heads=2',
  'data.numFrames=4',
  'data.size=16',
  'data.patch=4',
  'train.batchSize=4',
  'train.warmupEpochs=1',
  'train.epochs=3',
  'train.lr=0.06',
];

/** Pre-training: three epochs of three steps. */
export function smallPretrain(...changes: string[]): PretrainRecipe {
  return changeRecipe(findRecipe('pretrain', 'small-pretrain'), [
    ...COMMON,
    'model.decoderWidth=12',
    'model.decoderDepth=1',
    'model.decoderHeads=2',
    'data.maskRatio=0.75',
    ...changes,
  ]);
}

/** Fine-tuning: three epochs of three steps. */
export function smallFinetune(...changes: string[]): FinetuneRecipe {
  return changeRecipe(findRecipe('finetune', 'small-finetune'), [...COMMON, ...changes]);
}

/** A probe of thirty epochs of two steps. */
export function smallProbe(...changes: string[]): ProbeRecipe {
  return changeRecipe(findRecipe('probe', 'small-probe'), [
    ...COMMON,
    'train.epochs=30',
    'train.batchSize=12',
    'train.lr=10',
    ...changes,
  ]);
}

/** A temporary folder with the shards of {@link SMALL_CLIPS} in it. */
export async function smallShards(
  t: ExecutionContext,
  form: ClipsForm = SMALL_CLIPS,
): Promise<{ readonly folder: string; readonly shards: string }> {
  const folder = await temporaryFolder(t);
  const shards = join(folder, 'shards');
  await mkdir(shards);
  await writeClips(shards, form);
  return { folder, shards };
}

/** Changes for runs that are stopped: random numbers in every step, micro steps, an average, checkpoints between epochs. */
export const RESUMABLE: readonly string[] = [
  'model.dropPath=0.2',
  'train.accumulate=2',
  'train.clipNorm=1',
  'train.emaDecay=0.9',
  'save.everySteps=2',
];
