/**
 * What a pre-trained network sees and what it makes of it: clips, the same with the masked tokens left out, and with predictions in
 * their place.
 *
 * Source: VideoMAE's released code: predictions of normalised pixels are given back the true mean and deviation of each tubelet and
 * colour, which the network did not predict. Pictures made so must say it. A network that predicts the middle frame shows its patch in
 * all frames of a token; of one that predicts twice as many frames, those of the clip are shown.
 */

import { createRng } from '../core/index.ts';
import { compile } from '../engine/index.ts';
import type { CompileOptions } from '../engine/index.ts';
import type { LoaderSource } from '../load/index.ts';
import {
  countTokens,
  positionTable,
  predictMasked,
  pretrainShapes,
  tokenGrid,
  tokenLength,
} from '../model/index.ts';
import type { PretrainConfig } from '../model/index.ts';
import type { PretrainRecipe } from '../recipes/index.ts';
import {
  centerPatches,
  drawMask,
  joinTubelets,
  normalisePixels,
  splitTokens,
  targetLength,
} from '../sample/index.ts';
import type { RgbImage, TokenSplit } from '../sample/index.ts';
import { findWeights } from './checkpoint.ts';
import { loadExactly } from './load-initial.ts';
import { openViews } from './open-views.ts';
import { readRunConfig } from './run-folder.ts';

/** Options of {@link reconstruct}. */
export interface ReconstructOptions {
  /** Clips, the first of the dataset. Default 4. */
  readonly numClips?: number;
  /** Seed of the masks. Default 0. */
  readonly seed?: number;
  /** Part of the tokens that is masked; default: that of the run. */
  readonly maskRatio?: number;
  readonly engine?: CompileOptions;
  /** Threads of the loader. */
  readonly workers?: number;
  readonly signal?: AbortSignal;
}

/** A clip in three forms, frame by frame. Masked tokens are grey. */
export interface Reconstruction {
  readonly key: string;
  readonly original: readonly RgbImage[];
  readonly masked: readonly RgbImage[];
  readonly reconstructed: readonly RgbImage[];
}

/** Reconstructions, and whether predictions were given back true means and deviations. */
export interface Reconstructions {
  readonly clips: readonly Reconstruction[];
  readonly usesTrueMeans: boolean;
  readonly maskRatio: number;
}

const GREY = 128;

/**
 * Reconstructs the first clips of a dataset, from the centre of each video.
 *
 * @throws {TubeletError} TUBE_RUN_NOT_FOUND, TUBE_RUN_DAMAGED, what loading, weights and the engine throw
 * @throws {RangeError} if the run is none of pre-training
 */
export async function reconstruct(
  run: string,
  source: LoaderSource,
  options: ReconstructOptions = {},
): Promise<Reconstructions> {
  const { recipe, model } = await readRunConfig(run);
  if (model.kind !== 'pretrain' || recipe.task !== 'pretrain') {
    throw new RangeError(`"run" must be one of pre-training (got ${model.kind}).`);
  }
  const { config } = model;
  const maskRatio = options.maskRatio ?? recipe.data.maskRatio;
  const clips = await firstClips(source, recipe, options);
  const splits = clips.map((_, clip) =>
    splitTokens(
      drawMask(
        tokenGrid(config),
        { kind: recipe.data.mask, ratio: maskRatio },
        createRng(options.seed ?? 0, 'reconstruct', clip),
      ),
    ),
  );
  const predicted = await predict(run, { config, clips, splits, engine: options.engine });
  const isNormalised = recipe.data.target === 'normalised';
  const length = tokenLength(config);
  const { targetFrames } = recipe.data;
  const predictedLength = targetLength(targetFrames, config.tubelet);
  return {
    maskRatio,
    usesTrueMeans: isNormalised,
    clips: clips.map(({ key, tokens }, clip) => {
      const split = splits[clip] ?? { visible: new Int32Array(), masked: new Int32Array() };
      const masked = tokens.slice();
      const reconstructed = tokens.slice();
      const shape = [config.numFrames, config.size, config.size, 3] as const;
      const patches =
        targetFrames === 'center' ? centerPatches(tokens, shape, config.tubelet) : null;
      for (const [place, token] of split.masked.entries()) {
        const at = token * length;
        masked.fill(GREY, at, at + length);
        const whole = predicted[clip]?.subarray(
          place * predictedLength,
          (place + 1) * predictedLength,
        );
        if (whole === undefined) continue;
        const own = targetFrames === 'double' ? everySecondFrame(whole, config) : whole;
        const from = patches === null ? at : (token * own.length) % patches.length;
        const truth = (patches ?? tokens).subarray(from, from + own.length);
        const bytes = isNormalised ? withTrueMeans(own, truth) : toBytes(own);
        for (let i = 0; i < length; i += bytes.length) reconstructed.set(bytes, at + i);
      }
      return {
        key,
        original: toFrames(tokens, config),
        masked: toFrames(masked, config),
        reconstructed: toFrames(reconstructed, config),
      };
    }),
  };
}

interface KeyedTokens {
  readonly key: string;
  /** Bytes, `[N, P]`. */
  readonly tokens: Uint8Array;
}

async function firstClips(
  source: LoaderSource,
  recipe: PretrainRecipe,
  { numClips = 4, workers, signal }: ReconstructOptions,
): Promise<KeyedTokens[]> {
  const { loader } = await openViews(source, {
    clip: recipe.data,
    own: { segments: 1, crops: 1 },
    batchSize: numClips,
    workers,
    signal,
    load: { onError: 'throw', dtype: 'uint8' },
  });
  await using _closing = loader;
  const batch = await loader.next();
  const data = batch?.pixels?.data as Uint8Array | undefined;
  if (batch === null || data === undefined) return [];
  const length = data.length / batch.keys.length;
  return batch.keys.map((key, i) => ({ key, tokens: data.slice(i * length, (i + 1) * length) }));
}

/** Predictions of the masked tokens of each clip, `[Nmask, P]`. */
async function predict(
  run: string,
  {
    config,
    clips,
    splits,
    engine,
  }: {
    readonly config: PretrainConfig;
    readonly clips: readonly KeyedTokens[];
    readonly splits: readonly TokenSplit[];
    readonly engine: CompileOptions | undefined;
  },
): Promise<Float32Array[]> {
  const [numTokens, length] = [countTokens(config), tokenLength(config)];
  const numVisible = splits[0]?.visible.length ?? 0;
  const numMasked = splits[0]?.masked.length ?? 0;
  const count = clips.length;
  if (count === 0) return [];
  const shapes = pretrainShapes(config);
  await using program = await compile(
    (inputs, state) => ({ predicted: predictMasked(state, inputs as never, config) }),
    {
      inputs: {
        visible: [count, numVisible, length],
        visibleTokens: { shape: [count, numVisible], dtype: 'int32' },
        maskedTokens: { shape: [count, numMasked], dtype: 'int32' },
        encoderPositions: [numTokens, config.encoder.width],
        decoderPositions: [numTokens, config.decoder.width],
      },
      state: shapes,
    },
    engine,
  );
  program.setState(await loadExactly(shapes, await findWeights(run, 'last'), 'exact'));
  const visible = new Float32Array(count * numVisible * length);
  for (const [clip, { tokens }] of clips.entries()) {
    const normal = normalisePixels(tokens);
    for (const [place, token] of (splits[clip]?.visible ?? []).entries()) {
      const own = normal.subarray(token * length, (token + 1) * length);
      visible.set(own, (clip * numVisible + place) * length);
    }
  }
  const { predicted } = await program.run({
    visible,
    visibleTokens: Int32Array.from(splits.flatMap((split) => Array.from(split.visible))),
    maskedTokens: Int32Array.from(splits.flatMap((split) => Array.from(split.masked))),
    encoderPositions: positionTable(numTokens, config.encoder.width),
    decoderPositions: positionTable(numTokens, config.decoder.width),
  });
  const each = numMasked * (config.targetLength ?? length);
  return clips.map((_, clip) =>
    (predicted as Float32Array).subarray(clip * each, (clip + 1) * each),
  );
}

/** The frames of the clip among twice as many, `[2t, p, p, 3]` to `[t, p, p, 3]`. */
function everySecondFrame(predicted: Float32Array, { tubelet }: PretrainConfig): Float32Array {
  const [t, p, q] = tubelet;
  const length = p * q * 3;
  const own = new Float32Array(t * length);
  for (let frame = 0; frame < t; frame++) {
    own.set(predicted.subarray(2 * frame * length, (2 * frame + 1) * length), frame * length);
  }
  return own;
}

/** Gives each colour of a predicted tubelet the mean and deviation of the true one. */
function withTrueMeans(predicted: Float32Array, truth: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(truth.length);
  const count = truth.length / 3;
  for (let colour = 0; colour < 3; colour++) {
    let sum = 0;
    let squares = 0;
    for (let i = colour; i < truth.length; i += 3) {
      const value = truth[i] ?? 0;
      sum += value;
      squares += value * value;
    }
    const mean = sum / count;
    const deviation = Math.sqrt(Math.max(0, (squares - sum * mean) / (count - 1)));
    for (let i = colour; i < truth.length; i += 3) {
      bytes[i] = clampByte((predicted[i] ?? 0) * deviation + mean);
    }
  }
  return bytes;
}

function toBytes(predicted: Float32Array): Uint8Array {
  return Uint8Array.from(predicted, (value) => clampByte(value * 255));
}

function clampByte(value: number): number {
  return Math.min(255, Math.max(0, Math.round(value)));
}

function toFrames(tokens: Uint8Array, { numFrames, size, tubelet }: PretrainConfig): RgbImage[] {
  const clip = joinTubelets(tokens, [numFrames, size, size, 3], tubelet);
  const bytes = size * size * 3;
  return Array.from({ length: numFrames }, (_, frame) => ({
    width: size,
    height: size,
    data: clip.slice(frame * bytes, (frame + 1) * bytes),
  }));
}
