/**
 * Colours as the network sees them, and the pixels it has to predict. Colour is the fastest axis of clips and of tokens, so
 * everything here takes both layouts.
 *
 * Source: VideoMAE (Tong et al. 2022) and its released code. Differs: targets are computed from bytes with exact sums, so a
 * cube of one colour gives just 0, where float32 leaves an offset of some hundredths.
 */

import { checkInteger, checkNumber } from '../core/index.ts';
import { checkLength } from './clip-buffer.ts';

/** One number per channel. */
export type Colour = readonly [red: number, green: number, blue: number];

/** Mean and standard deviation of each channel, for pixels in 0 … 1. */
export interface ColourStats {
  readonly mean: Colour;
  readonly std: Colour;
}

/** For each channel a line that takes bytes to numbers: `byte * slope + shift`. */
export interface ColourLines {
  readonly slope: Colour;
  readonly shift: Colour;
}

/** Which tokens become targets, and whether each is normalised. */
export interface TargetOptions {
  /** Bytes of a token, a multiple of 3. */
  readonly tokenBytes: number;
  /** Tokens to take, in this order. Default: all. */
  readonly tokens?: ArrayLike<number>;
  /** Whether a target is per token and channel (value - mean) / deviation, or the pixels in 0 … 1. Default true. */
  readonly isNormalised?: boolean;
  /** Filled and returned; must have just the length of the result. */
  readonly out?: Float32Array;
}

/** Where a token begins in both buffers, and its bytes. */
interface Place {
  readonly from: number;
  readonly to: number;
  readonly length: number;
}

/** What ImageNet's colours are, which VideoMAE uses for all data sets. */
export const IMAGENET_COLOURS: ColourStats = Object.freeze({
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
} as const);

/** Added to the deviation, not to the variance. */
const EPSILON = 1e-6;

/**
 * Gives `(byte / 255 - mean) / std`. Shapes: any, uint8 to float32, as long as colour is the fastest axis; fresh memory unless
 * `out` is given.
 *
 * @throws {RangeError} if the length is no multiple of 3, `out` has another length, or a deviation is not above 0
 */
export function normalisePixels(
  pixels: Uint8Array,
  colours: ColourStats = IMAGENET_COLOURS,
  out: Float32Array = new Float32Array(pixels.length),
): Float32Array {
  checkLength('pixels', pixels, Math.floor(pixels.length / 3) * 3);
  checkLength('out', out, pixels.length);
  const { slope, shift } = colourLines(colours);
  const [redSlope, greenSlope, blueSlope] = slope;
  const [redShift, greenShift, blueShift] = shift;
  for (let i = 0; i < pixels.length; i += 3) {
    out[i] = (pixels[i] ?? 0) * redSlope + redShift;
    out[i + 1] = (pixels[i + 1] ?? 0) * greenSlope + greenShift;
    out[i + 2] = (pixels[i + 2] ?? 0) * blueSlope + blueShift;
  }
  return out;
}

/**
 * Gives the targets of tokens. Shapes: `tokens` uint8 `[N, P]`, result float32 `[M, P]`, M the number of chosen tokens.
 * Per token and channel over its P / 3 pixels in 0 … 1: mean, unbiased deviation, `(value - mean) / (deviation + 1e-6)`.
 *
 * @throws {RangeError} if the tokens do not fill the buffer, one that is asked for does not exist, it holds one
 *   pixel, or `out` has another length
 */
export function makeTargets(tokens: Uint8Array, options: TargetOptions): Float32Array {
  const { tokenBytes, isNormalised = true } = options;
  checkInteger('tokenBytes', tokenBytes, { min: isNormalised ? 6 : 3 });
  checkInteger('tokenBytes / 3', tokenBytes / 3);
  const numTokens = Math.floor(tokens.length / tokenBytes);
  checkLength('tokens', tokens, numTokens * tokenBytes);
  const chosen = options.tokens ?? Array.from({ length: numTokens }, (_, token) => token);
  const out = options.out ?? new Float32Array(chosen.length * tokenBytes);
  checkLength('out', out, chosen.length * tokenBytes);
  for (let index = 0; index < chosen.length; index++) {
    const token = chosen[index] ?? Number.NaN;
    checkInteger('tokens', token, { min: 0, max: numTokens - 1 });
    const place = { from: token * tokenBytes, to: index * tokenBytes, length: tokenBytes };
    if (isNormalised) normaliseToken(tokens, out, place);
    else scaleToken(tokens, out, place);
  }
  return out;
}

/**
 * Gives the lines from bytes to normalised colours; to 0 … 1 without `colours`.
 *
 * @throws {RangeError} if a deviation is not above 0
 */
export function colourLines(colours?: ColourStats): ColourLines {
  const { mean, std } = colours ?? { mean: [0, 0, 0], std: [1, 1, 1] };
  for (const value of mean) checkNumber('mean', value);
  for (const value of std) checkNumber('std', value, { min: Number.MIN_VALUE });
  return {
    slope: [1 / (255 * std[0]), 1 / (255 * std[1]), 1 / (255 * std[2])],
    shift: [-mean[0] / std[0], -mean[1] / std[1], -mean[2] / std[2]],
  };
}

function scaleToken(source: Uint8Array, target: Float32Array, { from, to, length }: Place): void {
  for (let i = 0; i < length; i++) target[to + i] = (source[from + i] ?? 0) / 255;
}

/**
 * Normalises the three channels of a token. All at once, since every third byte alone costs as many reads of memory as all. Sums
 * of bytes and of their squares are exact in double precision for tokens of up to 10^11 pixels.
 */
function normaliseToken(
  source: Uint8Array,
  target: Float32Array,
  { from, to, length }: Place,
): void {
  let [red, green, blue] = [0, 0, 0];
  let [redSquares, greenSquares, blueSquares] = [0, 0, 0];
  for (let i = from; i < from + length; i += 3) {
    const r = source[i] ?? 0;
    const g = source[i + 1] ?? 0;
    const b = source[i + 2] ?? 0;
    red += r;
    green += g;
    blue += b;
    redSquares += r * r;
    greenSquares += g * g;
    blueSquares += b * b;
  }
  const count = length / 3;
  const [redMean, greenMean, blueMean] = [red / count, green / count, blue / count];
  const redFactor = factorOf(count, red, redSquares);
  const greenFactor = factorOf(count, green, greenSquares);
  const blueFactor = factorOf(count, blue, blueSquares);
  for (let i = 0; i < length; i += 3) {
    target[to + i] = ((source[from + i] ?? 0) - redMean) * redFactor;
    target[to + i + 1] = ((source[from + i + 1] ?? 0) - greenMean) * greenFactor;
    target[to + i + 2] = ((source[from + i + 2] ?? 0) - blueMean) * blueFactor;
  }
}

/** One by the unbiased deviation of so many bytes. */
function factorOf(count: number, sum: number, squares: number): number {
  const deviation = Math.sqrt((count * squares - sum * sum) / (count * (count - 1)));
  return 1 / (deviation + 255 * EPSILON);
}
