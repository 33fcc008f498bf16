/**
 * Where a token is: a fixed table of sines and cosines over the flattened token index, never trained and never stored.
 *
 * Source: Vaswani et al. 2017 as used by VideoMAE's released code.
 */

import { checkInteger } from '../core/index.ts';

/**
 * Makes the table. Shape: float32 `[numTokens, width]`; even columns hold sines, odd ones cosines of
 * `token / 10000^(2 floor(column / 2) / width)`. Rows do not depend on `numTokens`.
 *
 * @throws {RangeError} if a number is not an integer ≥ 1
 */
export function positionTable(numTokens: number, width: number): Float32Array {
  checkInteger('numTokens', numTokens, { min: 1 });
  checkInteger('width', width, { min: 1 });
  const table = new Float32Array(numTokens * width);
  for (let column = 0; column < width; column++) {
    const wave = 10000 ** ((2 * Math.floor(column / 2)) / width);
    const turn = column % 2 === 0 ? Math.sin : Math.cos;
    for (let token = 0; token < numTokens; token++) {
      table[token * width + column] = turn(token / wave);
    }
  }
  return table;
}
