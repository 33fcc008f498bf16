/** Rules for the frames of a clip, by name. They count stored frames. */

import type { Rng } from '../../core/index.ts';
import {
  clipFrames,
  denseExactFrames,
  denseTestFrames,
  denseTrainFrames,
  pretrainFrames,
  uniformTestFrames,
  uniformTrainFrames,
} from '../../sample/index.ts';

/**
 * How the frames of a clip are chosen: `'pretrain'`, `'dense'` and `'uniform'` by the released code of VideoMAE for pre-training,
 * Kinetics-400 and Something-Something V2, quirks included; `'dense-exact'` with the exact stride; `'first'` from the start.
 */
export type FrameRule = 'pretrain' | 'dense' | 'dense-exact' | 'uniform' | 'first';

/** What a rule looks at. */
export interface FrameChoice {
  readonly numStored: number;
  readonly numFrames: number;
  readonly stride: number;
}

/** Which of how many test segments. */
export interface Segment {
  readonly segment: number;
  readonly numSegments: number;
}

type TrainRule = (choice: FrameChoice, rng: Rng) => number[];

const TRAIN: Readonly<Record<FrameRule, TrainRule>> = {
  pretrain: ({ numStored, ...clip }, rng) => pretrainFrames(numStored, clip, rng),
  dense: ({ numStored, ...clip }, rng) => denseTrainFrames(numStored, clip, rng),
  'dense-exact': ({ numStored, ...clip }, rng) => denseExactFrames(numStored, clip, rng),
  uniform: ({ numStored, numFrames }, rng) => uniformTrainFrames(numStored, numFrames, rng),
  first: ({ numStored, ...clip }) =>
    clipFrames(0, numStored, { ...clip, shortVideo: 'repeat-last' }),
};

/** The names of all rules, for option parsers. */
export const FRAME_RULES: readonly FrameRule[] = Object.keys(TRAIN) as FrameRule[];

/** Draws the stored frames of a clip for training; all are below `numStored`, which is at least 1. */
export function drawFrames(rule: FrameRule, choice: FrameChoice, rng: Rng): number[] {
  return TRAIN[rule](choice, rng);
}

/** Gives the stored frames of a test segment; `'uniform'` has two of them. */
export function testFrames(
  rule: FrameRule,
  { numStored, numFrames, stride }: FrameChoice,
  { segment, numSegments }: Segment,
): number[] {
  const segments =
    rule === 'uniform'
      ? uniformTestFrames(numStored, numFrames)
      : denseTestFrames(numStored, { numFrames, stride, numViews: numSegments });
  return segments[segment] ?? [];
}
