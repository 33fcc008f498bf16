/**
 * Multi-scale crops, the pre-training augmentation of VideoMAE: four sizes, their mixed pairs, thirteen places each.
 *
 * Source: VideoMAE (Tong et al. 2022) and its released code, after TSN (Wang et al. 2016). Differs: in frames that the
 * output size does not fit or that are a few pixels small, a crop stays inside the frame and has at least one pixel.
 */

import { checkInteger } from '../core/index.ts';
import type { Rng } from '../core/index.ts';
import type { Crop, Size } from './geometry.ts';

/** Sides of crops as parts of the short side of the frame. */
const SCALES: readonly number[] = [1, 0.875, 0.75, 0.66];

/** A side as near as this to the output size is taken to be the output size, which saves a resize. Pixels. */
const SNAP_PIXELS = 2;

/** Places of a crop, in quarters of the room it has to the right and below. */
const PLACES: readonly (readonly [right: number, down: number])[] = [
  [0, 0],
  [4, 0],
  [0, 4],
  [4, 4],
  [2, 2],
  [0, 2],
  [4, 2],
  [2, 4],
  [2, 0],
  [1, 1],
  [3, 1],
  [1, 3],
  [3, 3],
];

/**
 * Draws one crop for all frames of a clip: a pair of sides, then a place, both uniformly.
 * `size` is the side in pixels of the square that the crop will be scaled to.
 *
 * @throws {RangeError} if a side is not an integer ≥ 1
 */
export function drawMultiScaleCrop(frame: Size, size: number, rng: Rng): Crop {
  const pairs = multiScalePairs(frame, size);
  const { width, height } = pick(pairs, rng);
  const [right, down] = pick(PLACES, rng);
  return {
    left: right * quarter(frame.width - width),
    top: down * quarter(frame.height - height),
    width,
    height,
  };
}

/** The ten sizes a crop can have: width and height are equal or next to each other in {@link SCALES}. */
function multiScalePairs(frame: Size, size: number): Size[] {
  checkInteger('frame.width', frame.width, { min: 1 });
  checkInteger('frame.height', frame.height, { min: 1 });
  checkInteger('size', size, { min: 1 });
  const short = Math.min(frame.width, frame.height);
  const sides = SCALES.map((scale) => {
    const side = Math.max(1, Math.trunc(short * scale));
    return Math.abs(side - size) <= SNAP_PIXELS && size <= short ? size : side;
  });
  return sides.flatMap((height, row) =>
    sides
      .filter((_, column) => Math.abs(row - column) <= 1)
      .map((width): Size => ({ width, height })),
  );
}

function pick<T>(items: readonly T[], rng: Rng): T {
  return items[rng.integer(0, items.length)] as T;
}

function quarter(room: number): number {
  return Math.floor(room / 4);
}
