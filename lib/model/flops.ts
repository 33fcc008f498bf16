/** Work of a step: additions and multiplications of all matrix products, which are nearly everything. */

import { MLP_RATIO, countTokens, tokenLength } from './config.ts';
import type { EncoderConfig, PretrainConfig, TransformerSize } from './config.ts';

/** Floating point operations of one clip, forward, through the classifier's encoder. */
export function encoderFlops(
  config: EncoderConfig,
  numTokens: number = countTokens(config),
): number {
  const embedding = 2 * numTokens * tokenLength(config) * config.encoder.width;
  return embedding + stackFlops(config.encoder, numTokens);
}

/** Floating point operations of one clip, forward, in pre-training. */
export function pretrainFlops(config: PretrainConfig, numVisible: number): number {
  const numTokens = countTokens(config);
  const { encoder, decoder, targetLength = tokenLength(config) } = config;
  return (
    encoderFlops(config, numVisible) +
    2 * numVisible * encoder.width * decoder.width +
    stackFlops(decoder, numTokens) +
    2 * (numTokens - numVisible) * decoder.width * targetLength
  );
}

/** Per block: queries, keys, values, projection and MLP of each token, and two products of all tokens with all. */
function stackFlops({ width, depth }: TransformerSize, numTokens: number): number {
  const perToken = 2 * (4 + 2 * MLP_RATIO) * width * width;
  return depth * numTokens * (perToken + 4 * numTokens * width);
}
