/** A generator that gives recorded uniform draws, so that golden rows with their draws can be met exactly. */

import type { Rng } from '../../lib/core/index.ts';

/** Integers are made from a uniform draw `u` as `low + floor(u * (high - low))`; fails when the draws run out. */
export function scriptRng(draws: readonly number[]): Rng & { readonly left: () => number } {
  const queue = [...draws];
  const uniform = (): number => {
    const draw = queue.shift();
    if (draw === undefined) throw new Error('no draw is left');
    return draw;
  };
  return {
    uniform,
    integer: (low, high) => low + Math.floor(uniform() * (high - low)),
    left: () => queue.length,
  };
}
