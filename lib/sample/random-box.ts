/**
 * A box of random area and shape inside a frame: what random resized crops and random erasing have in common.
 *
 * Source: the sampling of torchvision's `RandomResizedCrop`, in the order of draws of VideoMAE's released code.
 */

import type { Rng } from '../core/index.ts';
import type { Crop, Size } from './geometry.ts';

/** Two ends of a range to draw from uniformly; the first end belongs to a draw of 0. */
export type Range = readonly [from: number, to: number];

/** Which boxes {@link drawBox} may give. */
export interface BoxRule {
  /** Part of the frame's area, in 0 … 1. */
  readonly area: Range;
  /** Logarithm of width / height. */
  readonly logAspect: Range;
  /** Tries before giving up. */
  readonly attempts: number;
  /** Whether a side may be as long as the frame's. */
  readonly mayFill: boolean;
}

/**
 * Draws area and aspect until the box fits, then top and left; gives nothing when no try fits. Sides are rounded to the
 * nearest pixel, halves to even, and are at least 1.
 */
export function drawBox(frame: Size, rule: BoxRule, rng: Rng): Crop | undefined {
  const spare = rule.mayFill ? 0 : 1;
  for (let attempt = 0; attempt < rule.attempts; attempt++) {
    const area = between(rule.area, rng) * frame.width * frame.height;
    const aspect = Math.exp(between(rule.logAspect, rng));
    const width = roundHalfToEven(Math.sqrt(area * aspect));
    const height = roundHalfToEven(Math.sqrt(area / aspect));
    const fits = width <= frame.width - spare && height <= frame.height - spare;
    if (fits && width > 0 && height > 0) {
      const top = rng.integer(0, frame.height - height + 1);
      return { left: rng.integer(0, frame.width - width + 1), top, width, height };
    }
  }
  return undefined;
}

/** Rounds to the nearest integer, halves to the even one, as Python and IEEE 754 do. */
export function roundHalfToEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

function between([from, to]: Range, rng: Rng): number {
  return from + rng.uniform() * (to - from);
}
