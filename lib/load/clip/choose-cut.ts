/** Rules for the square of a clip, by name: which part of the stored frames, and how it is scaled. */

import type { Rng } from '../../core/index.ts';
import {
  centerCrop,
  drawMultiScaleCrop,
  drawResizedCrop,
  shortSideSize,
  viewCrops,
} from '../../sample/index.ts';
import type { Crop, Size } from '../../sample/index.ts';

/**
 * How the square is chosen: `'multi-scale'` as VideoMAE pre-trains, `'resized'` as it fine-tunes (random area and aspect);
 * `'random'` without scaling where frames are large enough; `'center'` of the frame scaled to fit.
 */
export type CropRule = 'multi-scale' | 'resized' | 'random' | 'center';

/** `crop` is cut from the stored frame and scaled to `size`; `window` is cut from the result. Pixels. */
export interface Cut {
  readonly crop: Crop;
  readonly size: Size;
  readonly window: Crop;
}

type Rule = (frame: Size, size: number, rng: Rng) => Cut;

const RULES: Readonly<Record<CropRule, Rule>> = {
  'multi-scale': (frame, size, rng) => scaledCrop(drawMultiScaleCrop(frame, size, rng), size),
  resized: (frame, size, rng) => scaledCrop(drawResizedCrop(frame, rng), size),
  random: cutRandomly,
  center: (frame, size) =>
    windowOf(frame, size, ({ width, height }) => centerCrop(width, height, size)),
};

/** The names of all rules, for option parsers. */
export const CROP_RULES: readonly CropRule[] = Object.keys(RULES) as CropRule[];

/** Draws the square of a clip of `size` pixels for training. */
export function drawCut(rule: CropRule, frame: Size, size: number, rng: Rng): Cut {
  return RULES[rule](frame, size, rng);
}

/** Gives the square of a test view: crop number `crop` of `numCrops` along the long side. */
export function testCut(
  frame: Size,
  size: number,
  { crop, numCrops }: { readonly crop: number; readonly numCrops: number },
): Cut {
  return windowOf(frame, size, ({ width, height }) => viewCrops(width, height, numCrops)[crop]);
}

function scaledCrop(crop: Crop, size: number): Cut {
  const square = { width: size, height: size };
  return { crop, size: square, window: whole(square) };
}

function cutRandomly(frame: Size, size: number, rng: Rng): Cut {
  const isLarge = Math.min(frame.width, frame.height) >= size;
  const { width, height } = isLarge ? frame : shortSideSize(frame.width, frame.height, size);
  const left = rng.integer(0, width - size + 1);
  const top = rng.integer(0, height - size + 1);
  const square = { left, top, width: size, height: size };
  if (isLarge) return { crop: square, size: square, window: whole(square) };
  return { crop: whole(frame), size: { width, height }, window: square };
}

/** A window of the frame scaled so that its short side is `size`. */
function windowOf(frame: Size, size: number, choose: (scaled: Size) => Crop | undefined): Cut {
  const scaled = shortSideSize(frame.width, frame.height, size);
  return { crop: whole(frame), size: scaled, window: choose(scaled) ?? whole(scaled) };
}

function whole({ width, height }: Size): Crop {
  return { left: 0, top: 0, width, height };
}
