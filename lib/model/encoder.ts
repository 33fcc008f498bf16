/** From tokens to what the encoder makes of them. */

import { runBlock } from './block.ts';
import { OFFICIAL_EPSILONS, dropPathRates } from './config.ts';
import type { EncoderConfig, TransformerSize } from './config.ts';
import { lookup } from './parameters.ts';
import type { ParameterTensors } from './parameters.ts';
import { embedTubelets, tf } from '../ops/index.ts';

/** Where in the parameters a stack of blocks stands, and what it needs beside them. */
export interface StackOptions {
  /** Such as `encoder.blocks.`. */
  readonly prefix: string;
  readonly size: TransformerSize;
  readonly config: EncoderConfig;
  /** Uniform numbers in 0 … 1 for drop path, `[2 · depth, B]`; without them nothing is dropped. */
  readonly draws?: tf.Tensor2D | undefined;
}

/**
 * Embeds tokens: what a convolution with kernel and stride of one tubelet gives at their places.
 * Shapes: `tokens` float32 `[B, M, P]`, values in the order frame, row, column, colour; result `[B, M, D]`.
 *
 * @param prefix of the names of the parameters, `encoder.` or none
 */
export function embedTokens(
  parameters: ParameterTensors,
  tokens: tf.Tensor3D,
  prefix = '',
): tf.Tensor3D {
  const get = lookup(parameters, `${prefix}patch_embed.proj.`);
  return embedTubelets(tokens, get('weight') as tf.Tensor5D, get('bias'));
}

/** Runs a stack of blocks. Shapes: `x` and result `[B, N, D]`. */
export function runBlocks(
  x: tf.Tensor3D,
  parameters: ParameterTensors,
  { prefix, size, config, draws }: StackOptions,
): tf.Tensor3D {
  const { blocks: epsilon } = config.epsilons ?? OFFICIAL_EPSILONS;
  const rates = dropPathRates(config.dropPath ?? 0, size.depth);
  return rates.reduce((stream, dropRate, block) => {
    const own = draws === undefined ? null : tf.slice(draws, [2 * block, 0], [2, x.shape[0]]);
    return runBlock(stream, lookup(parameters, `${prefix}${block}.`), {
      numHeads: size.numHeads,
      epsilon,
      hasScales: (config.branchScale ?? 0) > 0,
      dropRate,
      draws: own,
    });
  }, x);
}
