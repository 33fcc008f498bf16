/**
 * Names and shapes of all parameters, in the order in which the released code declares them; its optimizer state follows that order.
 */

import { MLP_RATIO, checkClassifier, checkEncoder, checkPretrain, tokenLength } from './config.ts';
import type { ClassifierConfig, EncoderConfig, PretrainConfig } from './config.ts';

/** Shapes of parameters under their official names. */
export type ParameterShapes = Readonly<Record<string, readonly number[]>>;

type Entry = readonly [name: string, shape: readonly number[]];

/**
 * Lists the parameters of pre-training.
 *
 * @throws {RangeError} naming the value of the configuration that is wrong
 */
export function pretrainShapes(config: PretrainConfig): ParameterShapes {
  checkPretrain(config);
  const { encoder, decoder, targetLength = tokenLength(config) } = config;
  return Object.fromEntries([
    ['mask_token', [1, 1, decoder.width]],
    ...embedEntries('encoder.', config),
    ...blockEntries('encoder.blocks.', encoder, hasScales(config)),
    ...normEntries('encoder.norm', encoder.width),
    ...blockEntries('decoder.blocks.', decoder, hasScales(config)),
    ...normEntries('decoder.norm', decoder.width),
    ...linearEntries('decoder.head', targetLength, decoder.width),
    ['encoder_to_decoder.weight', [decoder.width, encoder.width]],
  ]);
}

/**
 * Lists the parameters of the classifier.
 *
 * @throws {RangeError} naming the value of the configuration that is wrong
 */
export function classifierShapes(config: ClassifierConfig): ParameterShapes {
  checkClassifier(config);
  const { encoder, numClasses } = config;
  return Object.fromEntries([
    ...encoderEntries(config),
    ...normEntries('fc_norm', encoder.width),
    ...linearEntries('head', numClasses, encoder.width),
  ]);
}

/**
 * Lists the parameters of the encoder alone, with its last normalisation: what probes and MoCo v3 use.
 *
 * @throws {RangeError} naming the value of the configuration that is wrong
 */
export function encoderShapes(config: EncoderConfig): ParameterShapes {
  checkEncoder(config);
  return Object.fromEntries([
    ...encoderEntries(config),
    ...normEntries('norm', config.encoder.width),
  ]);
}

/** Counts all values. */
export function countParameters(shapes: ParameterShapes): number {
  return Object.values(shapes).reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0);
}

function encoderEntries(config: EncoderConfig): Entry[] {
  return [
    ...embedEntries('', config),
    ...blockEntries('blocks.', config.encoder, hasScales(config)),
  ];
}

function hasScales({ branchScale = 0 }: EncoderConfig): boolean {
  return branchScale > 0;
}

function embedEntries(prefix: string, { tubelet, encoder }: EncoderConfig): Entry[] {
  return [
    [`${prefix}patch_embed.proj.weight`, [encoder.width, 3, ...tubelet]],
    [`${prefix}patch_embed.proj.bias`, [encoder.width]],
  ];
}

function blockEntries(
  prefix: string,
  { width, depth }: { readonly width: number; readonly depth: number },
  withScales: boolean,
): Entry[] {
  const names = Array.from({ length: depth }, (_, block) => `${prefix}${block}.`);
  return names.flatMap((name) => oneBlock(name, width, withScales));
}

function oneBlock(name: string, width: number, withScales: boolean): Entry[] {
  const scales: Entry[] = [
    [`${name}gamma_1`, [width]],
    [`${name}gamma_2`, [width]],
  ];
  return [
    ...(withScales ? scales : []),
    ...normEntries(`${name}norm1`, width),
    [`${name}attn.q_bias`, [width]],
    [`${name}attn.v_bias`, [width]],
    [`${name}attn.qkv.weight`, [3 * width, width]],
    ...linearEntries(`${name}attn.proj`, width, width),
    ...normEntries(`${name}norm2`, width),
    ...linearEntries(`${name}mlp.fc1`, MLP_RATIO * width, width),
    ...linearEntries(`${name}mlp.fc2`, width, MLP_RATIO * width),
  ];
}

function normEntries(name: string, width: number): Entry[] {
  return [
    [`${name}.weight`, [width]],
    [`${name}.bias`, [width]],
  ];
}

function linearEntries(name: string, outputs: number, inputs: number): Entry[] {
  return [
    [`${name}.weight`, [outputs, inputs]],
    [`${name}.bias`, [outputs]],
  ];
}
