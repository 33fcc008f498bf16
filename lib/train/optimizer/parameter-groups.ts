/**
 * Which parameters decay, and whose learning rate is smaller.
 *
 * Source: VideoMAE's released code (optim_factory): names and shapes decide; layer-wise decay from BEiT.
 */

import { checkInteger, checkNumber } from '../../core/index.ts';
import type { ParameterShapes } from '../../model/index.ts';

/** How a parameter is treated. */
export interface ParameterRule {
  /** Factor of the learning rate, 0 … 1. */
  readonly lrScale: number;
  /** Whether weight decay applies. */
  readonly decays: boolean;
  /** 0 for the patch embedding, then one per block, the highest for the head; -1 without layer-wise decay. */
  readonly layer: number;
}

/** Rules by name. */
export type ParameterRules = Readonly<Record<string, ParameterRule>>;

/** Layer-wise decay of the learning rate. */
export interface LayerDecay {
  /** Factor from one layer to the one below, above 0; 1 or more switches it off. */
  readonly factor: number;
  /** Blocks of the encoder. */
  readonly depth: number;
}

const NEVER_DECAY = new Set(['pos_embed', 'cls_token', 'mask_token']);

/**
 * Gives the rule of every parameter. Vectors, biases and tokens do not decay.
 *
 * @throws {RangeError} if the factor is not a number above 0, or the depth not an integer ≥ 1
 */
export function parameterRules(
  shapes: ParameterShapes,
  layerDecay: LayerDecay | null = null,
): ParameterRules {
  if (layerDecay !== null) {
    checkNumber('layerDecay.factor', layerDecay.factor, { min: Number.MIN_VALUE });
    checkInteger('layerDecay.depth', layerDecay.depth, { min: 1 });
  }
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const decays = shape.length > 1 && !name.endsWith('.bias') && !NEVER_DECAY.has(name);
      if (layerDecay === null || layerDecay.factor >= 1)
        return [name, { lrScale: 1, decays, layer: -1 }];
      const { factor, depth } = layerDecay;
      const layer = layerOf(name, depth);
      return [name, { lrScale: factor ** (depth + 1 - layer), decays, layer }];
    }),
  );
}

function layerOf(name: string, depth: number): number {
  if (name.startsWith('patch_embed.') || NEVER_DECAY.has(name)) return 0;
  const block = /^blocks\.(\d+)\./.exec(name)?.[1];
  return block === undefined ? depth + 1 : Number(block) + 1;
}
