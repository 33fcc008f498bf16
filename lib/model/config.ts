/**
 * What a network looks like: sizes by name, the shape of its clips, and the numbers that follow from both.
 *
 * Source: VideoMAE (Tong et al. 2022), tables of the appendix, and its released code; `Ti` is ours, for small machines.
 */

import { checkInteger, checkNumber } from '../core/index.ts';

/** A stack of transformer blocks. */
export interface TransformerSize {
  readonly width: number;
  /** Number of blocks. */
  readonly depth: number;
  /** Attention heads; they share the width. */
  readonly numHeads: number;
}

/** Epsilons of the normalisations, one for each kind of place. */
export interface Epsilons {
  readonly blocks: number;
  /** After the last block of the encoder. */
  readonly encoderNorm: number;
  /** Before the prediction of pixels. */
  readonly decoderNorm: number;
  /** Before the classifier. */
  readonly featureNorm: number;
}

/** An encoder and its clips. */
export interface EncoderConfig {
  readonly numFrames: number;
  /** Height and width of a clip in pixels. */
  readonly size: number;
  /** `[t, p, p]`, frames and pixels of a token. */
  readonly tubelet: readonly [numFrames: number, rows: number, columns: number];
  readonly encoder: TransformerSize;
  /** Highest rate of drop path, 0 … 1 (exclusive); it grows from 0 at the first block to this at the last. Default 0. */
  readonly dropPath?: number;
  /** First value of a learned scale on each branch of a block; 0 (default) means that there is none. */
  readonly branchScale?: number;
  /** Default 1e-6 everywhere, as in the released code. */
  readonly epsilons?: Epsilons;
}

/** The network of pre-training. */
export interface PretrainConfig extends EncoderConfig {
  readonly decoder: TransformerSize;
  /** Values predicted per masked token. Default: those of one tubelet, `t · p · p · 3`. */
  readonly targetLength?: number;
}

/** The network that names classes. */
export interface ClassifierConfig extends EncoderConfig {
  readonly numClasses: number;
  /** Part of the features that is dropped before the head in training, 0 … 1 (exclusive). Default 0. */
  readonly headDropout?: number;
}

/** Names of the sizes. */
export type ModelSize = 'Ti' | 'S' | 'B' | 'L' | 'H';

/** Encoder and decoder of each size; patches of 16 pixels. Decoder depths are those of the released scripts. */
export const MODEL_SIZES: Readonly<
  Record<ModelSize, { readonly encoder: TransformerSize; readonly decoder: TransformerSize }>
> = Object.freeze({
  Ti: sizeOf([192, 12, 3], [96, 4, 3]),
  S: sizeOf([384, 12, 6], [192, 4, 3]),
  B: sizeOf([768, 12, 12], [384, 4, 6]),
  L: sizeOf([1024, 24, 16], [512, 12, 8]),
  H: sizeOf([1280, 32, 16], [640, 12, 8]),
});

/** Epsilons of the released code. */
export const OFFICIAL_EPSILONS: Epsilons = Object.freeze({
  blocks: 1e-6,
  encoderNorm: 1e-6,
  decoderNorm: 1e-6,
  featureNorm: 1e-6,
});

/** Epsilons with which Hugging Face's `transformers` runs the published weights; needed to agree with it to 1e-4. */
export const HUGGING_FACE_EPSILONS: Epsilons = Object.freeze({
  blocks: 1e-12,
  encoderNorm: 1e-12,
  decoderNorm: 1e-5,
  featureNorm: 1e-5,
});

/** Hidden width of the MLP of a block. */
export const MLP_RATIO = 4;

/** Tokens of a clip along time, rows and columns. */
export function tokenGrid({
  numFrames,
  size,
  tubelet,
}: EncoderConfig): [slots: number, rows: number, columns: number] {
  return [numFrames / tubelet[0], size / tubelet[1], size / tubelet[2]];
}

/** Number of tokens of a clip, `N`. */
export function countTokens(config: EncoderConfig): number {
  const [slots, rows, columns] = tokenGrid(config);
  return slots * rows * columns;
}

/** Values of a token, `P`. */
export function tokenLength({ tubelet: [t, p, q] }: EncoderConfig): number {
  return t * p * q * 3;
}

/** Rates of drop path of each block, linear from 0 to `rate`, in single precision. */
export function dropPathRates(rate: number, depth: number): number[] {
  return Array.from({ length: depth }, (_, block) =>
    depth === 1 ? 0 : Math.fround((rate * block) / (depth - 1)),
  );
}

/**
 * Checks what all networks share.
 *
 * @throws {RangeError} naming the value that is out of bounds or does not fit another
 */
export function checkEncoder(config: EncoderConfig): void {
  const [t, p, q] = config.tubelet;
  checkInteger('tubelet', t, { min: 1 });
  checkInteger('tubelet', p, { min: 1 });
  checkInteger('tubelet', q, { min: p, max: p });
  checkMultiple('numFrames', config.numFrames, t);
  checkMultiple('size', config.size, p);
  checkTransformer('encoder', config.encoder);
  checkNumber('dropPath', config.dropPath ?? 0, { min: 0, max: 1 - Number.EPSILON });
  checkNumber('branchScale', config.branchScale ?? 0, { min: 0 });
}

/**
 * Checks the network of pre-training.
 *
 * @throws {RangeError} naming the value that is out of bounds or does not fit another
 */
export function checkPretrain(config: PretrainConfig): void {
  checkEncoder(config);
  checkTransformer('decoder', config.decoder);
  if (config.targetLength !== undefined)
    checkInteger('targetLength', config.targetLength, { min: 1 });
}

/**
 * Checks the network that names classes.
 *
 * @throws {RangeError} naming the value that is out of bounds or does not fit another
 */
export function checkClassifier(config: ClassifierConfig): void {
  checkEncoder(config);
  checkInteger('numClasses', config.numClasses, { min: 1 });
  checkNumber('headDropout', config.headDropout ?? 0, { min: 0, max: 1 - Number.EPSILON });
}

function checkTransformer(name: string, { width, depth, numHeads }: TransformerSize): void {
  checkInteger(`${name}.depth`, depth, { min: 1 });
  checkInteger(`${name}.numHeads`, numHeads, { min: 1 });
  checkMultiple(`${name}.width`, width, numHeads);
}

function checkMultiple(name: string, value: number, part: number): void {
  checkInteger(name, value, { min: 1 });
  if (value % part === 0) return;
  throw new RangeError(`"${name}" must be a multiple of ${part} (got ${value}).`);
}

type Numbers = readonly [width: number, depth: number, numHeads: number];

function sizeOf(
  encoder: Numbers,
  decoder: Numbers,
): { readonly encoder: TransformerSize; readonly decoder: TransformerSize } {
  return Object.freeze({ encoder: transformerOf(encoder), decoder: transformerOf(decoder) });
}

function transformerOf([width, depth, numHeads]: Numbers): TransformerSize {
  return Object.freeze({ width, depth, numHeads });
}
