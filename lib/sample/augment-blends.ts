/**
 * Operations of RandAugment that move pixels away from a plain version of the frame, or towards it:
 * `base + factor * (pixel - base)`, in single precision, cut to bytes. All work in place on uint8 `[T, H, W, 3]`.
 *
 * Source: the definitions of Pillow's `ImageEnhance`, which VideoMAE's fine-tuning uses. As a base is a byte too, every blend
 * is a look-up in a table of base and pixel.
 */

import { applyTable } from './augment-levels.ts';
import type { ClipOperation } from './augment-levels.ts';
import type { ClipShape } from './clip-buffer.ts';

/** Brightness: the base is black. */
export const brighten: ClipOperation = (clip, _shape, factor) =>
  applyTable(clip, blendRow(0, factor));

/** Contrast: the base is the rounded mean luma of the frame. */
export const contrast: ClipOperation = (clip, [, height, width], factor) => {
  const frameBytes = height * width * 3;
  for (let at = 0; at < clip.length; at += frameBytes) {
    const frame = clip.subarray(at, at + frameBytes);
    let sum = 0;
    for (let i = 0; i < frame.length; i += 3) sum += lumaAt(frame, i);
    applyTable(frame, blendRow(Math.floor((3 * sum) / frameBytes + 0.5), factor));
  }
};

/** Colour: the base is the pixel's luma. */
export const saturate: ClipOperation = (clip, _shape, factor) => {
  const table = blendTable(factor);
  for (let i = 0; i < clip.length; i += 3) {
    const row = lumaAt(clip, i) << 8;
    clip[i] = table[row | (clip[i] ?? 0)] ?? 0;
    clip[i + 1] = table[row | (clip[i + 1] ?? 0)] ?? 0;
    clip[i + 2] = table[row | (clip[i + 2] ?? 0)] ?? 0;
  }
};

/** Sharpness: the base is the frame smoothed by a 3 × 3 kernel of ones around a 5; pixels on the border stay. */
export const sharpen: ClipOperation = (clip, shape, factor) => {
  const table = blendTable(factor);
  const frameBytes = shape[1] * shape[2] * 3;
  const source = new Uint8Array(frameBytes);
  for (let at = 0; at < clip.length; at += frameBytes) {
    const frame = clip.subarray(at, at + frameBytes);
    source.set(frame);
    sharpenFrame(source, frame, { shape, table });
  }
};

function sharpenFrame(
  source: Uint8Array,
  target: Uint8Array,
  { shape, table }: { readonly shape: ClipShape; readonly table: Uint8Array },
): void {
  const [, height, width] = shape;
  const stride = width * 3;
  const columns = new Int32Array(stride); // sums of three pixels, one above the other
  for (let row = 1; row < height - 1; row++) {
    const line = row * stride;
    for (let i = 0; i < stride; i++) {
      const at = line + i;
      columns[i] = (source[at - stride] ?? 0) + (source[at] ?? 0) + (source[at + stride] ?? 0);
    }
    for (let i = 3; i < stride - 3; i++) {
      const pixel = source[line + i] ?? 0;
      const box = (columns[i - 3] ?? 0) + (columns[i] ?? 0) + (columns[i + 3] ?? 0);
      const base = ((box + 4 * pixel + 6) / 13) | 0;
      target[line + i] = table[(base << 8) | pixel] ?? 0;
    }
  }
}

/** Luma of the pixel whose red is at `at`, in bytes, rounded. */
function lumaAt(pixels: Uint8Array, at: number): number {
  const red = pixels[at] ?? 0;
  const green = pixels[at + 1] ?? 0;
  const blue = pixels[at + 2] ?? 0;
  return (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16;
}

/** All blends: entry `base * 256 + pixel`. */
function blendTable(factor: number): Uint8Array {
  const table = new Uint8Array(256 * 256);
  for (let base = 0; base < 256; base++) table.set(blendRow(base, factor), base * 256);
  return table;
}

function blendRow(base: number, factor: number): Uint8Array {
  const row = new Uint8Array(256);
  const single = Math.fround(factor);
  for (let pixel = 0; pixel < 256; pixel++) {
    const blend = Math.fround(base + Math.fround(single * (pixel - base)));
    row[pixel] = Math.trunc(Math.min(255, Math.max(0, blend)));
  }
  return row;
}
