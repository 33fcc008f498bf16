/**
 * Random resized crops, the fine-tuning augmentation of VideoMAE: a box of random area and aspect per clip.
 *
 * Source: VideoMAE (Tong et al. 2022) and its released code, after Szegedy et al. 2015.
 */

import { checkInteger, checkNumber } from '../core/index.ts';
import type { Rng } from '../core/index.ts';
import type { Crop, Size } from './geometry.ts';
import { drawBox, roundHalfToEven } from './random-box.ts';
import type { Range } from './random-box.ts';

/** Bounds of the box, inclusive: part of the frame's area in 0 … 1, and width / height. */
export interface ResizedCropOptions {
  readonly area: Range;
  readonly aspect: Range;
}

/** The released values; the upper aspect is 1.3333, not 4/3. */
const DEFAULTS: ResizedCropOptions = Object.freeze({
  area: [0.08, 1],
  aspect: [0.75, 1.3333],
} as const);

const ATTEMPTS = 10;

/**
 * Draws one crop for all frames of a clip. When ten tries do not fit, which happens in very long frames, it is the largest
 * centred box with an allowed aspect.
 *
 * @throws {RangeError} if a side is not an integer ≥ 1 or a range is empty or out of bounds
 */
export function drawResizedCrop(
  frame: Size,
  rng: Rng,
  options: ResizedCropOptions = DEFAULTS,
): Crop {
  const { area, aspect } = options;
  checkInteger('frame.width', frame.width, { min: 1 });
  checkInteger('frame.height', frame.height, { min: 1 });
  checkRange('area', area, 1);
  checkRange('aspect', aspect, 1000);
  const logAspect: Range = [Math.log(aspect[0]), Math.log(aspect[1])];
  const rule = { area, logAspect, attempts: ATTEMPTS, mayFill: true };
  return drawBox(frame, rule, rng) ?? largestCrop(frame, aspect);
}

function largestCrop(frame: Size, [narrowest, widest]: Range): Crop {
  const aspect = frame.width / frame.height;
  let { width, height } = frame;
  if (aspect < narrowest) height = Math.max(1, roundHalfToEven(width / narrowest));
  if (aspect > widest) width = Math.max(1, roundHalfToEven(height * widest));
  const left = Math.floor((frame.width - width) / 2);
  return { left, top: Math.floor((frame.height - height) / 2), width, height };
}

function checkRange(name: string, [from, to]: Range, max: number): void {
  checkNumber(`${name}[0]`, from, { min: 0.001, max });
  checkNumber(`${name}[1]`, to, { min: from, max });
}
