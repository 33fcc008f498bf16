/** Seeded damage for fuzz tests. */

import type { Rng } from '../../lib/core/index.ts';

/**
 * Changes, removes, repeats or replaces some bytes; one time in twenty there is nothing left of them.
 *
 * @param tokens texts (latin1) that mean something to the reader
 */
export function mutateBytes(bytes: Buffer, tokens: readonly string[], rng: Rng): Buffer {
  if (rng.uniform() < 0.05) {
    return Buffer.from(Array.from({ length: rng.integer(0, 300) }, () => rng.integer(0, 256)));
  }
  let mutated = bytes;
  for (let change = rng.integer(1, 4); change > 0; change--) {
    const at = rng.integer(0, mutated.length + 1);
    const kind = rng.uniform();
    if (kind < 0.4) {
      mutated = Buffer.from(mutated);
      if (at < mutated.length) mutated[at] = rng.integer(0, 256);
      continue;
    }
    const until = Math.min(mutated.length, at + rng.integer(0, 6));
    const token = Buffer.from(tokens[rng.integer(0, tokens.length)] ?? '', 'latin1');
    const middle = kind < 0.8 ? token : mutated.subarray(rng.integer(0, at + 1), at);
    mutated = Buffer.concat([mutated.subarray(0, at), middle, mutated.subarray(until)]);
  }
  return mutated;
}
