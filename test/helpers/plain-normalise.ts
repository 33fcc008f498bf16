/** Normalisation of `sample` once more, one value at a time. */

import { colourLines } from '../../lib/sample/normalise.ts';
import type { ColourStats } from '../../lib/sample/index.ts';

/** `byte * slope + shift` for each colour, each step rounded to float32. */
export function plainPixels(pixels: Uint8Array, colours: ColourStats): Float32Array {
  const { slope, shift } = colourLines(colours);
  return Float32Array.from(pixels, (byte, i) => {
    const product = Math.fround(byte * Math.fround(slope[i % 3]!));
    return product + Math.fround(shift[i % 3]!);
  });
}

/** `(byte - mean) / (deviation + epsilon)` for each colour of a token, from exact sums, in double precision. */
export function plainTarget(token: Uint8Array): Float32Array {
  const count = token.length / 3;
  const channels = [0, 1, 2].map((channel) => {
    const values = token.filter((_, i) => i % 3 === channel);
    const sum = values.reduce((total, value) => total + value, 0);
    const squares = values.reduce((total, value) => total + value * value, 0);
    const deviation = Math.sqrt((count * squares - sum * sum) / (count * (count - 1)));
    return { mean: sum / count, factor: 1 / (deviation + 255 * 1e-6) };
  });
  return Float32Array.from(token, (byte, i) => {
    const { mean, factor } = channels[i % 3]!;
    return (byte - mean) * factor;
  });
}
