/** Random numbers for a step, as a function of the seed and the place. */

import { createRng } from '../core/index.ts';
import type { RngParts } from '../core/index.ts';

/** Draws `count` numbers in 0 … 1 (exclusive). */
export function drawUniform(count: number, ...parts: RngParts): Float32Array {
  const rng = createRng(...parts);
  // Single precision rounds what is nearly 1 up to 1, which dropping would not expect.
  return Float32Array.from({ length: count }, () => Math.min(rng.uniform(), 1 - 2 ** -24));
}
