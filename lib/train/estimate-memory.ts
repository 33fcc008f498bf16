/** About how much memory a step needs; told before a run starts. */

import type { TransformerSize } from '../model/index.ts';

/** What the memory goes into. */
export interface MemoryUse {
  readonly numParameters: number;
  /** Arrays of that many numbers: weights, moments and gradients, and what a run keeps beside them. Default 4. */
  readonly copies?: number;
  /** Clips of a micro step. */
  readonly numClips: number;
  readonly stacks: readonly { readonly size: TransformerSize; readonly numTokens: number }[];
}

/** Numbers that the backward pass needs, per token, block and unit of width: both sums of a block, queries, keys, values, result, hidden layer (4). */
const KEPT_PER_WIDTH = 10;
/** Tables of scores of one head that live at once. */
const SCORES = 3;

/** Estimates bytes: what all blocks keep, as much again for the one whose gradient is taken, and the scores of one head. */
export function estimateMemory({ numParameters, copies = 4, numClips, stacks }: MemoryUse): number {
  const kept = stacks.map(
    ({ size, numTokens }) =>
      (size.depth + 1) * numClips * numTokens * size.width * KEPT_PER_WIDTH +
      SCORES * numTokens ** 2,
  );
  return 4 * (copies * numParameters + kept.reduce((sum, one) => sum + one, 0));
}
