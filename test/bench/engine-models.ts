/**
 * What the engine is measured with: a transformer block forward and backward, and a whole step of VideoMAE's pre-training with
 * AdamW, written with the operations of `lib/ops`. Rival: `rivals/torch_step.py` does the same work.
 */

import { createRng } from '../../lib/core/index.ts';
import type { SpecLike } from '../../lib/engine/index.ts';
import {
  adamwUpdate,
  geluLinear,
  layerNorm,
  linear,
  mergedAttention,
  normLinear,
  tf,
} from '../../lib/ops/index.ts';
import type { AttentionMemory, LinearParameters, NormParameters } from '../../lib/ops/index.ts';

type Tensors = Readonly<Record<string, tf.Tensor>>;
type Shapes = Record<string, number[]>;

/** A stack of blocks on a batch. */
export interface StackSize {
  readonly batch: number;
  readonly tokens: number;
  readonly width: number;
  readonly heads: number;
}

/** A network of pre-training on 16 x 224 x 224 clips with 90 % tube masking. */
export interface PretrainSize {
  readonly batch: number;
  readonly width: number;
  readonly heads: number;
  readonly decoderWidth: number;
  readonly decoderHeads: number;
}

/** A function to compile with its inputs, its states, and the arithmetic that it asks for. */
export interface BenchProgram {
  readonly fn: (inputs: Tensors, state: Tensors) => Record<string, tf.Tensor>;
  readonly inputs: Readonly<Record<string, SpecLike>>;
  readonly state: Shapes;
  readonly feeds: Readonly<Record<string, Float32Array>>;
  /** Multiplications and additions of the products, forward and backward; nothing that is computed twice counts twice. */
  readonly flops: number;
}

export const PRETRAIN_SIZES: Readonly<Record<'S' | 'B', Omit<PretrainSize, 'batch'>>> = {
  S: { width: 384, heads: 6, decoderWidth: 192, decoderHeads: 3 },
  B: { width: 768, heads: 12, decoderWidth: 384, decoderHeads: 6 },
};

const DEPTH = 12;
const DECODER_DEPTH = 4;
const VISIBLE = 160;
const MASKED = 1408;
const VALUES = 1536;
const EPSILON = 1e-6;
const CONSTANTS = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8 };

/** One block: a scalar of its result, and gradients of everything. */
export function blockProgram(size: StackSize, memory: AttentionMemory): BenchProgram {
  const { batch, tokens, width } = size;
  const shapes = blockShapes('', width);
  const names = Object.keys(shapes);
  const clips = { x: [batch, tokens, width], dy: [batch, tokens, width] };
  const inputs = { ...clips, ...shapes };
  return {
    inputs,
    state: { dx: inputs.x, ...renamed(shapes, 'd.') }, // results stay in their buffers
    feeds: { ...fill(clips), ...initialParameters(shapes) },
    flops: 3 * blockFlops(size),
    fn: ({ x, dy, ...parameters }) => {
      const loss = (...tensors: tf.Tensor[]): tf.Scalar => {
        const [own, ...weights] = tensors;
        const named = Object.fromEntries(names.map((name, i) => [name, weights[i]!]));
        const y = runBlock(own!, named, '', { heads: size.heads, memory });
        return tf.sum(tf.mul(y, dy!));
      };
      const { value, grads } = tf.valueAndGrads<tf.Scalar>(loss)([
        x!,
        ...names.map((name) => parameters[name]!),
      ]);
      return {
        value,
        dx: grads[0]!,
        ...Object.fromEntries(names.map((name, i) => [`d.${name}`, grads[i + 1]!])),
      };
    },
  };
}

/** A step of pre-training. The loader cuts clips and makes targets, so the step begins with tubelets. */
export function pretrainProgram(size: PretrainSize, memory: AttentionMemory): BenchProgram {
  const { batch, width, decoderWidth } = size;
  const parameters = pretrainShapes(size);
  const names = Object.keys(parameters);
  const clips = {
    visible: [batch, VISIBLE, VALUES],
    target: [batch, MASKED, VALUES],
    encoderPositions: [batch, VISIBLE, width],
    decoderPositions: [batch, VISIBLE + MASKED, decoderWidth],
  };
  const scalars = { rate: [], keep: [], correction: [] };
  return {
    inputs: { ...clips, ...scalars },
    state: {
      ...parameters,
      ...renamed(parameters, 'first.'),
      ...renamed(parameters, 'second.'),
    },
    feeds: {
      ...fill(clips),
      rate: Float32Array.of(1e-3),
      keep: Float32Array.of(1 - 5e-6),
      correction: Float32Array.of(20),
    },
    flops: pretrainFlops(size),
    fn: (inputs, state) => {
      const lossOf = (...weights: tf.Tensor[]): tf.Scalar => {
        const named = Object.fromEntries(names.map((name, i) => [name, weights[i]!]));
        return pretrainLoss(inputs, named, size, memory);
      };
      const { value, grads } = tf.valueAndGrads<tf.Scalar>(lossOf)(
        names.map((name) => state[name]!),
      );
      const next: Record<string, tf.Tensor> = { loss: value };
      for (const [i, name] of names.entries()) {
        const tensors = {
          parameter: state[name]!,
          gradient: grads[i]!,
          first: state[`first.${name}`]!,
          second: state[`second.${name}`]!,
        };
        const keep = parameters[name]!.length === 1 ? tf.scalar(1) : inputs['keep']!;
        const { rate, correction } = inputs;
        const step = { rate: rate!, correction: correction!, keep };
        const updated = adamwUpdate(tensors, step, CONSTANTS);
        next[name] = updated.parameter;
        next[`first.${name}`] = updated.first;
        next[`second.${name}`] = updated.second;
      }
      return next;
    },
  };
}

interface BlockOptions {
  readonly heads: number;
  readonly memory: AttentionMemory;
}

function pretrainLoss(
  inputs: Tensors,
  weights: Tensors,
  { batch, heads, decoderHeads, decoderWidth }: PretrainSize,
  memory: AttentionMemory,
): tf.Scalar {
  const embedded = linear(inputs['visible']!, weights['embed.weight']!, weights['embed.bias']!);
  let stream: tf.Tensor = tf.add(embedded, inputs['encoderPositions']!);
  for (let i = 0; i < DEPTH; i += 1) {
    stream = runBlock(stream, weights, `encoder.${i}.`, { heads, memory });
  }
  stream = layerNorm(stream, weights['norm.weight']!, weights['norm.bias']!, EPSILON);
  const seen = linear(stream, weights['toDecoder']!, null);
  const positions = inputs['decoderPositions']!;
  const placesOf = (start: number, count: number): tf.Tensor =>
    tf.slice(positions, [0, start, 0], [batch, count, decoderWidth]);
  const blank = tf.add(placesOf(VISIBLE, MASKED), weights['maskToken']!);
  stream = tf.concat([tf.add(seen, placesOf(0, VISIBLE)), blank], 1);
  for (let i = 0; i < DECODER_DEPTH; i += 1) {
    stream = runBlock(stream, weights, `decoder.${i}.`, { heads: decoderHeads, memory });
  }
  const masked = tf.slice(stream, [0, VISIBLE, 0], [batch, MASKED, decoderWidth]);
  const get = (name: string): tf.Tensor => weights[name]!;
  const prediction = normLinear(masked, normOf(get, 'decoderNorm'), layerOf(get, 'head'));
  return tf.mean(tf.square(tf.sub(prediction, inputs['target']!)));
}

function runBlock(
  x: tf.Tensor,
  weights: Tensors,
  prefix: string,
  options: BlockOptions,
): tf.Tensor {
  const get = (name: string): tf.Tensor => weights[prefix + name]!;
  const middle = tf.add(x, attend(x, get, options));
  const hidden = normLinear(middle, normOf(get, 'norm2'), layerOf(get, 'fc1'));
  return tf.add(middle, geluLinear(hidden, layerOf(get, 'fc2')));
}

type Lookup = (name: string) => tf.Tensor;

function layerOf(get: Lookup, name: string): LinearParameters {
  return { weight: get(`${name}.weight`), bias: get(`${name}.bias`) };
}

function normOf(get: Lookup, name: string): NormParameters {
  return { scale: get(`${name}.weight`), offset: get(`${name}.bias`), epsilon: EPSILON };
}

function attend(x: tf.Tensor, get: Lookup, { heads, memory }: BlockOptions): tf.Tensor {
  const [batch, tokens, width] = x.shape as [number, number, number];
  const valueBias = get('v.bias');
  const bias = tf.concat([get('q.bias'), tf.zerosLike(valueBias), valueBias]);
  const layer = { weight: get('qkv.weight'), bias };
  const joint = normLinear(x, normOf(get, 'norm1'), layer);
  const split = tf.transpose(
    tf.reshape(joint, [batch, tokens, 3, heads, width / heads]),
    [2, 0, 3, 1, 4],
  );
  const [q, k, v] = tf.unstack(split) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
  const merged = mergedAttention(q, k, v, { memory });
  return linear(merged, get('proj.weight'), get('proj.bias'));
}

function blockShapes(prefix: string, width: number): Shapes {
  const own: Shapes = {
    'norm1.weight': [width],
    'norm1.bias': [width],
    'q.bias': [width],
    'v.bias': [width],
    'qkv.weight': [3 * width, width],
    'proj.weight': [width, width],
    'proj.bias': [width],
    'norm2.weight': [width],
    'norm2.bias': [width],
    'fc1.weight': [4 * width, width],
    'fc1.bias': [4 * width],
    'fc2.weight': [width, 4 * width],
    'fc2.bias': [width],
  };
  return renamed(own, prefix);
}

function pretrainShapes({ width, decoderWidth }: PretrainSize): Shapes {
  const blocks = (prefix: string, depth: number, own: number): Shapes =>
    Object.assign(
      {},
      ...Array.from({ length: depth }, (_, i) => blockShapes(`${prefix}.${i}.`, own)),
    ) as Shapes;
  return {
    maskToken: [1, 1, decoderWidth],
    'embed.weight': [width, VALUES],
    'embed.bias': [width],
    ...blocks('encoder', DEPTH, width),
    'norm.weight': [width],
    'norm.bias': [width],
    toDecoder: [decoderWidth, width],
    ...blocks('decoder', DECODER_DEPTH, decoderWidth),
    'decoderNorm.weight': [decoderWidth],
    'decoderNorm.bias': [decoderWidth],
    'head.weight': [VALUES, decoderWidth],
    'head.bias': [VALUES],
  };
}

/** Of one block, forward. */
function blockFlops({ batch, tokens, width }: Omit<StackSize, 'heads'>): number {
  return 2 * batch * tokens * 12 * width ** 2 + 4 * batch * tokens ** 2 * width;
}

function pretrainFlops({ batch, width, decoderWidth }: PretrainSize): number {
  const encoder = DEPTH * blockFlops({ batch, tokens: VISIBLE, width });
  const all = { batch, tokens: VISIBLE + MASKED, width: decoderWidth };
  const decoder = DECODER_DEPTH * blockFlops(all);
  const between = 2 * batch * VISIBLE * width * decoderWidth;
  const head = 2 * batch * MASKED * decoderWidth * VALUES;
  const embed = 2 * batch * VISIBLE * VALUES * width; // pixels get no gradient
  return 3 * (encoder + decoder + between + head) + 2 * embed;
}

function renamed(shapes: Shapes, prefix: string): Shapes {
  return Object.fromEntries(Object.entries(shapes).map(([name, one]) => [prefix + name, one]));
}

/** First values of the parameters of a step, which keep the size of what passes through. Moments are 0 as all states are at first. */
export function initialParameters(state: Shapes): Record<string, Float32Array> {
  const isMoment = (name: string): boolean => /^(?:first|second)\./u.test(name);
  const values = fill(
    Object.fromEntries(Object.entries(state).filter(([name]) => !isMoment(name))),
  );
  for (const [name, data] of Object.entries(values)) {
    const isScale = /norm\d?\.weight$/iu.test(name);
    if (name.endsWith('.bias') && !isScale) data.fill(0);
    else if (isScale) data.fill(1);
    else for (let i = 0; i < data.length; i += 1) data[i]! *= 0.05;
  }
  return values;
}

function fill(shapes: Shapes): Record<string, Float32Array> {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const rng = createRng(0, name);
      const length = shape.reduce((product, size) => product * size, 1);
      return [name, Float32Array.from({ length }, () => 2 * rng.uniform() - 1)];
    }),
  );
}
