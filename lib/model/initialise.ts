/**
 * First values of parameters, drawn from a seed; each parameter has a generator of its own, so sizes and order change no other.
 *
 * Source: VideoMAE's released code: Xavier in pre-training, truncated normal in fine-tuning, PyTorch's default where it sets nothing
 * (patch embedding, encoder to decoder). MoCo v3 (Chen et al. 2021) for its encoder.
 */

import { checkNumber, createRng } from '../core/index.ts';
import type { Rng } from '../core/index.ts';
import type { ParameterShapes } from './parameter-shapes.ts';

/** Values of a parameter, row-major. */
export interface ParameterValues {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Values under their official names. */
export type Weights = Readonly<Record<string, ParameterValues>>;

/** Which rules to draw by. */
export type InitRule = 'pretrain' | 'finetune' | 'moco';

/** How to draw. */
export interface InitOptions {
  readonly seed: number;
  readonly rule: InitRule;
  /** Factor of `head.weight` (the bias is 0), for `finetune`. Default 1; the released scripts use 0.001. */
  readonly headScale?: number;
  /** First value of learned scales of branches. Default 0.1. */
  readonly branchScale?: number;
}

interface Draw {
  readonly data: Float32Array;
  readonly shape: readonly number[];
  readonly rng: Rng;
}

/** Standard deviation of the truncated normal. */
const STD = 0.02;

/** A parameter with its name. */
export type NamedParameter = readonly [name: string, values: ParameterValues];

/**
 * Draws values for all parameters of a list.
 *
 * @throws {RangeError} if the seed is not an integer ≥ 0, or a scale not a finite number
 */
export function initialise(shapes: ParameterShapes, options: InitOptions): Weights {
  return Object.fromEntries(drawParameters(shapes, options));
}

/**
 * The same one by one, each drawn when it is asked for; some of them, if names are given.
 *
 * @throws {RangeError} as {@link initialise}
 */
export function* drawParameters(
  shapes: ParameterShapes,
  options: InitOptions,
  names: ReadonlySet<string> | null = null,
): Generator<NamedParameter> {
  checkNumber('headScale', options.headScale ?? 1);
  checkNumber('branchScale', options.branchScale ?? 0.1);
  for (const [name, shape] of Object.entries(shapes)) {
    if (names?.has(name) === false) continue;
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
    const rng = createRng(options.seed, 'initialise', name);
    fill(name, { data, shape, rng }, options, shapes);
    yield [name, { shape, data }];
  }
}

function fill(name: string, draw: Draw, options: InitOptions, shapes: ParameterShapes): void {
  const { data, shape } = draw;
  const { rule, headScale = 1, branchScale = 0.1 } = options;
  if (name.includes('patch_embed.')) {
    fillPatchEmbedding(draw, rule, shapes[name.replace(/bias$/, 'weight')] ?? []);
  } else if (name === 'mask_token') {
    fillNormal(draw, STD);
  } else if (name === 'encoder_to_decoder.weight') {
    fillUniform(draw, (shape[1] ?? 1) ** -0.5);
  } else if (/\.gamma_[12]$/.test(name)) {
    data.fill(branchScale);
  } else if (/norm\d?\.weight$/.test(name)) {
    data.fill(1);
  } else if (shape.length === 2 && rule === 'finetune') {
    fillNormal(draw, 2);
    if (name === 'head.weight') scale(data, headScale);
  } else if (shape.length === 2) {
    fillUniform(draw, xavierBound(name, shape, rule));
  } // biases stay 0
}

/** Weight and bias alike, over the values of a tubelet, as PyTorch has it; in MoCo v3 Xavier over the weight, and bias 0. */
function fillPatchEmbedding(draw: Draw, rule: InitRule, kernel: readonly number[]): void {
  const [outputs = 1, ...rest] = kernel;
  const inputs = rest.reduce((a, b) => a * b, 1);
  if (rule !== 'moco') fillUniform(draw, inputs ** -0.5);
  else if (draw.shape.length > 1) fillUniform(draw, Math.sqrt(6 / (inputs + outputs)));
}

function scale(data: Float32Array, factor: number): void {
  for (let i = 0; i < data.length; i++) data[i] = (data[i] ?? 0) * factor;
}

/** `a = sqrt(6 / (inputs + outputs))`; MoCo v3 counts queries, keys and values apart. */
function xavierBound(
  name: string,
  [outputs = 1, inputs = 1]: readonly number[],
  rule: InitRule,
): number {
  const parts = rule === 'moco' && name.endsWith('attn.qkv.weight') ? 3 : 1;
  return Math.sqrt(6 / (inputs + outputs / parts));
}

function fillUniform({ data, rng }: Draw, bound: number): void {
  for (let i = 0; i < data.length; i++) data[i] = (2 * rng.uniform() - 1) * bound;
}

/** Normal with deviation {@link STD}; values beyond `cut` are drawn again. Two at a time, by Box and Muller. */
function fillNormal({ data, rng }: Draw, cut: number): void {
  for (let i = 0; i < data.length;) {
    const radius = STD * Math.sqrt(-2 * Math.log(1 - rng.uniform()));
    const angle = 2 * Math.PI * rng.uniform();
    for (const value of [radius * Math.cos(angle), radius * Math.sin(angle)]) {
      if (Math.abs(value) <= cut && i < data.length) data[i++] = value;
    }
  }
}
