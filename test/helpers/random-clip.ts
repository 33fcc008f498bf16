/** Clips to try things on. */

import type { Rng } from '../../lib/core/index.ts';
import type { ClipShape } from '../../lib/sample/index.ts';

/** A small random shape, `[T, H, W, 3]`. */
export function randomShape(rng: Rng): ClipShape {
  return [rng.integer(1, 4), rng.integer(1, 24), rng.integer(1, 24), 3];
}

/** A clip of random bytes. */
export function randomClip(shape: ClipShape, rng: Rng): Uint8Array {
  return Uint8Array.from({ length: shape[0] * shape[1] * shape[2] * 3 }, () => rng.integer(0, 256));
}

/** The largest distance between two arrays of the same length, NaN if one of them is longer. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.NaN;
  return Array.from(a).reduce((max, value, i) => Math.max(max, Math.abs(value - b[i]!)), 0);
}

/** Puts `[B, C, T, H, W]` into the order `[B, T, H, W, C]`. */
export function channelsLast<Pixels extends Uint8Array | Float32Array>(
  data: Pixels,
  numClips: number,
): Pixels {
  const out = data.slice() as Pixels;
  const plane = data.length / numClips / 3;
  for (let i = 0; i < data.length; i++) {
    const clip = Math.floor(i / (plane * 3));
    const channel = Math.floor(i / plane) % 3;
    out[(clip * plane + (i % plane)) * 3 + channel] = data[i]!;
  }
  return out;
}
