/** From the pixels of a clip to its slot in the batch: cut, masked, normalised, each byte touched as late as possible. */

import {
  centerPatches,
  cutTubelets,
  joinTubelets,
  makeTargets,
  normalisePixels,
  splitTokens,
} from '../../sample/index.ts';
import type { ClipShape } from '../../sample/index.ts';
import { gridOf, readsDouble } from './recipe.ts';
import type { ClipRecipe } from './recipe.ts';
import type { Scratch } from './scratch.ts';

/** The memory of one clip in the tensors of a batch; see {@link batchTensors}. */
export type Slot = Readonly<Partial<Record<SlotName, Uint8Array | Float32Array | Int32Array>>>;

/** Tensors that are filled clip by clip. */
export type SlotName = 'pixels' | 'visible' | 'target' | 'visibleTokens' | 'maskedTokens';

/** A clip as bytes: `[N, P]` when cut into tubelets, else `[T, H, W, 3]`, or `[2T, H, W, 3]` where targets have twice as many frames. */
export interface ClipBytes {
  readonly data: Uint8Array;
  readonly isCut: boolean;
}

/** Fills the slot of a clip from its bytes. `mask` is uint8 `[N]`, 1 = masked, and null without masking. */
export function fillFromBytes(
  clip: ClipBytes,
  recipe: ClipRecipe,
  { slot, mask, scratch }: { slot: Slot; mask: Uint8Array | null; scratch: Scratch },
): void {
  if (mask !== null) {
    fillMasked(tokensOf(clip, recipe, scratch), { recipe, slot, mask, scratch });
    return;
  }
  const { pixels } = slot;
  if (pixels instanceof Uint8Array) {
    const arranged = arrange(clip, recipe, recipe.form, pixels);
    if (!isSameMemory(arranged, pixels)) pixels.set(arranged);
  }
  if (pixels instanceof Float32Array) {
    const bytes = scratch.bytes('arranged', clip.data.length);
    normalisePixels(arrange(clip, recipe, recipe.form, bytes), recipe.colours, pixels);
  }
}

/** Fills the slot of a clip from normalised colours, `[T, H, W, 3]`. */
export function fillFromColours(clip: Float32Array, recipe: ClipRecipe, { pixels }: Slot): void {
  if (!(pixels instanceof Float32Array)) return;
  if (recipe.form === 'frames') pixels.set(clip);
  else cutTubelets(clip, recipe.clipShape, recipe.tubelet, { out: pixels });
}

function isSameMemory(a: Uint8Array, b: Uint8Array): boolean {
  return a.buffer === b.buffer && a.byteOffset === b.byteOffset;
}

function isArranged({ isCut }: ClipBytes, form: ClipRecipe['form']): boolean {
  return isCut === (form === 'tubelets');
}

/** Gives the clip in the wanted form: as it is, or rearranged in `out`. */
function arrange(
  clip: ClipBytes,
  { clipShape, tubelet }: ClipRecipe,
  form: ClipRecipe['form'],
  out: Uint8Array,
): Uint8Array {
  if (isArranged(clip, form)) return clip.data;
  return clip.isCut
    ? joinTubelets(clip.data, clipShape, tubelet, out)
    : cutTubelets(clip.data, clipShape, tubelet, { out });
}

/** What a masked clip is made of: its tokens, and what targets are taken from, one row for each token or for each place. */
interface MaskedTokens {
  readonly tokens: Uint8Array;
  readonly truth: Uint8Array;
  /** Rows of `truth`. */
  readonly numTruths: number;
}

function tokensOf(clip: ClipBytes, recipe: ClipRecipe, scratch: Scratch): MaskedTokens {
  const { clipShape, tubelet, targetFrames } = recipe;
  const [slots, rows, columns] = gridOf(recipe);
  const numTokens = slots * rows * columns;
  if (readsDouble(recipe)) {
    const [t, p, q] = tubelet;
    const [numFrames, height, width, colours] = clipShape;
    const double: ClipShape = [2 * numFrames, height, width, colours];
    const truth = scratch.bytes('truth', clip.data.length);
    cutTubelets(clip.data, double, [2 * t, p, q], { out: truth });
    const own = everySecondFrame(clip.data, clipShape, scratch.bytes('own', truth.length / 2));
    const tokens = scratch.bytes('tokens', own.length);
    cutTubelets(own, clipShape, tubelet, { out: tokens });
    return { tokens, truth, numTruths: numTokens };
  }
  const tokens = arrange(clip, recipe, 'tubelets', scratch.bytes('tokens', clip.data.length));
  if (targetFrames === 'own') return { tokens, truth: tokens, numTruths: numTokens };
  return { tokens, truth: centerPatches(tokens, clipShape, tubelet), numTruths: rows * columns };
}

function everySecondFrame(
  frames: Uint8Array,
  [numFrames, height, width]: ClipShape,
  out: Uint8Array,
): Uint8Array {
  const bytes = height * width * 3;
  for (let frame = 0; frame < numFrames; frame++) {
    out.set(frames.subarray(2 * frame * bytes, (2 * frame + 1) * bytes), frame * bytes);
  }
  return out;
}

function fillMasked(
  { tokens, truth, numTruths }: MaskedTokens,
  work: { recipe: ClipRecipe; slot: Slot; mask: Uint8Array; scratch: Scratch },
): void {
  const { recipe, slot, mask, scratch } = work;
  const { visible, masked } = splitTokens(mask);
  const tokenBytes = tokens.length / mask.length;
  const truthBytes = truth.length / numTruths;
  // With one row for each place, tokens of all times share it.
  const targets = masked.map((token) => token % numTruths);
  slot.visibleTokens?.set(visible);
  slot.maskedTokens?.set(masked);
  if (slot.visible instanceof Uint8Array) gather(tokens, visible, tokenBytes, slot.visible);
  if (slot.visible instanceof Float32Array) {
    const chosen = scratch.bytes('visible', visible.length * tokenBytes);
    gather(tokens, visible, tokenBytes, chosen);
    normalisePixels(chosen, recipe.colours, slot.visible);
  }
  if (slot.target instanceof Uint8Array) gather(truth, targets, truthBytes, slot.target);
  if (slot.target instanceof Float32Array) {
    const isNormalised = recipe.target === 'normalised';
    const out = slot.target;
    makeTargets(truth, { tokenBytes: truthBytes, tokens: targets, isNormalised, out });
  }
}

function gather(tokens: Uint8Array, chosen: Int32Array, tokenBytes: number, out: Uint8Array): void {
  for (const [place, token] of chosen.entries()) {
    const start = token * tokenBytes;
    out.set(tokens.subarray(start, start + tokenBytes), place * tokenBytes);
  }
}
