/**
 * Sizes and crops of pictures as integers. `left` and `top` count from the upper left corner; all values are pixels.
 */

import { checkInteger } from '../core/index.ts';
import { spreadEvenly } from './clip.ts';
import type { Crop, Size } from '../decode/index.ts';

export type { Crop, Size } from '../decode/index.ts';

/**
 * Gives the size after scaling the short side to `shortSide`, the long side rounded down and at least 1; 0 keeps the size.
 *
 * Source: torchvision `resize` with one integer. Differs: nothing. PyTorchVideo divides before it multiplies, which can give
 * one pixel less when the exact long side is a whole number.
 *
 * @throws {RangeError} if a side is not an integer ≥ 1 or `shortSide` not one ≥ 0
 */
export function shortSideSize(width: number, height: number, shortSide: number): Size {
  checkSize(width, height);
  checkInteger('shortSide', shortSide, { min: 0 });
  if (shortSide === 0) return { width, height };
  const scale = (side: number): number =>
    Math.max(1, Math.floor((side * shortSide) / Math.min(width, height)));
  return { width: scale(width), height: scale(height) };
}

/**
 * Gives the square of `size` pixels in the middle. An odd number of spare pixels is halved to the even neighbour (5 → 2,
 * 7 → 4), which is how torchvision's `CenterCrop` and VideoMAE's validation round.
 *
 * @throws {RangeError} if the square does not fit
 */
export function centerCrop(width: number, height: number, size: number): Crop {
  checkSize(width, height);
  checkInteger('size', size, { min: 1, max: Math.min(width, height) });
  const left = halveToEven(width - size);
  return { left, top: halveToEven(height - size), width: size, height: size };
}

/**
 * Gives `numViews` squares as large as the short side, spread evenly along the long side from end to end, offsets rounded
 * down; a single one is in the middle.
 *
 * Source: VideoMAE's test views, which are three. A middle view may lie one pixel before {@link centerCrop}: the official
 * code rounds the two differently.
 *
 * @throws {RangeError} if a number is not an integer ≥ 1
 */
export function viewCrops(width: number, height: number, numViews: number): Crop[] {
  checkSize(width, height);
  const size = Math.min(width, height);
  return spreadEvenly(Math.max(width, height) - size, numViews).map((offset) => ({
    left: width > height ? offset : 0,
    top: width > height ? 0 : offset,
    width: size,
    height: size,
  }));
}

/**
 * Checks that a crop is made of integers and lies inside a picture.
 *
 * @throws {RangeError} naming the side that does not fit
 */
export function checkCrop(crop: Crop, width: number, height: number): void {
  checkInteger('crop.left', crop.left, { min: 0, max: width - 1 });
  checkInteger('crop.top', crop.top, { min: 0, max: height - 1 });
  checkInteger('crop.width', crop.width, { min: 1, max: width - crop.left });
  checkInteger('crop.height', crop.height, { min: 1, max: height - crop.top });
}

function checkSize(width: number, height: number): void {
  checkInteger('width', width, { min: 1 });
  checkInteger('height', height, { min: 1 });
}

function halveToEven(spare: number): number {
  const half = Math.floor(spare / 2);
  return spare % 2 === 1 && half % 2 === 1 ? half + 1 : half;
}
