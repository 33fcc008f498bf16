/**
 * RandAugment for clips: a few random operations, the same for all frames. Choices are drawn once as a plan of plain data,
 * then applied.
 *
 * Source: Cubuk et al. 2019 with operations, ranges and order of draws of VideoMAE's released code ("increasing" variants).
 */

import { checkInteger, checkNumber } from '../core/index.ts';
import type { Rng } from '../core/index.ts';
import { brighten, contrast, saturate, sharpen } from './augment-blends.ts';
import {
  autoContrast,
  equalize,
  invert,
  posterize,
  solarize,
  solarizeAdd,
} from './augment-levels.ts';
import type { ClipOperation } from './augment-levels.ts';
import { rotate, shearX, shearY, translateX, translateY } from './augment-warps.ts';
import { checkClip } from './clip-buffer.ts';
import { drawGaussian } from './distributions.ts';
import type { ClipShape } from './clip-buffer.ts';

/** An operation by its usual name; of those with two variants, the one that grows with the magnitude. */
export type AugmentOperation =
  | 'AutoContrast'
  | 'Equalize'
  | 'Invert'
  | 'Rotate'
  | 'Posterize'
  | 'Solarize'
  | 'SolarizeAdd'
  | 'Color'
  | 'Contrast'
  | 'Brightness'
  | 'Sharpness'
  | 'ShearX'
  | 'ShearY'
  | 'TranslateX'
  | 'TranslateY';

/** One operation to apply; `argument` in its own unit (degrees, bits, level, factor, part of a side), 0 if it has none. */
export interface AugmentStep {
  readonly operation: AugmentOperation;
  readonly argument: number;
}

/** How many operations to draw (each is applied with probability a half) and how strong, 0 … 10, with which deviation. */
export interface RandAugmentConfig {
  readonly numOperations: number;
  readonly magnitude: number;
  readonly magnitudeStd: number;
}

interface OperationRule {
  readonly apply: ClipOperation;
  /** From strength in 0 … 1, times ±1 where the sign is random. */
  readonly argumentOf?: (strength: number) => number;
  readonly isSigned?: boolean;
}

const enhance = (strength: number): number => 1 + 0.9 * strength;

const OPERATIONS: Readonly<Record<AugmentOperation, OperationRule>> = {
  AutoContrast: { apply: autoContrast },
  Equalize: { apply: equalize },
  Invert: { apply: invert },
  Rotate: { apply: rotate, argumentOf: (strength) => 30 * strength, isSigned: true },
  Posterize: { apply: posterize, argumentOf: (strength) => 4 - Math.trunc(4 * strength) },
  Solarize: { apply: solarize, argumentOf: (strength) => 256 - Math.trunc(256 * strength) },
  SolarizeAdd: { apply: solarizeAdd, argumentOf: (strength) => Math.trunc(110 * strength) },
  Color: { apply: saturate, argumentOf: enhance, isSigned: true },
  Contrast: { apply: contrast, argumentOf: enhance, isSigned: true },
  Brightness: { apply: brighten, argumentOf: enhance, isSigned: true },
  Sharpness: { apply: sharpen, argumentOf: enhance, isSigned: true },
  ShearX: { apply: shearX, argumentOf: (strength) => 0.3 * strength, isSigned: true },
  ShearY: { apply: shearY, argumentOf: (strength) => 0.3 * strength, isSigned: true },
  TranslateX: { apply: translateX, argumentOf: (strength) => 0.45 * strength, isSigned: true },
  TranslateY: { apply: translateY, argumentOf: (strength) => 0.45 * strength, isSigned: true },
};

const OPERATION_NAMES = Object.keys(OPERATIONS) as AugmentOperation[];
const MAX_MAGNITUDE = 10;

/**
 * Reads a configuration such as `rand-m7-n4-mstd0.5-inc1`: magnitude 7, 4 operations, deviation 0.5 (0 if not given).
 *
 * @throws {RangeError} if a part is unknown, comes twice, is out of bounds or is missing; `inc1` must be there, since only the
 *   operations that grow with the magnitude are provided
 */
export function parseRandAugment(text: string): RandAugmentConfig {
  const [head, ...parts] = text.split('-');
  const values = new Map<string, number>();
  for (const part of parts) {
    const [, name, digits] = /^(mstd|inc|m|n)(\d+(?:\.\d+)?)$/.exec(part) ?? [];
    if (name === undefined || values.has(name)) throw wrongText(text);
    values.set(name, Number(digits));
  }
  const {
    m: magnitude,
    n: numOperations,
    mstd: magnitudeStd = 0,
    inc,
  } = Object.fromEntries(values);
  const isWhole = magnitude !== undefined && numOperations !== undefined && inc === 1;
  if (head !== 'rand' || !isWhole) throw wrongText(text);
  const config = { numOperations, magnitude, magnitudeStd };
  checkConfig(config);
  return config;
}

/**
 * Draws the operations of one clip: each uniformly among all 15, kept with probability a half, its magnitude normally distributed
 * and cut to 0 … 10, its sign random.
 *
 * @throws {RangeError} if the configuration is out of bounds
 */
export function planRandAugment(config: RandAugmentConfig, rng: Rng): AugmentStep[] {
  checkConfig(config);
  const drawn = Array.from(
    { length: config.numOperations },
    () => OPERATION_NAMES[rng.integer(0, OPERATION_NAMES.length)] as AugmentOperation,
  );
  return drawn.flatMap((operation) =>
    rng.uniform() < 0.5 ? [{ operation, argument: drawArgument(operation, config, rng) }] : [],
  );
}

/**
 * Applies a plan to every frame. Shapes: `clip` and result uint8 `[T, H, W, 3]`; fresh memory unless `out` is given, which may be
 * `clip` itself.
 *
 * @throws {RangeError} if a buffer does not match the shape
 */
export function applyRandAugment(
  clip: Uint8Array,
  shape: ClipShape,
  steps: readonly AugmentStep[],
  out: Uint8Array = new Uint8Array(clip.length),
): Uint8Array {
  checkClip('clip', clip, shape);
  checkClip('out', out, shape);
  if (out !== clip) out.set(clip);
  for (const { operation, argument } of steps) OPERATIONS[operation].apply(out, shape, argument);
  return out;
}

function drawArgument(operation: AugmentOperation, config: RandAugmentConfig, rng: Rng): number {
  const { argumentOf, isSigned = false } = OPERATIONS[operation];
  const { magnitude, magnitudeStd } = config;
  const raw = magnitudeStd === 0 ? magnitude : magnitude + magnitudeStd * drawGaussian(rng);
  const strength = Math.min(MAX_MAGNITUDE, Math.max(0, raw)) / MAX_MAGNITUDE;
  const sign = isSigned && rng.uniform() >= 0.5 ? -1 : 1;
  return argumentOf?.(sign * strength) ?? 0;
}

function checkConfig({ numOperations, magnitude, magnitudeStd }: RandAugmentConfig): void {
  checkInteger('numOperations', numOperations, { min: 1, max: 100 });
  checkNumber('magnitude', magnitude, { min: 0, max: MAX_MAGNITUDE });
  checkNumber('magnitudeStd', magnitudeStd, { min: 0, max: MAX_MAGNITUDE });
}

function wrongText(text: string): RangeError {
  return new RangeError(`"randAugment" must look like rand-m7-n4-mstd0.5-inc1 (got "${text}").`);
}
