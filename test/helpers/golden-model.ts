/** Golden inputs in the form in which the loader hands out batches, and golden configurations in the words of the model. */

import { tf } from '../../lib/ops/index.ts';
import { positionTable } from '../../lib/model/index.ts';
import type {
  ClassifierConfig,
  EncoderConfig,
  ParameterTensors,
  PretrainConfig,
} from '../../lib/model/index.ts';
import { cutTubelets, makeTargets, splitTokens } from '../../lib/sample/index.ts';
import type { ClipShape, Pixels } from '../../lib/sample/index.ts';
import type { Tensor } from './safetensors.ts';

type Facts = Readonly<Record<string, number>>;

const KNOWN =
  'img patch frames tubelet enc_dim enc_depth enc_heads dec_dim dec_depth dec_heads dim depth heads classes init_values normalize_target'.split(
    ' ',
  );

/** Configuration of a pre-training case. */
export function pretrainConfigOf(facts: Facts): PretrainConfig {
  return {
    ...geometryOf(facts),
    encoder: {
      width: facts['enc_dim']!,
      depth: facts['enc_depth']!,
      numHeads: facts['enc_heads']!,
    },
    decoder: {
      width: facts['dec_dim']!,
      depth: facts['dec_depth']!,
      numHeads: facts['dec_heads']!,
    },
  };
}

/** Configuration of a fine-tuning case. */
export function classifierConfigOf(facts: Facts): ClassifierConfig {
  return {
    ...geometryOf(facts),
    encoder: { width: facts['dim']!, depth: facts['depth']!, numHeads: facts['heads']! },
    numClasses: facts['classes']!,
  };
}

function geometryOf(facts: Facts): Omit<EncoderConfig, 'encoder'> {
  const unknown = Object.keys(facts).filter((name) => !KNOWN.includes(name));
  if (unknown.length > 0) throw new Error(`unknown settings: ${unknown.join(', ')}`);
  const { img, patch, frames, tubelet, init_values: branchScale = 0 } = facts;
  return {
    numFrames: frames!,
    size: img!,
    tubelet: [tubelet!, patch!, patch!],
    branchScale,
  };
}

/** Clips `[B, C, T, H, W]`, cut into tokens `[B, N, P]` of the loader's order. */
function cutClips<Kind extends Pixels>(
  { shape, data }: { readonly shape: readonly number[]; readonly data: Kind },
  config: EncoderConfig,
): Kind[] {
  const [batch, channels, frames, height, width] = shape as [
    number,
    number,
    number,
    number,
    number,
  ];
  const plane = frames * height * width;
  const clipShape: ClipShape = [frames, height, width, 3];
  return Array.from({ length: batch }, (_, b) => {
    const clip = data.slice(0, plane * 3) as Kind;
    for (let c = 0; c < channels; c++) {
      for (let i = 0; i < plane; i++) clip[i * 3 + c] = data[(b * channels + c) * plane + i]!;
    }
    return cutTubelets(clip, clipShape, config.tubelet);
  });
}

/** All tokens of normalised clips, `[B, N, P]`. */
export function clipTokens(input: Tensor, config: EncoderConfig): tf.Tensor3D {
  const clips = cutClips({ shape: input.shape, data: input.data as Float32Array }, config);
  const length = config.tubelet[0] * config.tubelet[1] * config.tubelet[2] * 3;
  return tf.tensor3d(concat(clips), [clips.length, clips[0]!.length / length, length]);
}

/** Tensors of a pre-training batch. */
export interface PretrainBatch {
  readonly visible: tf.Tensor3D;
  readonly target: tf.Tensor3D;
  readonly visibleTokens: tf.Tensor2D;
  readonly maskedTokens: tf.Tensor2D;
  readonly encoderPositions: tf.Tensor2D;
  readonly decoderPositions: tf.Tensor2D;
}

/** The batch that the loader would make of clips and masks; targets come from bytes. */
export function pretrainBatch(
  { input, bytes, mask }: { readonly input: Tensor; readonly bytes: Tensor; readonly mask: Tensor },
  config: PretrainConfig,
  isNormalised = true,
): PretrainBatch {
  const [t, p, q] = config.tubelet;
  const length = t * p * q * 3;
  const [batch, numTokens] = mask.shape as [number, number];
  const splits = Array.from({ length: batch }, (_, b) =>
    splitTokens((mask.data as Uint8Array).subarray(b * numTokens, (b + 1) * numTokens)),
  );
  const clips = cutClips({ shape: input.shape, data: input.data as Float32Array }, config);
  const visible = clips.flatMap((clip, b) =>
    Array.from(splits[b]!.visible, (n) => clip.subarray(n * length, (n + 1) * length)),
  );
  const targets = cutClips({ shape: bytes.shape, data: bytes.data as Uint8Array }, config).map(
    (clip, b) => makeTargets(clip, { tokenBytes: length, tokens: splits[b]!.masked, isNormalised }),
  );
  const numVisible = splits[0]!.visible.length;
  const numMasked = splits[0]!.masked.length;
  const tokensOf = (side: 'visible' | 'masked', count: number): tf.Tensor2D =>
    tf.tensor2d(
      splits.flatMap((split) => Array.from(split[side])),
      [batch, count],
      'int32',
    );
  return {
    visible: tf.tensor3d(concat(visible), [batch, numVisible, length]),
    target: tf.tensor3d(concat(targets), [batch, numMasked, length]),
    visibleTokens: tokensOf('visible', numVisible),
    maskedTokens: tokensOf('masked', numMasked),
    encoderPositions: positions(numTokens, config.encoder.width),
    decoderPositions: positions(numTokens, config.decoder.width),
  };
}

/** A position table as a tensor. */
export function positions(numTokens: number, width: number): tf.Tensor2D {
  return tf.tensor2d(positionTable(numTokens, width), [numTokens, width]);
}

/** Golden weights as tensors. */
export function toTensors(weights: Record<string, Tensor>): ParameterTensors {
  return Object.fromEntries(
    Object.entries(weights).map(([name, { shape, data }]) => [
      name,
      tf.tensor(data, [...shape], 'float32'),
    ]),
  );
}

/** Value and gradients of a scalar function of parameters. */
export function valueAndGradients(
  fn: (parameters: ParameterTensors) => tf.Scalar,
  parameters: ParameterTensors,
): { readonly value: tf.Scalar; readonly gradients: ParameterTensors } {
  const names = Object.keys(parameters);
  const { value, grads } = tf.valueAndGrads((...tensors: tf.Tensor[]) =>
    fn(Object.fromEntries(names.map((name, i) => [name, tensors[i]!]))),
  )(names.map((name) => parameters[name]!));
  return {
    value,
    gradients: Object.fromEntries(names.map((name, i) => [name, grads[i]!])),
  };
}

function concat(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
