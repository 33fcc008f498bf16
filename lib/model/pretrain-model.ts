/**
 * The network of pre-training: the encoder sees the visible tokens, the decoder predicts the pixels of the masked ones.
 *
 * Source: VideoMAE (Tong et al. 2022) and its released code. Differs: masked tokens are not embedded at all, which changes no result.
 */

import { OFFICIAL_EPSILONS } from './config.ts';
import type { PretrainConfig } from './config.ts';
import { embedTokens, runBlocks } from './encoder.ts';
import { lookup } from './parameters.ts';
import type { ParameterTensors } from './parameters.ts';
import { PIXEL_LOSSES } from './pixel-losses.ts';
import type { PixelLoss } from './pixel-losses.ts';
import { layerNorm, linear, normLinear, tf } from '../ops/index.ts';

/** What the network sees of a batch. */
export interface VisibleInputs {
  /** Visible tokens in ascending order, float32 `[B, Nvis, P]`. */
  readonly visible: tf.Tensor3D;
  /** Their places, int32 `[B, Nvis]`. */
  readonly visibleTokens: tf.Tensor2D;
  /** Position table of the encoder, float32 `[N, D]`. */
  readonly encoderPositions: tf.Tensor2D;
  /** Uniform numbers in 0 … 1 for drop path in the encoder, `[2 · depth, B]`; without them nothing is dropped. */
  readonly encoderDraws?: tf.Tensor2D;
}

/** What a prediction needs beside that. */
export interface PredictionInputs extends VisibleInputs {
  /** Places of the masked tokens in ascending order, int32 `[B, Nmask]`. */
  readonly maskedTokens: tf.Tensor2D;
  /** Position table of the decoder, float32 `[N, Dd]`. */
  readonly decoderPositions: tf.Tensor2D;
  /** As `encoderDraws`, for the decoder. */
  readonly decoderDraws?: tf.Tensor2D;
}

/** What the loss needs beside that. */
export interface PretrainInputs extends PredictionInputs {
  /** What the masked tokens hold, float32 `[B, Nmask, P]`. */
  readonly target: tf.Tensor3D;
}

/** Encodes the visible tokens. Shape of the result: `[B, Nvis, D]`, after the last normalisation. */
export function encodeVisible(
  parameters: ParameterTensors,
  inputs: VisibleInputs,
  config: PretrainConfig,
): tf.Tensor3D {
  const { visible, visibleTokens, encoderPositions, encoderDraws } = inputs;
  const embedded = embedTokens(parameters, visible, 'encoder.'); // [B, Nvis, D]
  const placed = tf.add(embedded, rowsOf(encoderPositions, visibleTokens));
  const options = { prefix: 'encoder.blocks.', size: config.encoder, config, draws: encoderDraws };
  const last = runBlocks(placed as tf.Tensor3D, parameters, options);
  const { encoderNorm } = config.epsilons ?? OFFICIAL_EPSILONS;
  const get = lookup(parameters, 'encoder.norm.');
  return layerNorm(last, get('weight'), get('bias'), encoderNorm);
}

/** Predicts the masked tokens. Shape of the result: `[B, Nmask, P]`, in the order of `maskedTokens`. */
export function predictMasked(
  parameters: ParameterTensors,
  inputs: PredictionInputs,
  config: PretrainConfig,
): tf.Tensor3D {
  const { visibleTokens, maskedTokens, decoderPositions, decoderDraws } = inputs;
  const get = lookup(parameters);
  const encoded = encodeVisible(parameters, inputs, config); // [B, Nvis, D]
  const seen = linear(encoded, get('encoder_to_decoder.weight'), null) as tf.Tensor3D; // [B, Nvis, Dd]
  const tokens = tf.concat<tf.Tensor3D>(
    [
      tf.add(seen, rowsOf(decoderPositions, visibleTokens)),
      tf.add(rowsOf(decoderPositions, maskedTokens), get('mask_token')),
    ],
    1,
  ); // [B, N, Dd]
  const options = { prefix: 'decoder.blocks.', size: config.decoder, config, draws: decoderDraws };
  const decoded = runBlocks(tokens, parameters, options);
  const [batch, numVisible, width] = seen.shape;
  const numMasked = maskedTokens.shape[1];
  const masked = tf.slice(decoded, [0, numVisible, 0], [batch, numMasked, width]);
  const { decoderNorm } = config.epsilons ?? OFFICIAL_EPSILONS;
  const norm = {
    scale: get('decoder.norm.weight'),
    offset: get('decoder.norm.bias'),
    epsilon: decoderNorm,
  };
  const head = { weight: get('decoder.head.weight'), bias: get('decoder.head.bias') };
  return normLinear(masked, norm, head) as tf.Tensor3D;
}

/** Mean error over all values of all masked tokens: a scalar. */
export function pretrainLoss(
  parameters: ParameterTensors,
  inputs: PretrainInputs,
  config: PretrainConfig & { readonly loss?: PixelLoss },
): tf.Scalar {
  const errorOf = PIXEL_LOSSES[config.loss ?? 'mse'];
  return errorOf(tf.sub(predictMasked(parameters, inputs, config), inputs.target));
}

/** Rows of a table. Shapes: `table` `[N, D]`, `tokens` `[B, M]`, result `[B, M, D]`. */
function rowsOf(table: tf.Tensor2D, tokens: tf.Tensor2D): tf.Tensor3D {
  return tf.gather<tf.Tensor>(table, tokens) as tf.Tensor3D;
}
