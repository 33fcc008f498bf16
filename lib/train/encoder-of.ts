/** The encoder that a recipe names. */

import { MODEL_SIZES } from '../model/index.ts';
import type { TransformerSize } from '../model/index.ts';
import type { EncoderSection } from '../recipes/index.ts';

/** Gives the size of the encoder, with the numbers that the recipe sets apart. */
export function encoderOf({ size, width, depth, heads }: EncoderSection): TransformerSize {
  const { encoder } = MODEL_SIZES[size];
  return {
    width: width ?? encoder.width,
    depth: depth ?? encoder.depth,
    numHeads: heads ?? encoder.numHeads,
  };
}
