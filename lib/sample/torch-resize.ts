/**
 * Resizing to floats as PyTorch does it, with colours normalised on the way. No filter widening: when shrinking, pixels in
 * between are skipped, as the fine-tuning of VideoMAE does.
 *
 * Source: the method of `interpolate` with mode bilinear and half-pixel centres. Differs: the reference normalises first; both
 * are linear, so only the last bits differ.
 */

import { checkInteger } from '../core/index.ts';
import { checkClip, checkLength } from './clip-buffer.ts';
import { checkCrop } from './geometry.ts';
import type { Crop, Size } from './geometry.ts';
import { colourLines } from './normalise.ts';
import type { ColourLines, ColourStats } from './normalise.ts';
import type { ClipShape } from './clip-buffer.ts';

/** What to take from each frame, how large to make it, and how to normalise it. */
export interface FloatResizeOptions {
  /** The rectangle to scale; pixels around it are never looked at. Default: the whole frame. */
  readonly crop?: Crop;
  /** Size of the result in pixels. */
  readonly size: Size;
  /** Default: none, the result is in 0 … 1. */
  readonly colours?: ColourStats;
  /** Filled and returned; must have just the length of the result. */
  readonly out?: Float32Array;
}

/** For each output position the two source positions around it, and the part of the second. */
interface Pairs {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly part: Float64Array;
}

/**
 * Crops, scales and normalises all frames of a clip.
 * Shapes: `clip` uint8 `[T, H, W, 3]`, result float32 `[T, size.height, size.width, 3]`.
 *
 * @throws {RangeError} if the crop does not fit, a deviation is not above 0, or a buffer has the wrong length
 */
export function resizeClipToFloat(
  clip: Uint8Array,
  shape: ClipShape,
  options: FloatResizeOptions,
): Float32Array {
  const [numFrames, frameHeight, frameWidth] = shape;
  const { size } = options;
  const crop = options.crop ?? { left: 0, top: 0, width: frameWidth, height: frameHeight };
  checkClip('clip', clip, shape);
  checkCrop(crop, frameWidth, frameHeight);
  checkInteger('size.width', size.width, { min: 1 });
  checkInteger('size.height', size.height, { min: 1 });
  const frameLength = size.width * size.height * 3;
  const out = options.out ?? new Float32Array(numFrames * frameLength);
  checkLength('out', out, numFrames * frameLength);
  const columns = pairsOf(crop.width, size.width);
  const rows = pairsOf(crop.height, size.height);
  const lines = colourLines(options.colours);
  let upper = new Float32Array(size.width * 3);
  let lower = new Float32Array(size.width * 3);
  for (let frame = 0; frame < numFrames; frame++) {
    const frameAt = ((frame * frameHeight + crop.top) * frameWidth + crop.left) * 3;
    const scaleRow = (row: number, target: Float32Array): void =>
      scaleOneRow(clip.subarray(frameAt + row * frameWidth * 3), columns, lines, target);
    let upperRow = -1;
    let lowerRow = -1;
    for (let y = 0; y < size.height; y++) {
      const first = rows.first[y] ?? 0;
      const second = rows.second[y] ?? 0;
      if (lowerRow === first) {
        [upper, lower] = [lower, upper];
        [upperRow, lowerRow] = [lowerRow, upperRow];
      }
      if (upperRow !== first) scaleRow(first, upper);
      if (lowerRow !== second) scaleRow(second, lower);
      [upperRow, lowerRow] = [first, second];
      blendRows(
        upper,
        lower,
        rows.part[y] ?? 0,
        out.subarray(frame * frameLength + y * upper.length),
      );
    }
  }
  return out;
}

function scaleOneRow(
  source: Uint8Array,
  { first, second, part }: Pairs,
  { slope, shift }: ColourLines,
  target: Float32Array,
): void {
  const [redSlope, greenSlope, blueSlope] = slope;
  const [redShift, greenShift, blueShift] = shift;
  for (let x = 0, to = 0; x < first.length; x++, to += 3) {
    const a = (first[x] ?? 0) * 3;
    const b = (second[x] ?? 0) * 3;
    const weight = part[x] ?? 0;
    const red = source[a] ?? 0;
    const green = source[a + 1] ?? 0;
    const blue = source[a + 2] ?? 0;
    target[to] = (red + weight * ((source[b] ?? 0) - red)) * redSlope + redShift;
    target[to + 1] = (green + weight * ((source[b + 1] ?? 0) - green)) * greenSlope + greenShift;
    target[to + 2] = (blue + weight * ((source[b + 2] ?? 0) - blue)) * blueSlope + blueShift;
  }
}

function blendRows(
  upper: Float32Array,
  lower: Float32Array,
  part: number,
  target: Float32Array,
): void {
  for (let i = 0; i < upper.length; i++) {
    const above = upper[i] ?? 0;
    target[i] = above + part * ((lower[i] ?? 0) - above);
  }
}

function pairsOf(from: number, to: number): Pairs {
  const first = new Int32Array(to);
  const second = new Int32Array(to);
  const part = new Float64Array(to);
  for (let index = 0; index < to; index++) {
    const position = Math.max(0, ((index + 0.5) * from) / to - 0.5);
    const below = Math.min(from - 1, Math.floor(position));
    first[index] = below;
    second[index] = Math.min(from - 1, below + 1);
    part[index] = position - below;
  }
  return { first, second, part };
}
