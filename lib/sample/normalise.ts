/**
 * Colours as the network sees them, and the pixels it has to predict. Colour is the fastest axis of clips and of tokens, so
 * everything here takes both layouts.
 *
 * Source: VideoMAE (Tong et al. 2022) and its released code. Differs: targets are computed from bytes with exact sums, so a
 * cube of one colour gives just 0, where float32 leaves an offset of some hundredths.
 */

import { WasmMachine, checkInteger, checkNumber } from '../core/index.ts';
import { checkLength } from './clip-buffer.ts';
import { VALUES_AT_A_TIME, drawLines, normaliseTokens } from './normalise-kernels.ts';

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

/** What ImageNet's colours are, which VideoMAE uses for all data sets. */
export const IMAGENET_COLOURS: ColourStats = Object.freeze({
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
} as const);

/** Added to the deviation, not to the variance. */
const EPSILON = 1e-6;
/** Bytes that go through the loops at a time, a multiple of twelve: their numbers stay in the processor's nearest caches. */
const PIECE_BYTES = 12_288;
/** Sums of squares of more pixels do not fit 32 bits. */
const MAX_TOKEN_PIXELS = 65_536;

const LOOPS = { drawLines, normaliseTokens } as const;
let ownMachine: WasmMachine<typeof LOOPS> | undefined;

/**
 * Gives `(byte / 255 - mean) / std` as `byte * slope + shift`, each step rounded to float32. Shapes: any, uint8 to float32, as
 * long as colour is the fastest axis; fresh memory unless `out` is given.
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
  const machine = (ownMachine ??= new WasmMachine(LOOPS));
  const start = machine.mark;
  const lines = machine.place(repeatColours(slope, shift));
  const source = machine.reserve(PIECE_BYTES);
  const target = machine.reserve(PIECE_BYTES * 4);
  const numbers = new Float32Array(machine.bytes.buffer, target, PIECE_BYTES);
  for (let from = 0; from < pixels.length; from += PIECE_BYTES) {
    const count = Math.min(PIECE_BYTES, pixels.length - from);
    machine.bytes.set(pixels.subarray(from, from + count), source);
    machine.run('drawLines', { source, count, lines, out: target });
    out.set(count === PIECE_BYTES ? numbers : numbers.subarray(0, count), from);
  }
  machine.release(start);
  return out;
}

/**
 * Gives the targets of tokens. Shapes: `tokens` uint8 `[N, P]`, result float32 `[M, P]`, M the number of chosen tokens.
 * Per token and channel over its P / 3 pixels in 0 … 1: mean, unbiased deviation, `(value - mean) / (deviation + 1e-6)`.
 *
 * @throws {RangeError} if the tokens do not fill the buffer, one that is asked for does not exist, it holds one
 *   pixel or, to be normalised, more than 65,536, or `out` has another length
 */
export function makeTargets(tokens: Uint8Array, options: TargetOptions): Float32Array {
  const { tokenBytes, isNormalised = true } = options;
  const limits = isNormalised ? { min: 6, max: MAX_TOKEN_PIXELS * 3 } : { min: 3 };
  checkInteger('tokenBytes', tokenBytes, limits);
  checkInteger('tokenBytes / 3', tokenBytes / 3);
  const numTokens = Math.floor(tokens.length / tokenBytes);
  checkLength('tokens', tokens, numTokens * tokenBytes);
  const chosen = options.tokens ?? Array.from({ length: numTokens }, (_, token) => token);
  const out = options.out ?? new Float32Array(chosen.length * tokenBytes);
  checkLength('out', out, chosen.length * tokenBytes);
  for (let index = 0; index < chosen.length; index++) {
    checkInteger('tokens', chosen[index] ?? Number.NaN, { min: 0, max: numTokens - 1 });
  }
  if (isNormalised) normaliseChosen(tokens, chosen, tokenBytes, out);
  else scaleChosen(tokens, chosen, tokenBytes, out);
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

/** Four pixels' slopes, then their shifts, as the loops read them. */
function repeatColours(...colours: readonly Colour[]): Uint8Array {
  const four = colours.flatMap((colour) => [colour, colour, colour, colour].flat());
  return new Uint8Array(Float32Array.from(four).buffer);
}

function scaleChosen(
  source: Uint8Array,
  chosen: ArrayLike<number>,
  length: number,
  target: Float32Array,
): void {
  for (let index = 0; index < chosen.length; index++) {
    const [from, to] = [(chosen[index] ?? 0) * length, index * length];
    for (let i = 0; i < length; i++) target[to + i] = (source[from + i] ?? 0) / 255;
  }
}

/** Normalises tokens, some at a time. */
function normaliseChosen(
  tokens: Uint8Array,
  chosen: ArrayLike<number>,
  tokenBytes: number,
  out: Float32Array,
): void {
  const machine = (ownMachine ??= new WasmMachine(LOOPS));
  const start = machine.mark;
  const stride = Math.ceil(tokenBytes / VALUES_AT_A_TIME) * VALUES_AT_A_TIME;
  const most = Math.max(1, Math.floor(PIECE_BYTES / stride));
  const count = tokenBytes / 3;
  const pairs = [count, count * (count - 1), 255 * EPSILON].flatMap((value) => [value, value]);
  const constants = machine.place(new Uint8Array(Float64Array.from(pairs).buffer));
  const source = machine.reserve(most * stride);
  const target = machine.reserve(most * tokenBytes * 4);
  const { bytes } = machine;
  bytes.fill(0, source, source + most * stride);
  const numbers = new Float32Array(bytes.buffer, target, most * tokenBytes);
  for (let first = 0; first < chosen.length; first += most) {
    const numTokens = Math.min(most, chosen.length - first);
    for (let i = 0; i < numTokens; i++) {
      const from = (chosen[first + i] ?? 0) * tokenBytes;
      bytes.set(tokens.subarray(from, from + tokenBytes), source + i * stride);
    }
    const job = { source, numTokens, stride, tokenBytes, constants, out: target };
    machine.run('normaliseTokens', job);
    const isFull = numTokens === most;
    out.set(isFull ? numbers : numbers.subarray(0, numTokens * tokenBytes), first * tokenBytes);
  }
  machine.release(start);
}
