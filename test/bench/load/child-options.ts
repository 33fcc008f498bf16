/** What the programs of this benchmark are told. */

import type { LoaderOptions } from '../../../lib/load/index.ts';
import { PRESETS } from '../../../lib/load/index.ts';
import { NUM_FRAMES } from './data.ts';

/** Clips of a batch. */
export const BATCH_SIZE = 8;

/** What is made of the samples, by name. */
export type Recipe = 'tubelets' | 'checked' | 'masked' | 'bytes' | 'colours' | 'pretrain';

const CROPPED = { frames: 'pretrain', crop: 'multi-scale', form: 'frames' } as const;

/**
 * `tubelets`: finished clips as they are; `checked`: the same, every checksum each time; `masked`: as a pre-training step wants
 * them, float32; `bytes` and `colours`: 224 × 224 crops as RGB, or as normalised float32;
 * `pretrain`: the preset.
 */
const RECIPES: Readonly<Record<Recipe, Partial<LoaderOptions>>> = {
  tubelets: { dtype: 'uint8' },
  checked: { dtype: 'uint8', check: 'always' },
  masked: { mask: { kind: 'tube', ratio: 0.9 } },
  bytes: { ...CROPPED, dtype: 'uint8', numFrames: NUM_FRAMES },
  colours: { ...CROPPED, numFrames: NUM_FRAMES },
  pretrain: { ...PRESETS.pretrain, numFrames: NUM_FRAMES },
};

/** Options of a run that does not end by itself. */
export function loaderOptions(recipe: Recipe, workers: number): LoaderOptions {
  return { batchSize: BATCH_SIZE, seed: 0, epochs: Infinity, workers, ...RECIPES[recipe] };
}
