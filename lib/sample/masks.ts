/**
 * Which tokens of a clip are hidden in pre-training. A mask is uint8 `[N]` in token order (time, row, column), 1 = masked.
 * The number of masked tokens depends on grid and ratio only, so all clips of a batch have the same.
 *
 * Source: VideoMAE (Tong et al. 2022); tube masks as in its released code, random masks as its authors describe them, frame masks
 * by their name.
 */

import { checkInteger, checkNumber, checkOneOf } from '../core/index.ts';
import type { Rng } from '../core/index.ts';

/**
 * `'tube'` hides the same places in every time slot, the choice of VideoMAE; `'random'` any tokens; `'frame'` whole time slots.
 */
export type MaskKind = 'tube' | 'random' | 'frame';

/** Tokens of a clip along time, rows and columns. */
export type TokenGrid = readonly [slots: number, rows: number, columns: number];

/** How to mask: `ratio` in 0 … 1 is the part of places, tokens or slots that is hidden, rounded down to a whole number. */
export interface MaskOptions {
  readonly kind: MaskKind;
  readonly ratio: number;
}

/** Token indices of a mask's two sides, each ascending. */
export interface TokenSplit {
  readonly visible: Int32Array;
  readonly masked: Int32Array;
}

/** A kind of mask: its pattern has one entry per item, and each entry stands for all tokens whose item it is. */
interface MaskRule {
  readonly numItems: (numSlots: number, numPlaces: number) => number;
  readonly itemOf: (token: number, numPlaces: number) => number;
}

const RULES: Readonly<Record<MaskKind, MaskRule>> = {
  tube: { numItems: (_, numPlaces) => numPlaces, itemOf: (token, places) => token % places },
  random: { numItems: (numSlots, numPlaces) => numSlots * numPlaces, itemOf: (token) => token },
  frame: {
    numItems: (numSlots) => numSlots,
    itemOf: (token, places) => Math.floor(token / places),
  },
};

/** The names of all kinds of masks, for option parsers. */
export const MASK_KINDS: readonly MaskKind[] = Object.keys(RULES) as MaskKind[];

/**
 * Draws a mask, uniformly among all of its kind.
 *
 * @throws {RangeError} if the kind is unknown, the ratio not in 0 … 1, or a side of the grid not an integer ≥ 1
 */
export function drawMask(grid: TokenGrid, options: MaskOptions, rng: Rng): Uint8Array {
  const { numItems, numMaskedItems, numPlaces, numTokens } = countItems(grid, options);
  const { itemOf } = RULES[options.kind];
  const pattern = new Uint8Array(numItems);
  for (let item = 0, left = numMaskedItems; left > 0; item++) {
    if (rng.integer(0, numItems - item) < left) {
      pattern[item] = 1;
      left -= 1;
    }
  }
  return Uint8Array.from({ length: numTokens }, (_, n) => pattern[itemOf(n, numPlaces)] ?? 0);
}

/**
 * Counts the masked tokens of any mask of this kind, for instance 1408 of 8 × 14 × 14 for tubes and 0.9.
 *
 * @throws {RangeError} as {@link drawMask}
 */
export function countMasked(grid: TokenGrid, options: MaskOptions): number {
  const { numItems, numMaskedItems, numTokens } = countItems(grid, options);
  return numMaskedItems * (numTokens / numItems);
}

/** Lists the visible and the masked tokens of a mask. */
export function splitTokens(mask: Uint8Array): TokenSplit {
  let numMasked = 0;
  for (const isMasked of mask) numMasked += isMasked === 0 ? 0 : 1;
  const visible = new Int32Array(mask.length - numMasked);
  const masked = new Int32Array(numMasked);
  let numVisible = 0;
  for (let token = 0; token < mask.length; token++) {
    if (mask[token] === 0) visible[numVisible++] = token;
    else masked[token - numVisible] = token;
  }
  return { visible, masked };
}

/** The ratio is applied once, in double precision, to an integer: 0.29 of 100 is 28. */
function countItems(
  [numSlots, rows, columns]: TokenGrid,
  { kind, ratio }: MaskOptions,
): { numItems: number; numMaskedItems: number; numPlaces: number; numTokens: number } {
  checkOneOf('kind', kind, MASK_KINDS);
  checkNumber('ratio', ratio, { min: 0, max: 1 });
  checkInteger('grid[0]', numSlots, { min: 1 });
  checkInteger('grid[1]', rows, { min: 1 });
  checkInteger('grid[2]', columns, { min: 1 });
  const numPlaces = rows * columns;
  const numItems = RULES[kind].numItems(numSlots, numPlaces);
  const numMaskedItems = Math.trunc(ratio * numItems);
  return { numItems, numMaskedItems, numPlaces, numTokens: numSlots * numPlaces };
}
