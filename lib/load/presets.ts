/**
 * Sets of loader options for the three jobs of VideoMAE, to be spread before options of one's own.
 *
 * Source: VideoMAE (Tong et al. 2022) and its released code for Kinetics-400. Something-Something V2 differs: `frames: 'uniform'` in
 * fine-tuning and evaluation, `flip: 0`, and two segments.
 */

import type { LoaderOptions } from './options.ts';

/** The jobs. */
export type Preset = 'pretrain' | 'finetune' | 'evaluate';

/**
 * `pretrain`: multi-scale crop, tubes of 90 %, normalised targets. `finetune`: RandAugment, random resized crop, flip, erasing, Mixup
 * and CutMix, smoothed labels, every clip twice. `evaluate`: five segments times three crops, missing clips named.
 */
export const PRESETS: Readonly<Record<Preset, Readonly<Partial<LoaderOptions>>>> = Object.freeze({
  pretrain: Object.freeze({
    frames: 'pretrain',
    crop: 'multi-scale',
    mask: Object.freeze({ kind: 'tube', ratio: 0.9 }),
    remainder: 'drop',
  }),
  finetune: Object.freeze({
    frames: 'dense',
    randAugment: 'rand-m7-n4-mstd0.5-inc1',
    crop: 'resized',
    flip: 0.5,
    erasing: 0.25,
    repeats: 2,
    mix: Object.freeze({ mixupAlpha: 0.8, cutmixAlpha: 1, probability: 1, switchProbability: 0.5 }),
    smoothing: 0.1,
    remainder: 'drop',
  }),
  evaluate: Object.freeze({
    frames: 'dense',
    views: Object.freeze({ segments: 5, crops: 3 }),
    shuffle: 'none',
    onError: 'missing',
    remainder: 'uneven',
  }),
});
