/**
 * Frames spread over the whole video: the rules of VideoMAE for fine-tuning and testing on Something-Something V2.
 *
 * Source: VideoMAE (Tong et al. 2022) and its released data sets, after TSN (Wang et al. 2016); quirks included.
 */

import { checkInteger } from '../core/index.ts';
import type { Rng } from '../core/index.ts';

/**
 * Chooses one random frame from each of `numFrames` segments of equal length. What is left after the last full segment is
 * never used, and a video with fewer than `numFrames` frames gives frame 0 only.
 *
 * @throws {RangeError} if a number is not an integer ≥ 1
 */
export function uniformTrainFrames(numVideoFrames: number, numFrames: number, rng: Rng): number[] {
  checkCounts(numVideoFrames, numFrames);
  const segment = Math.floor(numVideoFrames / numFrames);
  return Array.from({ length: numFrames }, (_, index) =>
    segment === 0 ? 0 : index * segment + rng.integer(0, segment),
  );
}

/**
 * Chooses the frames of the two test views, which take turns in a grid of `2 * numFrames` frames over the whole video.
 * Shape `[2][numFrames]`.
 *
 * @throws {RangeError} if a number is not an integer ≥ 1
 */
export function uniformTestFrames(numVideoFrames: number, numFrames: number): [number[], number[]] {
  checkCounts(numVideoFrames, numFrames);
  const tick = numVideoFrames / numFrames;
  const grid = Array.from({ length: numFrames }, (_, index) => [
    Math.trunc(tick * index),
    Math.trunc(tick / 2 + tick * index),
  ]).flat();
  return [grid.filter((_, index) => index % 2 === 0), grid.filter((_, index) => index % 2 === 1)];
}

function checkCounts(numVideoFrames: number, numFrames: number): void {
  checkInteger('numVideoFrames', numVideoFrames, { min: 1 });
  checkInteger('numFrames', numFrames, { min: 1 });
}
