/**
 * Frames that stand close together: the rules of VideoMAE for pre-training (all data sets) and for fine-tuning and testing
 * on Kinetics-400, UCF101 and HMDB51. Random rules take their draws from the generator that is handed in.
 *
 * Source: VideoMAE (Tong et al. 2022) and its released data sets, quirks included, because all published numbers have them.
 */

import { checkInteger } from '../core/index.ts';
import type { Rng } from '../core/index.ts';
import { clipFrames, clipSpan } from './clip.ts';
import type { ClipOptions } from './clip.ts';

/** {@link ClipOptions} and how many clips to test per video, ≥ 1. */
export interface DenseTestOptions extends ClipOptions {
  readonly numViews: number;
}

/**
 * Chooses frames for pre-training: a random start, then every `stride`-th frame. A video with fewer than
 * `numFrames * stride` frames is taken from its start, and the last frame reached is repeated; as released, that walk stops
 * before the last frame of the video.
 *
 * @throws {RangeError} if a number is not an integer ≥ 1
 */
export function pretrainFrames(numVideoFrames: number, options: ClipOptions, rng: Rng): number[] {
  checkClip(numVideoFrames, options);
  const { numFrames, stride } = options;
  const numStarts = numVideoFrames - numFrames * stride + 1;
  let frame = numStarts > 0 ? rng.integer(0, numStarts) : 0;
  return Array.from({ length: numFrames }, (_, step) => {
    if (step > 0 && frame + stride + 1 < numVideoFrames) frame += stride;
    return frame;
  });
}

/**
 * Chooses frames for fine-tuning and validation as released: `numFrames` points evenly over `numFrames * stride` frames,
 * both ends included, so the true stride is a little larger (16 × 4: 64 / 15) and the last frame is never used.
 * {@link denseExactFrames} keeps the stride.
 *
 * @throws {RangeError} if a number is not an integer ≥ 1
 */
export function denseTrainFrames(numVideoFrames: number, options: ClipOptions, rng: Rng): number[] {
  checkClip(numVideoFrames, options);
  const { numFrames, stride } = options;
  const span = numFrames * stride;
  if (numVideoFrames <= span) {
    const numReal = Math.floor(numVideoFrames / stride);
    const padding = Array.from({ length: numFrames - numReal }, () => numVideoFrames);
    const points = [...evenPoints(0, numVideoFrames, numReal), ...padding];
    return points.map((point) => Math.trunc(Math.min(point, numVideoFrames - 1)));
  }
  const end = rng.integer(span, numVideoFrames);
  const points = evenPoints(end - span, end, numFrames);
  return points.map((point) => Math.trunc(Math.min(point, end - 1)));
}

/**
 * Chooses frames with a random start and the true stride; every start that fits is equally likely. A short video is taken
 * from its start, and the last frame reached is repeated.
 *
 * @throws {RangeError} if a number is not an integer ≥ 1
 */
export function denseExactFrames(numVideoFrames: number, options: ClipOptions, rng: Rng): number[] {
  checkClip(numVideoFrames, options);
  const numStarts = numVideoFrames - clipSpan(options.numFrames, options.stride) + 1;
  const start = numStarts > 0 ? rng.integer(0, numStarts) : 0;
  return clipFrames(start, numVideoFrames, { ...options, shortVideo: 'repeat-last' });
}

/**
 * Chooses the frames of all test views: every `stride`-th frame of the video, the last one repeated until there are
 * `numFrames`, and from these `numViews` evenly spread runs. Shape `[numViews][numFrames]`.
 *
 * Differs: one view is centred; the released code cannot do one.
 *
 * @throws {RangeError} if a number is not an integer ≥ 1
 */
export function denseTestFrames(numVideoFrames: number, options: DenseTestOptions): number[][] {
  checkClip(numVideoFrames, options);
  const { numFrames, stride, numViews } = options;
  checkInteger('numViews', numViews, { min: 1 });
  const numStrided = Math.ceil(numVideoFrames / stride);
  const room = Math.max(0, numStrided - numFrames);
  return Array.from({ length: numViews }, (_, view) => {
    const start = Math.trunc(numViews === 1 ? room / 2 : view * (room / (numViews - 1)));
    const frameAt = (step: number): number => Math.min(start + step, numStrided - 1) * stride;
    return Array.from({ length: numFrames }, (__, step) => frameAt(step));
  });
}

/** `count` evenly spaced numbers, both ends included; in double precision, because the rules cut them to integers. */
function evenPoints(start: number, end: number, count: number): number[] {
  if (count === 1) return [start];
  const step = (end - start) / (count - 1);
  return Array.from({ length: count }, (_, i) => (i === count - 1 ? end : i * step + start));
}

function checkClip(numVideoFrames: number, { numFrames, stride }: ClipOptions): void {
  checkInteger('numVideoFrames', numVideoFrames, { min: 1 });
  checkInteger('numFrames', numFrames, { min: 1 });
  checkInteger('stride', stride, { min: 1 });
}
