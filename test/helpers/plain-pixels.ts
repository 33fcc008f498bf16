/**
 * The pixel loops of `decode` once more, one value at a time: from planes of brightness and colour to RGB.
 *
 * Source: the colours of JFIF 1.02 in words of 16 bits; the triangle filter of libjpeg (jdsample.c).
 */

import type { ColourLayout } from '../../lib/decode/jpeg-header.ts';

/** A plane of samples without gaps. */
export interface PlainPlane {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** RGB of one pixel. */
export function colourOf(y: number, cb: number, cr: number): [number, number, number] {
  const product = (difference: number, factor: number): number =>
    ((difference - 128) * 256 * Math.round(factor * 8192) + 0x4000) >> 15;
  const level = (sum: number): number => Math.max(0, Math.min(255, (64 * y + 32 + sum) >> 6));
  return [
    level(product(cr, 1.402)),
    level(product(cb, -0.344_136) + product(cr, -0.714_136)),
    level(product(cb, 1.772)),
  ];
}

/** A row of colour samples, or the blend of two, drawn out to twice as many; the sums of both rows, three to one, are in 2^-2. */
export function stretch(
  near: ArrayLike<number>,
  far: ArrayLike<number>,
  [roundEven, roundOdd]: readonly [number, number],
): number[] {
  const sums = Array.from({ length: near.length }, (_, i) => 3 * near[i]! + far[i]!);
  return sums.flatMap((sum, i) => [
    (3 * sum + (sums[i - 1] ?? sum) + roundEven) >> 4,
    (3 * sum + (sums[i + 1] ?? sum) + roundOdd) >> 4,
  ]);
}

/** Converts a whole picture; uint8 `[height, width, 3]`. */
export function convertPlanes(
  [brightness, cb, cr]: readonly PlainPlane[],
  layout: ColourLayout | null,
): Uint8Array {
  const { width, height, data } = brightness!;
  const out = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    const [cbRow, crRow] = [cb, cr].map((plane) => colourRow(plane, layout, row));
    for (let x = 0; x < width; x++) {
      const pixel = colourOf(data[row * width + x]!, cbRow?.[x] ?? 128, crRow?.[x] ?? 128);
      out.set(pixel, (row * width + x) * 3);
    }
  }
  return out;
}

function colourRow(
  plane: PlainPlane | undefined,
  layout: ColourLayout | null,
  row: number,
): ArrayLike<number> | null {
  if (plane === undefined || layout === null) return null;
  const { width, height, data } = plane;
  const rowAt = (index: number): Uint8Array => {
    const start = Math.max(0, Math.min(height - 1, index)) * width;
    return data.subarray(start, start + width);
  };
  if (layout.halfWidth === 0) return rowAt(row);
  if (layout.halfHeight === 0) return stretch(rowAt(row), rowAt(row), [4, 8]);
  const near = row >> 1;
  return stretch(rowAt(near), rowAt(near + (row % 2 === 0 ? -1 : 1)), [8, 7]);
}

/** Largest difference, in levels of 255; infinite if the sizes differ. */
export function largestDifference(a: Uint8Array, b: Uint8Array): number {
  let most = a.length === b.length ? 0 : Infinity;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!));
  return most;
}

/** A rectangle of a picture that is `width` pixels wide. */
export function cutOut(
  pixels: Uint8Array,
  width: number,
  crop: {
    readonly left: number;
    readonly top: number;
    readonly width: number;
    readonly height: number;
  },
): Uint8Array {
  return Uint8Array.from({ length: crop.width * crop.height * 3 }, (_, i) => {
    const x = crop.left + (Math.floor(i / 3) % crop.width);
    const y = crop.top + Math.floor(i / 3 / crop.width);
    return pixels[(y * width + x) * 3 + (i % 3)]!;
  });
}
