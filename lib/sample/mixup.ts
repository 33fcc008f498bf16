/**
 * Mixup and CutMix: every clip of a batch is mixed with its partner, clip `i` with clip `B - 1 - i`, and so are the targets.
 *
 * Source: Zhang et al. 2017 and Yun et al. 2019, with values and order of draws of VideoMAE's released code (mode "batch": one
 * draw for the whole batch).
 */

import { checkInteger, checkNumber } from '../core/index.ts';
import type { Rng } from '../core/index.ts';
import { checkLength } from './clip-buffer.ts';
import type { ClipShape } from './clip-buffer.ts';
import { drawBeta } from './distributions.ts';
import type { Crop, Size } from './geometry.ts';
import { tokenShape } from './tubelets.ts';
import type { TubeletShape } from './tubelets.ts';

/** How often and how strongly to mix. An alpha of 0 means never this kind; else both kinds are drawn from Beta(alpha, alpha). */
export interface MixOptions {
  readonly mixupAlpha: number;
  readonly cutmixAlpha: number;
  /** Part of the batches to mix at all, in 0 … 1. */
  readonly probability: number;
  /** Part of the mixed batches that get CutMix, in 0 … 1, when both kinds are on. */
  readonly switchProbability: number;
}

/** How one batch is mixed: `lambda` in 0 … 1 is the part of a clip that stays its own; the box, maybe empty, is the partner's. */
export type Mix =
  | { readonly kind: 'mixup'; readonly lambda: number }
  | { readonly kind: 'cutmix'; readonly lambda: number; readonly box: Crop };

/** Number of classes ≥ 1, smoothing and own part, both in 0 … 1. */
export interface SoftTargetOptions {
  readonly numClasses: number;
  /** Part of the target that is spread over all classes. */
  readonly smoothing: number;
  /** `lambda` of the batch's {@link Mix}; 1 (default) without mixing. */
  readonly lambda?: number;
}

const DEFAULTS: MixOptions = Object.freeze({
  mixupAlpha: 0.8,
  cutmixAlpha: 1,
  probability: 1,
  switchProbability: 0.5,
});

/**
 * Draws how to mix one batch; nothing if it stays as it is.
 *
 * @throws {RangeError} if a probability or alpha is out of bounds, both alphas are 0, or a side is not an integer ≥ 1
 */
export function drawMix(frame: Size, rng: Rng, options: MixOptions = DEFAULTS): Mix | undefined {
  const { mixupAlpha, cutmixAlpha, probability, switchProbability } = options;
  checkNumber('probability', probability, { min: 0, max: 1 });
  checkNumber('switchProbability', switchProbability, { min: 0, max: 1 });
  checkNumber('mixupAlpha', mixupAlpha, { min: 0 });
  checkNumber('cutmixAlpha', cutmixAlpha, { min: mixupAlpha === 0 ? Number.MIN_VALUE : 0 });
  if (rng.uniform() >= probability) return undefined;
  const isEither = mixupAlpha > 0 && cutmixAlpha > 0;
  const isCutmix = isEither ? rng.uniform() < switchProbability : cutmixAlpha > 0;
  if (isCutmix) return placeCutmix(frame, drawBeta(cutmixAlpha, rng), rng);
  return { kind: 'mixup', lambda: drawBeta(mixupAlpha, rng) };
}

/**
 * Places the box of CutMix: `1 - lambda` of the frame's area around a random pixel, cut off at the frame's edges. The mix
 * has the lambda of the box as it was cut.
 *
 * @throws {RangeError} if `lambda` is not in 0 … 1 or a side is not an integer ≥ 1
 */
export function placeCutmix(frame: Size, lambda: number, rng: Rng): Mix {
  checkInteger('frame.width', frame.width, { min: 1 });
  checkInteger('frame.height', frame.height, { min: 1 });
  checkNumber('lambda', lambda, { min: 0, max: 1 });
  const part = Math.sqrt(1 - lambda);
  const [top, bottom] = edges(frame.height, part, rng);
  const [left, right] = edges(frame.width, part, rng);
  const box = { left, top, width: right - left, height: bottom - top };
  const boxPart = (box.width * box.height) / (frame.width * frame.height);
  return { kind: 'cutmix', lambda: 1 - boxPart, box };
}

/**
 * Mixes a batch in place. Shapes: `batch` float32 `[B, T, H, W, 3]`, or `[B, N, P]` cut into tubelets; `shape` that of one clip.
 * The middle clip of an odd number is its own partner, so it stays as it is.
 *
 * @throws {RangeError} if the batch is not a number of clips, the box or the tubelets do not fit, or lambda is not in 0 … 1
 */
export function mixBatch(
  batch: Float32Array,
  shape: ClipShape,
  mix: Mix,
  tubelet?: TubeletShape,
): void {
  const clipLength = shape.reduce((product, side) => product * side, 1);
  const numClips = Math.floor(batch.length / clipLength);
  checkLength('batch', batch, numClips * clipLength);
  checkNumber('lambda', mix.lambda, { min: 0, max: 1 });
  const stretches = mix.kind === 'cutmix' ? boxStretches(shape, mix.box, tubelet) : [];
  for (let clip = 0; clip < numClips - 1 - clip; clip++) {
    const first = batch.subarray(clip * clipLength, (clip + 1) * clipLength);
    const partnerAt = batch.length - (clip + 1) * clipLength;
    const second = batch.subarray(partnerAt, partnerAt + clipLength);
    if (mix.kind === 'mixup') blend(first, second, mix.lambda);
    else swapStretches(first, second, stretches);
  }
}

/**
 * Gives the targets of a mixed and smoothed batch. Shapes: `labels` `[B]` in 0 … numClasses - 1, result float32
 * `[B, numClasses]`; each row sums to 1.
 *
 * @throws {RangeError} if a label or an option is out of bounds
 */
export function softTargets(labels: ArrayLike<number>, options: SoftTargetOptions): Float32Array {
  const { numClasses, smoothing, lambda = 1 } = options;
  checkInteger('numClasses', numClasses, { min: 1 });
  checkNumber('smoothing', smoothing, { min: 0, max: 1 });
  checkNumber('lambda', lambda, { min: 0, max: 1 });
  const targets = new Float64Array(labels.length * numClasses).fill(smoothing / numClasses);
  for (let i = 0; i < labels.length; i++) {
    const own = labels[i] ?? Number.NaN;
    const partner = labels[labels.length - 1 - i] ?? Number.NaN;
    checkInteger('labels', own, { min: 0, max: numClasses - 1 });
    for (const [label, part] of [
      [own, lambda],
      [partner, 1 - lambda],
    ] as const) {
      const at = i * numClasses + label;
      targets[at] = (targets[at] ?? 0) + (1 - smoothing) * part;
    }
  }
  return Float32Array.from(targets);
}

/** Both ends of the box along one side, the second exclusive. */
function edges(side: number, part: number, rng: Rng): [start: number, end: number] {
  const half = Math.floor(Math.trunc(side * part) / 2);
  const center = rng.integer(0, side);
  return [Math.max(0, center - half), Math.min(side, center + half)];
}

function blend(first: Float32Array, second: Float32Array, lambda: number): void {
  for (let i = 0; i < first.length; i++) {
    const a = first[i] ?? 0;
    const b = second[i] ?? 0;
    first[i] = lambda * a + (1 - lambda) * b;
    second[i] = lambda * b + (1 - lambda) * a;
  }
}

/** Where the rows of a box lie in a clip, as start and end of each stretch of memory. */
function boxStretches(
  shape: ClipShape,
  box: Crop,
  tubelet: TubeletShape | undefined,
): readonly (readonly [start: number, end: number])[] {
  const [numFrames, height, width] = shape;
  checkInteger('box.left', box.left, { min: 0, max: width });
  checkInteger('box.top', box.top, { min: 0, max: height });
  checkInteger('box.width', box.width, { min: 0, max: width - box.left });
  checkInteger('box.height', box.height, { min: 0, max: height - box.top });
  const rows: TubeletShape = [1, height, width]; // uncut: as if one frame were one token
  const [t, p, q] = tubelet ?? rows;
  if (tubelet !== undefined) tokenShape(shape, tubelet);
  const stretches: [number, number][] = [];
  for (let frame = 0; frame < numFrames; frame++) {
    for (let row = box.top; row < box.top + box.height; row++) {
      const line = Math.floor(frame / t) * (height / p) + Math.floor(row / p);
      const inToken = ((frame % t) * p + (row % p)) * q;
      for (let left = box.left; left < box.left + box.width;) {
        const right = Math.min(box.left + box.width, (Math.floor(left / q) + 1) * q);
        const token = line * (width / q) + Math.floor(left / q);
        const start = (token * t * p * q + inToken + (left % q)) * 3;
        stretches.push([start, start + (right - left) * 3]);
        left = right;
      }
    }
  }
  return stretches;
}

function swapStretches(
  first: Float32Array,
  second: Float32Array,
  stretches: readonly (readonly [start: number, end: number])[],
): void {
  for (const [start, end] of stretches) {
    const own = first.slice(start, end);
    first.set(second.subarray(start, end), start);
    second.set(own, start);
  }
}
