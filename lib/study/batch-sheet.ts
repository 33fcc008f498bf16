/** A picture of the first batch of a loader, to see what a model would get: clips as they are, what is visible, what is to be predicted. */

import { TubeletError } from '../core/index.ts';
import { openLoader } from '../load/index.ts';
import type { Batch, BatchTensor, ClipRecipe, LoaderOptions, LoaderSource } from '../load/index.ts';
import { joinTubelets } from '../sample/index.ts';
import type { RgbImage } from '../sample/index.ts';
import { contactSheet } from './contact-sheet.ts';
import type { ContactSheetRow } from './contact-sheet.ts';

/** How the picture is drawn. */
export interface BatchSheetOptions {
  /** Clips to draw, from the first. Default 3. */
  readonly clips?: number;
  /** Frames side by side. Default 8. */
  readonly frames?: number;
}

/** Grey of what is not there: masked tokens among the visible ones, and the other way round. */
const NOTHING = 44;
/** How a normalised target is shown: 0 as middle grey, one deviation as this many levels. */
const LEVELS_PER_DEVIATION = 42;

/**
 * Draws the first batch as PNG: a row per clip, and with a mask two more, its visible tokens and its target; that
 * is of the clip's own frames, whatever `targetFrames` says.
 *
 * @throws as {@link openLoader} and {@link Loader.next}
 */
export async function batchSheet(
  source: LoaderSource,
  options: LoaderOptions,
  { clips = 3, frames = 8 }: BatchSheetOptions = {},
): Promise<Buffer> {
  const { mask, target: _target, targetFrames: _frames, ...unmasked } = options;
  const seen = await firstBatch(source, unmasked, clips);
  const rows = seen.clips.map(({ key, pixels }): ContactSheetRow[] => [
    { title: key, frames: imagesOf(pixels, seen.recipe) },
  ]);
  if (mask !== undefined) {
    const masked = await firstBatch(source, { ...options, targetFrames: 'own' }, clips);
    for (const [i, { visible, target, key }] of masked.clips.entries()) {
      rows[i]?.push(
        { title: `${key}  visible`, frames: imagesOf(visible, masked.recipe) },
        { title: `${key}  target`, frames: imagesOf(target, masked.recipe) },
      );
    }
  }
  return contactSheet(rows.flat(), { maxFramesPerRow: frames });
}

/** Bytes of a clip, `[N, P]` for form `tubelets`, else `[T, H, W, 3]`. */
interface SeenClip {
  readonly key: string;
  readonly pixels: Uint8Array;
  readonly visible: Uint8Array;
  readonly target: Uint8Array;
}

async function firstBatch(
  source: LoaderSource,
  options: LoaderOptions,
  numClips: number,
): Promise<{ readonly clips: readonly SeenClip[]; readonly recipe: ClipRecipe }> {
  await using loader = await openLoader(source, { ...options, prefetchBatches: 1 });
  const batch = await loader.next();
  const { recipe } = loader.info;
  if (batch === null) throw new TubeletError('TUBE_INTERNAL', { message: 'no batch' });
  const clips = batch.keys.slice(0, numClips).map((key, i) => seeClip(batch, i, { key, recipe }));
  return { clips, recipe };
}

function seeClip(
  batch: Batch,
  i: number,
  { key, recipe }: { key: string; recipe: ClipRecipe },
): SeenClip {
  const bytes = (tensor: Batch['pixels'], isTarget = false): Uint8Array =>
    tensor === undefined ? new Uint8Array() : toBytes(tensor, i, { recipe, isTarget });
  const { visible, target, visibleTokens, maskedTokens } = batch;
  return {
    key,
    pixels: bytes(batch.pixels),
    visible: spread(bytes(visible), tokensOf(visibleTokens, i), recipe),
    target: spread(bytes(target, true), tokensOf(maskedTokens, i), recipe),
  };
}

/** One clip of a tensor as bytes for the eye. */
function toBytes(
  tensor: BatchTensor<'uint8'> | BatchTensor<'float32'>,
  i: number,
  { recipe, isTarget }: { recipe: ClipRecipe; isTarget: boolean },
): Uint8Array {
  const length = tensor.data.length / (tensor.shape[0] ?? 1);
  const clip = tensor.data.slice(i * length, (i + 1) * length);
  if (clip instanceof Uint8Array) return clip;
  const { mean, std } = recipe.colours;
  const level = (value: number, at: number): number => {
    const channel = (at % 3) as 0 | 1 | 2;
    if (!isTarget) return (value * std[channel] + mean[channel]) * 255;
    return recipe.target === 'normalised' ? 128 + value * LEVELS_PER_DEVIATION : value * 255;
  };
  return new Uint8Array(Uint8ClampedArray.from(clip, level).buffer);
}

function tokensOf(tensor: BatchTensor<'int32'> | undefined, i: number): Int32Array {
  if (tensor === undefined) return new Int32Array();
  const [, count = 0] = tensor.shape;
  return tensor.data.slice(i * count, (i + 1) * count);
}

/** Puts some tokens at their places among all. */
function spread(
  some: Uint8Array,
  tokens: Int32Array,
  { clipShape, tubelet }: ClipRecipe,
): Uint8Array {
  const all = new Uint8Array(clipShape.reduce((product, side) => product * side, 1)).fill(NOTHING);
  const tokenBytes = tubelet.reduce((product, side) => product * side, 3);
  for (const [place, token] of tokens.entries()) {
    all.set(some.subarray(place * tokenBytes, (place + 1) * tokenBytes), token * tokenBytes);
  }
  return all;
}

function imagesOf(clip: Uint8Array, { form, clipShape, tubelet }: ClipRecipe): RgbImage[] {
  const [numFrames, height, width] = clipShape;
  const pixels = form === 'tubelets' ? joinTubelets(clip, clipShape, tubelet) : clip;
  const frameBytes = height * width * 3;
  return Array.from({ length: numFrames }, (_, frame) => ({
    width,
    height,
    data: pixels.subarray(frame * frameBytes, (frame + 1) * frameBytes),
  }));
}
