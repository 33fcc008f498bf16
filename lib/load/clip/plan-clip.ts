/** Everything that is drawn about one clip, as a small plan of plain data; {@link ClipMaker} carries it out. */

import { createRng } from '../../core/index.ts';
import type { Rng } from '../../core/index.ts';
import { drawErasing, drawMask, planRandAugment } from '../../sample/index.ts';
import type { AugmentStep, Crop, Size, View } from '../../sample/index.ts';
import { drawCut, testCut } from './choose-cut.ts';
import type { Cut } from './choose-cut.ts';
import { drawFrames, testFrames } from './choose-frames.ts';
import { gridOf, readsDouble } from './recipe.ts';
import type { ClipRecipe } from './recipe.ts';

/** What the draws of a clip depend on, and nothing else: not on its place, its batch or its rank. */
export interface ClipIdentity {
  /** The seed of the run; 0 when nothing is drawn. */
  readonly seed: number;
  readonly dataset: string;
  /** Round of the dataset, its epoch. */
  readonly round: number;
  /** Position of the sample in the dataset. */
  readonly sample: number;
  /** Which repeat of the clip in its batch, from 0; all have the same frames. */
  readonly repeat: number;
  /** Which test view, null in training. */
  readonly view: View | null;
}

/** What a sample says of the frames it holds. */
export interface StoredShape extends Size {
  readonly numStored: number;
  /** Name of the class, null if it has none. */
  readonly className: string | null;
}

/** What is done to a clip of stored frames, in this order. */
export interface ClipPlan {
  /** Stored frames of the clip, in its order; with targets of twice as many frames, these. */
  readonly frames: readonly number[];
  /** Applied to whole frames. */
  readonly augment: readonly AugmentStep[];
  readonly cut: Cut;
  readonly isFlipped: boolean;
  /** A box of the finished clip that becomes noise. */
  readonly erase: Crop | null;
}

/** Plans a clip. Each choice has a generator of its own, so switching one off does not change the others. */
export function planClip(
  recipe: ClipRecipe,
  stored: StoredShape,
  identity: ClipIdentity,
): ClipPlan {
  const { width, height, numStored, className } = stored;
  const { clipShape, views, randAugment, crop } = recipe;
  const [, size] = clipShape;
  const factor = readsDouble(recipe) ? 2 : 1;
  const choice = {
    numStored,
    numFrames: clipShape[0] * factor,
    stride: recipe.frames === 'uniform' ? recipe.stride : recipe.stride / factor,
  };
  const { view } = identity;
  const draw = (purpose: string): Rng => rngOf(purpose, identity);
  if (view !== null && views !== null) {
    const { segments: numSegments, crops: numCrops } = views;
    const { segment } = view;
    return {
      frames: testFrames(recipe.frames, choice, { segment, numSegments }),
      augment: [],
      cut: testCut({ width, height }, size, { crop: view.crop, numCrops }),
      isFlipped: false,
      erase: null,
    };
  }
  const mayFlip = className === null || !recipe.keepDirection.includes(className);
  return {
    frames: drawFrames(recipe.frames, choice, rngOf('frames', { ...identity, repeat: 0 })),
    augment: randAugment === null ? [] : planRandAugment(randAugment, draw('augment')),
    cut: drawCut(crop, { width, height }, size, draw('crop')),
    isFlipped: mayFlip && recipe.flip > 0 && draw('flip').uniform() < recipe.flip,
    erase: planErasing(recipe, draw),
  };
}

/** Draws the mask of a clip, uint8 `[N]`, 1 = masked; null if nothing is masked. */
export function planMask(recipe: ClipRecipe, identity: ClipIdentity): Uint8Array | null {
  if (recipe.mask === null) return null;
  return drawMask(gridOf(recipe), recipe.mask, rngOf('mask', identity));
}

/** The generator for one purpose of one clip. */
export function rngOf(purpose: string, { seed, ...identity }: ClipIdentity): Rng {
  const { dataset, round, sample, repeat } = identity;
  return createRng(seed, `clip-${purpose}`, dataset, round, sample, repeat);
}

function planErasing(
  { erasing, clipShape: [, height, width] }: ClipRecipe,
  draw: (purpose: string) => Rng,
): Crop | null {
  return erasing === 0 ? null : (drawErasing({ width, height }, draw('erase'), erasing) ?? null);
}
