/**
 * Draws from distributions other than the uniform one, made from a generator's uniform draws.
 *
 * Source: Marsaglia's polar method (1964) for the normal distribution; Marsaglia and Tsang (2000) for the gamma distribution,
 * whose ratio is beta.
 */

import { checkNumber } from '../core/index.ts';
import type { Rng } from '../core/index.ts';

/** Draws from the normal distribution with mean 0 and deviation 1. */
export function drawGaussian(rng: Rng): number {
  for (;;) {
    const x = 2 * rng.uniform() - 1;
    const y = 2 * rng.uniform() - 1;
    const square = x * x + y * y;
    if (square > 0 && square < 1) return x * Math.sqrt((-2 * Math.log(square)) / square);
  }
}

/** Fills `target` with independent draws from the normal distribution; half the work per draw of {@link drawGaussian}. */
export function fillGaussian(target: Float32Array, rng: Rng): void {
  for (let i = 0; i < target.length;) {
    const x = 2 * rng.uniform() - 1;
    const y = 2 * rng.uniform() - 1;
    const square = x * x + y * y;
    if (square > 0 && square < 1) {
      const scale = Math.sqrt((-2 * Math.log(square)) / square);
      target[i] = x * scale;
      if (i + 1 < target.length) target[i + 1] = y * scale;
      i += 2;
    }
  }
}

/**
 * Draws from the symmetric beta distribution Beta(alpha, alpha), in 0 … 1.
 *
 * @throws {RangeError} if `alpha` is not in 0.01 … 1000
 */
export function drawBeta(alpha: number, rng: Rng): number {
  checkNumber('alpha', alpha, { min: 0.01, max: 1000 });
  const difference = drawLogGamma(alpha, rng) - drawLogGamma(alpha, rng);
  return 1 / (1 + Math.exp(difference));
}

/** Logarithm of a gamma draw: for a small shape the draw itself would vanish in double precision. */
function drawLogGamma(shape: number, rng: Rng): number {
  if (shape < 1) return drawLogGamma(shape + 1, rng) + Math.log(1 - rng.uniform()) / shape;
  const d = shape - 1 / 3;
  for (;;) {
    const x = drawGaussian(rng);
    const v = (1 + x / Math.sqrt(9 * d)) ** 3;
    if (v > 0 && Math.log(1 - rng.uniform()) < (x * x) / 2 + d * (1 - v + Math.log(v))) {
      return Math.log(d * v);
    }
  }
}
