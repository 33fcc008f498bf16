/** Carries out plans: from a sample to its slots in the batch. Works on one thread, without waiting for anything. */

import { TubeletError } from '../../core/index.ts';
import { JpegDecoder } from '../../decode/index.ts';
import { applyRandAugment, eraseBox, flipClip, normalisePixels } from '../../sample/index.ts';
import type { ClipShape } from '../../sample/index.ts';
import type { Sample, SampleMeta } from '../../shard/index.ts';
import { fillFromBytes, fillFromColours } from './fill-slot.ts';
import type { Slot } from './fill-slot.ts';
import { planClip, planMask, rngOf } from './plan-clip.ts';
import type { ClipIdentity, ClipPlan } from './plan-clip.ts';
import { readsDouble } from './recipe.ts';
import type { ClipRecipe } from './recipe.ts';
import { scaleToBytes, scaleToColours } from './scale-reference.ts';
import { Scratch } from './scratch.ts';
import { readClip, readerOf, wholeFrame } from './stored-frames.ts';
import type { FrameReader } from './stored-frames.ts';

/** Makes clips by one recipe; belongs to the caller, who must dispose of it. */
export class ClipMaker {
  readonly #recipe: ClipRecipe;
  readonly #scratch = new Scratch();
  #decoder: JpegDecoder | undefined;

  constructor(recipe: ClipRecipe) {
    this.#recipe = recipe;
  }

  /**
   * Makes the clips of a sample of layout `frames`, one for each slot: repeats of the same frames, each with draws of its own.
   * Gives the stored frames of the clips.
   *
   * @throws {TubeletError} TUBE_SAMPLE_DAMAGED
   */
  makeFromFrames(
    sample: Sample,
    identity: ClipIdentity,
    slots: readonly Slot[],
  ): readonly number[] {
    const [numStored = 0, height = 0, width = 0] = sample.shape;
    const stored = { numStored, width, height, className: sample.class };
    const read = readerOf(sample, () => (this.#decoder ??= new JpegDecoder()));
    let frames: readonly number[] = [];
    for (const [repeat, slot] of slots.entries()) {
      const own = { ...identity, repeat };
      const plan = planClip(this.#recipe, stored, own);
      this.#make(
        { read, plan, identity: own, shape: [plan.frames.length, height, width, 3] },
        slot,
      );
      frames = plan.frames;
    }
    return readsDouble(this.#recipe) ? frames.filter((_, i) => i % 2 === 0) : frames;
  }

  /** Makes the clips of a sample of layout `tubelets` from its tokens, uint8 `[N, P]`, which may lie in the first slot already. */
  makeFromTokens(tokens: Uint8Array, identity: ClipIdentity, slots: readonly Slot[]): void {
    for (const [repeat, slot] of slots.entries()) {
      const mask = planMask(this.#recipe, { ...identity, repeat });
      const clip = { data: tokens, isCut: true };
      fillFromBytes(clip, this.#recipe, { slot, mask, scratch: this.#scratch });
    }
  }

  [Symbol.dispose](): void {
    this.#decoder?.[Symbol.dispose]();
    this.#decoder = undefined;
  }

  #make({ read, plan, identity, shape }: ClipWork, slot: Slot): void {
    const recipe = this.#recipe;
    const { mask, dtype, crop } = recipe;
    const [numFrames, height, width, colours] = recipe.clipShape;
    const clipShape = [numFrames * (readsDouble(recipe) ? 2 : 1), height, width, colours] as const;
    const length = clipShape.reduce((product, side) => product * side, 1);
    const isReference = recipe.resize === 'reference';
    const staysFloat = isReference && crop === 'resized' && dtype === 'float32' && mask === null;
    if (staysFloat) {
      const floats = this.#scratch.floats('colours', length);
      const whole = this.#readWhole(read, plan, shape);
      scaleToColours(whole, shape, { cut: plan.cut, colours: recipe.colours }, floats);
      if (plan.isFlipped) flipClip(floats, clipShape, floats);
      this.#fillColours(floats, { plan, identity }, slot);
      return;
    }
    const direct =
      recipe.form === 'frames' && slot.pixels instanceof Uint8Array ? slot.pixels : null;
    const bytes = direct ?? this.#scratch.bytes('clip', length);
    if (isReference) {
      const whole = this.#readWhole(read, plan, shape);
      scaleToBytes(whole, shape, { rule: crop, cut: plan.cut }, bytes);
    } else {
      readClip(read, plan.frames, plan.cut, bytes);
    }
    if (plan.isFlipped) flipClip(bytes, clipShape, bytes);
    if (plan.erase !== null) {
      const floats = this.#scratch.floats('colours', length);
      this.#fillColours(normalisePixels(bytes, recipe.colours, floats), { plan, identity }, slot);
    } else if (direct === null) {
      const masked = planMask(recipe, identity);
      fillFromBytes({ data: bytes, isCut: false }, recipe, {
        slot,
        mask: masked,
        scratch: this.#scratch,
      });
    }
  }

  #fillColours(
    colours: Float32Array,
    { plan: { erase }, identity }: { plan: ClipPlan; identity: ClipIdentity },
    slot: Slot,
  ): void {
    const { clipShape } = this.#recipe;
    if (erase !== null) eraseBox(colours, clipShape, erase, rngOf('noise', identity));
    fillFromColours(colours, this.#recipe, slot);
  }

  /** Whole frames of the clip with RandAugment applied, `[T, H, W, 3]`. */
  #readWhole(read: FrameReader, { frames, augment }: ClipPlan, shape: ClipShape): Uint8Array {
    const [numFrames, height, width] = shape;
    const whole = this.#scratch.bytes('whole', numFrames * height * width * 3);
    readClip(read, frames, wholeFrame({ width, height }), whole);
    return augment.length === 0 ? whole : applyRandAugment(whole, shape, augment, whole);
  }
}

interface ClipWork {
  readonly read: FrameReader;
  readonly plan: ClipPlan;
  readonly identity: ClipIdentity;
  /** Shape of the whole frames of the clip. */
  readonly shape: ClipShape;
}

/**
 * Checks that a sample of layout `tubelets` holds clips of the recipe.
 *
 * @throws {TubeletError} TUBE_SAMPLE_SHAPE
 */
export function checkTokens({ clipShape, tubelet }: ClipRecipe, meta: SampleMeta): void {
  const has = `${meta.clipShape?.join('x')} in ${meta.tubelet?.join('x')}`;
  const wanted = `${clipShape.join('x')} in ${tubelet.join('x')}`;
  if (has !== wanted) throw new TubeletError('TUBE_SAMPLE_SHAPE', { key: meta.key, has, wanted });
}
