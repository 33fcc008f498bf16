/**
 * The network that names classes: all tokens through the encoder, their mean, a normalisation, a linear head.
 *
 * Source: VideoMAE (Tong et al. 2022) and its released code.
 */

import { OFFICIAL_EPSILONS } from './config.ts';
import type { ClassifierConfig, EncoderConfig } from './config.ts';
import { embedTokens, runBlocks } from './encoder.ts';
import { lookup } from './parameters.ts';
import type { ParameterTensors } from './parameters.ts';
import { dropout, layerNorm, linear, tf } from '../ops/index.ts';

/** What the encoder needs of a batch. */
export interface ClipInputs {
  /** All tokens, float32 `[B, N, P]`. */
  readonly tokens: tf.Tensor3D;
  /** Position table, float32 `[N, D]`. */
  readonly positions: tf.Tensor2D;
  /** Uniform numbers in 0 … 1 for drop path, `[2 · depth, B]`; without them nothing is dropped. */
  readonly draws?: tf.Tensor2D;
}

/** What the classifier needs beside that. */
export interface ClassifierInputs extends ClipInputs {
  /** Uniform numbers in 0 … 1 for dropout before the head, `[B, D]`; without them nothing is dropped. */
  readonly headDraws?: tf.Tensor2D;
}

/** Runs all tokens through the blocks of the encoder, without a last normalisation. Shape of the result: `[B, N, D]`. */
export function encodeClips(
  parameters: ParameterTensors,
  { tokens, positions, draws }: ClipInputs,
  config: EncoderConfig,
): tf.Tensor3D {
  const embedded = tf.add(embedTokens(parameters, tokens), positions); // [B, N, D]
  const options = { prefix: 'blocks.', size: config.encoder, config, draws };
  return runBlocks(embedded as tf.Tensor3D, parameters, options);
}

/** Features before the head: mean over tokens, then `fc_norm`. Shape of the result: `[B, D]`. */
export function classifierFeatures(
  parameters: ParameterTensors,
  inputs: ClipInputs,
  config: EncoderConfig,
): tf.Tensor2D {
  const pooled: tf.Tensor2D = tf.mean(encodeClips(parameters, inputs, config), 1); // [B, D]
  const get = lookup(parameters, 'fc_norm.');
  const { featureNorm } = config.epsilons ?? OFFICIAL_EPSILONS;
  return layerNorm(pooled, get('weight'), get('bias'), featureNorm);
}

/** Features of a frozen encoder for probes: `norm`, then mean over tokens. Shape of the result: `[B, D]`. */
export function probeFeatures(
  parameters: ParameterTensors,
  inputs: ClipInputs,
  config: EncoderConfig,
): tf.Tensor2D {
  const get = lookup(parameters, 'norm.');
  const { encoderNorm } = config.epsilons ?? OFFICIAL_EPSILONS;
  const encoded = encodeClips(parameters, inputs, config);
  return tf.mean(layerNorm(encoded, get('weight'), get('bias'), encoderNorm), 1);
}

/** Scores of all classes. Shape of the result: `[B, classes]`. */
export function classify(
  parameters: ParameterTensors,
  inputs: ClassifierInputs,
  config: ClassifierConfig,
): tf.Tensor2D {
  const features = classifierFeatures(parameters, inputs, config); // [B, D]
  const { headDropout: rate = 0 } = config;
  const { headDraws } = inputs;
  const kept = headDraws === undefined ? features : dropout(features, headDraws, rate);
  return applyHead(parameters, kept);
}

/** The linear head alone. Shapes: `features` `[B, D]`, result `[B, classes]`. */
export function applyHead(parameters: ParameterTensors, features: tf.Tensor2D): tf.Tensor2D {
  const get = lookup(parameters, 'head.');
  return linear(features, get('weight'), get('bias')) as tf.Tensor2D;
}
