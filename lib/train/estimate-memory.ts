/** About how much memory a step needs; told before a run starts. */

import type { TransformerSize } from '../model/index.ts';

/** What the memory goes into. */
export interface MemoryUse {
  readonly numParameters: number;
  /** Clips of a micro step. */
  readonly numClips: number;
  readonly stacks: readonly { readonly size: TransformerSize; readonly numTokens: number }[];
}

/** Numbers that the backward pass needs, per token, block and unit of width: both norms, queries, keys, values, result, MLP (4 + 4). */
const KEPT_PER_WIDTH = 16;
/** Weights and both moments, which a step overwrites; and gradients. */
const COPIES = 4;

/** Estimates bytes. Scores of attention are counted for one block, since others need not be kept. */
export function estimateMemory({ numParameters, numClips, stacks }: MemoryUse): number {
  const kept = stacks.reduce((sum, { size, numTokens }) => {
    const perBlock = numTokens * size.width * KEPT_PER_WIDTH;
    return sum + size.depth * perBlock + size.numHeads * numTokens ** 2;
  }, 0);
  return 4 * (COPIES * numParameters + numClips * kept);
}
