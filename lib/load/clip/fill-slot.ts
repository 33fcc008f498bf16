/** From the pixels of a clip to its slot in the batch: cut, masked, normalised, each byte touched as late as possible. */

import {
  cutTubelets,
  joinTubelets,
  makeTargets,
  normalisePixels,
  splitTokens,
} from '../../sample/index.ts';
import type { ClipRecipe } from './recipe.ts';
import type { Scratch } from './scratch.ts';

/** The memory of one clip in the tensors of a batch; see {@link batchTensors}. */
export type Slot = Readonly<Partial<Record<SlotName, Uint8Array | Float32Array | Int32Array>>>;

/** Tensors that are filled clip by clip. */
export type SlotName = 'pixels' | 'visible' | 'target' | 'visibleTokens' | 'maskedTokens';

/** A clip as bytes: `[N, P]` when cut into tubelets, else `[T, H, W, 3]`. */
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
    const room = scratch.bytes('tokens', clip.data.length);
    fillMasked(arrange(clip, recipe, 'tubelets', room), { recipe, slot, mask, scratch });
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

function fillMasked(
  tokens: Uint8Array,
  work: { recipe: ClipRecipe; slot: Slot; mask: Uint8Array; scratch: Scratch },
): void {
  const { recipe, slot, mask, scratch } = work;
  const { visible, masked } = splitTokens(mask);
  const tokenBytes = tokens.length / mask.length;
  slot.visibleTokens?.set(visible);
  slot.maskedTokens?.set(masked);
  if (slot.visible instanceof Uint8Array) gather(tokens, visible, tokenBytes, slot.visible);
  if (slot.visible instanceof Float32Array) {
    const chosen = scratch.bytes('visible', visible.length * tokenBytes);
    gather(tokens, visible, tokenBytes, chosen);
    normalisePixels(chosen, recipe.colours, slot.visible);
  }
  if (slot.target instanceof Uint8Array) gather(tokens, masked, tokenBytes, slot.target);
  if (slot.target instanceof Float32Array) {
    const isNormalised = recipe.target === 'normalised';
    makeTargets(tokens, { tokenBytes, tokens: masked, isNormalised, out: slot.target });
  }
}

function gather(tokens: Uint8Array, chosen: Int32Array, tokenBytes: number, out: Uint8Array): void {
  for (const [place, token] of chosen.entries()) {
    const start = token * tokenBytes;
    out.set(tokens.subarray(start, start + tokenBytes), place * tokenBytes);
  }
}
