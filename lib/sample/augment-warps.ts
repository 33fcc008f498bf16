/**
 * Operations of RandAugment that move pixels: rotate, shear, translate. All work in place on uint8 `[T, H, W, 3]`; what comes
 * from outside the frame is grey.
 *
 * Source: the method of Pillow's `transform` and `rotate` with bicubic sampling (Keys' cubic with a = -1, edges repeated, result
 * cut to bytes), which VideoMAE's fine-tuning uses.
 */

import type { ClipOperation } from './augment-levels.ts';
import type { ClipShape } from './clip-buffer.ts';

/** Rotates by `degrees`, counter-clockwise as seen, around the middle. */
export const rotate: ClipOperation = (clip, shape, degrees) => {
  const [, height, width] = shape;
  const cos = Math.cos((degrees * Math.PI) / 180);
  const sin = Math.sin((degrees * Math.PI) / 180);
  const u0 = (width - cos * width + sin * height) / 2;
  const v0 = (height - sin * width - cos * height) / 2;
  warp(clip, shape, { ux: cos, uy: -sin, u0, vx: sin, vy: cos, v0 });
};

/** Shifts each row by `factor` of its distance from the top. */
export const shearX: ClipOperation = (clip, shape, factor) =>
  warp(clip, shape, { ...SAME, uy: factor });

/** Shifts each column by `factor` of its distance from the left. */
export const shearY: ClipOperation = (clip, shape, factor) =>
  warp(clip, shape, { ...SAME, vx: factor });

/** Shifts to the left by `part` of the width. */
export const translateX: ClipOperation = (clip, shape, part) =>
  warp(clip, shape, { ...SAME, u0: part * shape[2] });

/** Shifts up by `part` of the height. */
export const translateY: ClipOperation = (clip, shape, part) =>
  warp(clip, shape, { ...SAME, v0: part * shape[1] });

/** Where the pixel with its centre at (x, y) comes from: `u = ux * x + uy * y + u0`, `v = vx * x + vy * y + v0`. */
interface Affine {
  readonly ux: number;
  readonly uy: number;
  readonly u0: number;
  readonly vx: number;
  readonly vy: number;
  readonly v0: number;
}

/** One row of output pixels: byte of the first tap in a padded frame, -1 for grey; four weights along each side. */
interface RowPlan {
  readonly at: Int32Array;
  readonly alongX: Float64Array;
  readonly alongY: Float64Array;
}

const SAME: Affine = { ux: 1, uy: 0, u0: 0, vx: 0, vy: 1, v0: 0 };
const GREY = 128;
/** Pixels repeated around a frame, so that no tap lies outside. */
const PADDING = 2;
/** Far below a grey level, and above rounding errors, which would cut a level that is met exactly to the one below. */
const NUDGE = 1e-9;

/** Rows outside, frames inside: a row's plan is the same for all frames. */
function warp(clip: Uint8Array, shape: ClipShape, affine: Affine): void {
  const [numFrames, height, width] = shape;
  const stride = (width + 2 * PADDING) * 3;
  const padded = padFrames(clip, shape);
  const paddedBytes = padded.length / numFrames;
  const isAlongX = affine.vx === 0 && affine.vy === 1 && affine.v0 === 0;
  const isAlongY = affine.ux === 1 && affine.uy === 0 && affine.u0 === 0;
  const at = new Int32Array(width);
  const plan = { at, alongX: new Float64Array(width * 4), alongY: new Float64Array(width * 4) };
  for (let row = 0; row < height; row++) {
    planRow(plan, row, { height, affine });
    for (let frame = 0; frame < numFrames; frame++) {
      const source = padded.subarray(frame * paddedBytes, (frame + 1) * paddedBytes);
      const line = (frame * height + row) * width * 3;
      const target = clip.subarray(line, line + width * 3);
      if (isAlongX)
        sampleLine(source.subarray(stride), target, { at, weights: plan.alongX, step: 3 });
      else if (isAlongY)
        sampleLine(source.subarray(3), target, { at, weights: plan.alongY, step: stride });
      else sampleArea(source, target, { plan, stride });
    }
  }
}

function planRow(
  { at, alongX, alongY }: RowPlan,
  row: number,
  { height, affine }: { readonly height: number; readonly affine: Affine },
): void {
  const width = at.length;
  const stride = (width + 2 * PADDING) * 3;
  const { ux, uy, u0, vx, vy, v0 } = affine;
  for (let column = 0; column < width; column++) {
    const u = ux * (column + 0.5) + uy * (row + 0.5) + u0;
    const v = vx * (column + 0.5) + vy * (row + 0.5) + v0;
    if (u < 0 || u >= width || v < 0 || v >= height) {
      at[column] = -1;
      continue;
    }
    const x = Math.floor(u - 0.5);
    const y = Math.floor(v - 0.5);
    at[column] = (y - 1 + PADDING) * stride + (x - 1 + PADDING) * 3;
    writeCubic(alongX, column * 4, u - 0.5 - x);
    writeCubic(alongY, column * 4, v - 0.5 - y);
  }
}

/** Weights of the four pixels around a point that lies `d` behind the second, with a = -1. */
function writeCubic(weights: Float64Array, at: number, d: number): void {
  weights[at] = d * (-1 + d * (2 - d));
  weights[at + 1] = 1 + d * d * (d - 2);
  weights[at + 2] = d * (1 + d * (1 - d));
  weights[at + 3] = d * d * (d - 1);
}

/** Samples along one direction: four taps, `step` bytes apart. */
function sampleLine(
  source: Uint8Array,
  target: Uint8Array,
  { at, weights, step }: { at: Int32Array; weights: Float64Array; step: number },
): void {
  for (let column = 0, to = 0; column < at.length; column++, to += 3) {
    const from = at[column] ?? -1;
    if (from < 0) {
      target[to] = target[to + 1] = target[to + 2] = GREY;
      continue;
    }
    const w0 = weights[column * 4] ?? 0;
    const w1 = weights[column * 4 + 1] ?? 0;
    const w2 = weights[column * 4 + 2] ?? 0;
    const w3 = weights[column * 4 + 3] ?? 0;
    for (let channel = 0; channel < 3; channel++) {
      const tap = from + channel;
      const near = w1 * (source[tap + step] ?? 0) + w2 * (source[tap + 2 * step] ?? 0);
      const far = w0 * (source[tap] ?? 0) + w3 * (source[tap + 3 * step] ?? 0);
      target[to + channel] = cutToByte(near + far);
    }
  }
}

/** Samples in both directions: four rows of four taps. */
function sampleArea(
  source: Uint8Array,
  target: Uint8Array,
  { plan: { at, alongX, alongY }, stride }: { plan: RowPlan; stride: number },
): void {
  for (let column = 0, to = 0; column < at.length; column++, to += 3) {
    let tap = at[column] ?? -1;
    if (tap < 0) {
      target[to] = target[to + 1] = target[to + 2] = GREY;
      continue;
    }
    const w0 = alongX[column * 4] ?? 0;
    const w1 = alongX[column * 4 + 1] ?? 0;
    const w2 = alongX[column * 4 + 2] ?? 0;
    const w3 = alongX[column * 4 + 3] ?? 0;
    for (let channel = 0; channel < 3; channel++, tap++) {
      let sum = 0;
      for (let row = 0, from = tap; row < 4; row++, from += stride) {
        const near = w1 * (source[from + 3] ?? 0) + w2 * (source[from + 6] ?? 0);
        const far = w0 * (source[from] ?? 0) + w3 * (source[from + 9] ?? 0);
        sum += (alongY[column * 4 + row] ?? 0) * (near + far);
      }
      target[to + channel] = cutToByte(sum);
    }
  }
}

function cutToByte(value: number): number {
  const whole = (value + NUDGE) | 0;
  return whole < 0 ? 0 : whole > 255 ? 255 : whole;
}

/** Copies each frame into a larger one whose border repeats the frame's edge. */
function padFrames(clip: Uint8Array, [numFrames, height, width]: ClipShape): Uint8Array {
  const stride = (width + 2 * PADDING) * 3;
  const edge = PADDING * 3;
  const padded = new Uint8Array(numFrames * (height + 2 * PADDING) * stride);
  for (let frame = 0; frame < numFrames; frame++) {
    for (let row = -PADDING; row < height + PADDING; row++) {
      const inside = Math.min(height - 1, Math.max(0, row));
      const from = (frame * height + inside) * width * 3;
      const to = (frame * (height + 2 * PADDING) + row + PADDING) * stride;
      const line = padded.subarray(to, to + stride);
      line.set(clip.subarray(from, from + width * 3), edge);
      for (let i = 0; i < edge; i++) {
        line[i] = line[edge + (i % 3)] ?? 0;
        line[stride - edge + i] = line[stride - edge - 3 + (i % 3)] ?? 0;
      }
    }
  }
  return padded;
}
