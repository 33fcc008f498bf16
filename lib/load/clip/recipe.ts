/** What is made of each sample, as plain data that crosses to worker threads; and the shapes that follow from it. */

import { checkInteger, checkNumber, checkOneOf } from '../../core/index.ts';
import {
  IMAGENET_COLOURS,
  MASK_KINDS,
  TARGET_FRAMES,
  countMasked,
  parseRandAugment,
} from '../../sample/index.ts';
import type {
  ClipShape,
  ColourStats,
  MaskOptions,
  MixOptions,
  RandAugmentConfig,
  TargetFrames,
  TokenGrid,
  TubeletShape,
} from '../../sample/index.ts';
import { CROP_RULES } from './choose-cut.ts';
import type { CropRule } from './choose-cut.ts';
import { FRAME_RULES } from './choose-frames.ts';
import type { FrameRule } from './choose-frames.ts';

/** Number of test views of each video. */
export interface ViewCounts {
  readonly segments: number;
  readonly crops: number;
}

/**
 * Which frames and pixels of a sample make a clip. For shards of layout `frames`; those of layout `tubelets` hold finished clips,
 * which are taken as they are, also when they are mixed with others.
 */
export interface FramesOptions {
  /** Frames of a clip. Default 16. */
  readonly numFrames?: number;
  /** Stored frames from one frame of the clip to the next; shards mostly have a stride of their own. Default 1. */
  readonly stride?: number;
  /** How frames are chosen. Default `'dense'`; with `views` the test rule of the same family. */
  readonly frames?: FrameRule;
  /** Width and height of a clip in pixels. Default 224. */
  readonly size?: number;
  /** How the square is chosen. Default `'center'`; with `views` the test crops along the long side. */
  readonly crop?: CropRule;
  /**
   * `'decoder'` (default) crops and scales while decoding; `'reference'` decodes whole frames and scales with the exact arithmetic
   * of Pillow and PyTorch, several times slower. With `randAugment` it is always the latter.
   */
  readonly resize?: Resize;
  /** Part of the clips that are mirrored, 0 … 1. Default 0. */
  readonly flip?: number;
  /** Names of classes that know left from right: their clips are never mirrored. Default none. */
  readonly keepDirection?: readonly string[];
  /** Such as `rand-m7-n4-mstd0.5-inc1`. Default: none. */
  readonly randAugment?: string;
  /** Part of the clips that lose a box to noise, 0 … 1. Default 0. */
  readonly erasing?: number;
  /**
   * Looks at every video several times: an epoch is then all views of all samples, and nothing is drawn but masks. Does not go
   * with options that crop, change or mix clips. Default: none.
   */
  readonly views?: ViewCounts;
}

/** Who scales pictures. */
export type Resize = 'decoder' | 'reference';

/** How clips stand in a batch. */
export interface TensorOptions {
  /** `'tubelets'` (default) gives `[B, N, P]`, tokens of `tubelet`; `'frames'` gives `[B, T, H, W, 3]`. */
  readonly form?: 'tubelets' | 'frames';
  /** `[t, p, p]`, frames and pixels of a token. Default `[2, 16, 16]`, or what the shards have. */
  readonly tubelet?: TubeletShape;
  /** `'float32'` (default) holds `(byte / 255 - mean) / std`, `'uint8'` the bytes themselves. */
  readonly dtype?: 'float32' | 'uint8';
  /** Mean and deviation of each colour. Default ImageNet's, as VideoMAE uses them. */
  readonly colours?: ColourStats;
  /** Masks tokens: the batch then has `visible`, `target` and their tokens instead of `pixels`. Default: none. */
  readonly mask?: MaskOptions;
  /**
   * What masked tokens hold: `'normalised'` (default) values per token and colour, float32; or `'pixels'`, 0 … 1 for `dtype`
   * `'float32'` and bytes for `'uint8'`.
   */
  readonly target?: 'normalised' | 'pixels';
  /**
   * Which frames masked tokens have to predict: `'own'` (default) those that they hold, `'center'` the one in the middle of the clip,
   * `'double'` also those half a stride later, for which `stride` must be even. Targets have other lengths then.
   */
  readonly targetFrames?: TargetFrames;
  /** Mixup and CutMix over the batch, with `softLabels`. Default: none. */
  readonly mix?: MixOptions;
}

/** The resolved form of {@link FramesOptions} and {@link TensorOptions}. */
export interface ClipRecipe {
  readonly clipShape: ClipShape;
  readonly stride: number;
  readonly frames: FrameRule;
  readonly crop: CropRule;
  readonly resize: Resize;
  readonly flip: number;
  readonly keepDirection: readonly string[];
  readonly randAugment: RandAugmentConfig | null;
  readonly erasing: number;
  readonly views: ViewCounts | null;
  readonly form: 'tubelets' | 'frames';
  readonly tubelet: TubeletShape;
  readonly dtype: 'float32' | 'uint8';
  readonly colours: ColourStats;
  readonly mask: MaskOptions | null;
  readonly target: 'normalised' | 'pixels';
  readonly targetFrames: TargetFrames;
  readonly mix: MixOptions | null;
}

/** What the shards hold, where that decides over the clips: finished tubelets. */
export interface StoredClips {
  readonly clipShape: ClipShape;
  readonly tubelet: TubeletShape;
}

/** What all shards of a loader hold: frames, finished clips of one shape, or both. */
export interface ShardClips {
  readonly stored: StoredClips | null;
  readonly hasFrames: boolean;
}

const RESIZES: readonly Resize[] = ['decoder', 'reference'];
/** Options that choose or change pixels, which finished clips no longer allow. */
const FRAMES_ONLY = [
  'stride',
  'frames',
  'crop',
  'resize',
  'flip',
  'keepDirection',
  'randAugment',
  'erasing',
  'views',
] as const;
/** Options that test views leave no room for. */
const TRAINING_ONLY = ['crop', 'flip', 'keepDirection', 'randAugment', 'erasing', 'mix'] as const;

/**
 * Resolves the options for shards that hold frames, finished clips, or both.
 *
 * @throws {RangeError} if an option is unknown, out of bounds or does not go with another
 */
export function resolveRecipe(
  options: FramesOptions & TensorOptions,
  { stored, hasFrames }: ShardClips,
): ClipRecipe {
  const { numFrames = 16, size = 224 } = options;
  const recipe: ClipRecipe = {
    clipShape: stored?.clipShape ?? [numFrames, size, size, 3],
    stride: options.stride ?? 1,
    frames: options.frames ?? 'dense',
    crop: options.crop ?? 'center',
    resize: options.randAugment === undefined ? (options.resize ?? 'decoder') : 'reference',
    flip: options.flip ?? 0,
    keepDirection: options.keepDirection ?? [],
    randAugment: options.randAugment === undefined ? null : parseRandAugment(options.randAugment),
    erasing: options.erasing ?? 0,
    views: options.views ?? null,
    form: options.form ?? 'tubelets',
    tubelet: options.tubelet ?? stored?.tubelet ?? [2, 16, 16],
    dtype: options.dtype ?? 'float32',
    colours: options.colours ?? IMAGENET_COLOURS,
    mask: options.mask ?? null,
    target: options.target ?? 'normalised',
    targetFrames: options.targetFrames ?? 'own',
    mix: options.mix ?? null,
  };
  checkOneOf('resize', options.resize ?? 'decoder', RESIZES);
  if (!hasFrames) refuse(options, FRAMES_ONLY, 'needs shards of layout frames, not finished clips');
  if (stored !== null) checkStored(options, stored);
  if (stored !== null && readsDouble(recipe)) {
    throw new RangeError(
      '"targetFrames" double needs shards of layout frames, not finished clips.',
    );
  }
  if (recipe.views !== null) refuse(options, TRAINING_ONLY, 'does not go with "views"');
  checkRecipe(recipe);
  return recipe;
}

/** Tokens along time, rows and columns. */
export function gridOf({ clipShape, tubelet }: ClipRecipe): TokenGrid {
  return [clipShape[0] / tubelet[0], clipShape[1] / tubelet[1], clipShape[2] / tubelet[2]];
}

/** Whether frames between those of the clip are read as well, for targets. */
export function readsDouble({ mask, targetFrames }: ClipRecipe): boolean {
  return mask !== null && targetFrames === 'double';
}

/** Whether anything about a clip is left to chance. */
export function isRandom(recipe: ClipRecipe, hasFrames: boolean): boolean {
  const { flip, erasing, randAugment, mask, mix, views, crop } = recipe;
  if (mask !== null || mix !== null || flip > 0 || erasing > 0 || randAugment !== null) return true;
  return hasFrames && views === null && (recipe.frames !== 'first' || crop !== 'center');
}

function checkRecipe(recipe: ClipRecipe): void {
  const { clipShape, views, mask, form, dtype } = recipe;
  const [numFrames, height, width] = clipShape;
  checkInteger('numFrames', numFrames, { min: 1, max: 2 ** 12 });
  checkInteger('size', height, { min: 1, max: 2 ** 13 });
  checkInteger('size', width, { min: 1, max: 2 ** 13 });
  checkInteger('stride', recipe.stride, { min: 1 });
  checkOneOf('frames', recipe.frames, FRAME_RULES);
  checkOneOf('crop', recipe.crop, CROP_RULES);
  checkNumber('flip', recipe.flip, { min: 0, max: 1 });
  checkNumber('erasing', recipe.erasing, { min: 0, max: 1 });
  checkOneOf('form', form, ['tubelets', 'frames']);
  checkOneOf('dtype', dtype, ['float32', 'uint8']);
  checkOneOf('target', recipe.target, ['normalised', 'pixels']);
  checkOneOf('targetFrames', recipe.targetFrames, TARGET_FRAMES);
  if (readsDouble(recipe) && recipe.frames !== 'uniform' && recipe.stride % 2 === 1) {
    throw new RangeError(`"stride" must be even for "targetFrames" double (got ${recipe.stride}).`);
  }
  if (views !== null) checkViews(recipe, views);
  if (recipe.mix !== null) checkMix(recipe.mix);
  checkColours(recipe.colours);
  if (form === 'tubelets') checkGrid(recipe);
  if (mask !== null) checkMask(recipe, mask);
  if (dtype === 'uint8' && (recipe.erasing > 0 || recipe.mix !== null)) {
    throw new RangeError('"erasing" and "mix" need "dtype" float32 (got uint8).');
  }
}

/** Tubelets must fill a clip exactly. */
function checkGrid({
  clipShape: [numFrames, height, width],
  tubelet: [t, p, q],
}: ClipRecipe): void {
  checkInteger('tubelet', t, { min: 1 });
  checkInteger('tubelet', p, { min: 1 });
  if (p !== q) {
    throw new RangeError(`"tubelet" must be as high as it is wide (got ${t}x${p}x${q}).`);
  }
  checkMultiple('numFrames', numFrames, t);
  checkMultiple('size', height, p);
  checkMultiple('size', width, p);
}

function checkMultiple(name: string, side: number, part: number): void {
  if (side % part === 0) return;
  throw new RangeError(`"${name}" must be a multiple of ${part}, as "tubelet" says (got ${side}).`);
}

function checkMask(recipe: ClipRecipe, mask: MaskOptions): void {
  checkOneOf('mask', mask.kind, MASK_KINDS);
  if (recipe.form !== 'tubelets')
    throw new RangeError('"mask" needs "form" tubelets (got frames).');
  if (recipe.mix !== null || recipe.erasing > 0) {
    throw new RangeError(
      '"mask" does not go with "mix" or "erasing": targets are pixels as they are.',
    );
  }
  const [slots, rows, columns] = gridOf(recipe);
  const numMasked = countMasked([slots, rows, columns], mask);
  if (numMasked === 0 || numMasked === slots * rows * columns) {
    throw new RangeError(
      `"mask" must leave some tokens visible and hide some (got ${numMasked} hidden of ${slots * rows * columns}).`,
    );
  }
}

function checkViews({ frames }: ClipRecipe, { segments, crops }: ViewCounts): void {
  checkInteger('views.segments', segments, { min: 1 });
  checkInteger('views.crops', crops, { min: 1 });
  if (frames === 'uniform') checkInteger('views.segments', segments, { max: 2 });
}

function checkMix({ mixupAlpha, cutmixAlpha, ...rest }: MixOptions): void {
  checkNumber('mix.mixupAlpha', mixupAlpha, { min: 0 });
  checkNumber('mix.cutmixAlpha', cutmixAlpha, { min: 0 });
  checkNumber('mix.probability', rest.probability, { min: 0, max: 1 });
  checkNumber('mix.switchProbability', rest.switchProbability, { min: 0, max: 1 });
  if (mixupAlpha > 0 || cutmixAlpha > 0) return;
  throw new RangeError('"mix.mixupAlpha" or "mix.cutmixAlpha" must be above 0 (got 0 and 0).');
}

function checkColours({ mean, std }: ColourStats): void {
  for (const [name, values] of Object.entries({ mean, std })) {
    checkInteger(`number of colours.${name}`, values.length, { min: 3, max: 3 });
    for (const value of values) checkNumber(`colours.${name}`, value);
  }
  if (std.some((value) => value <= 0)) {
    throw new RangeError(`"colours.std" must be above 0 (got ${std.join(', ')}).`);
  }
}

function checkStored(options: FramesOptions & TensorOptions, stored: StoredClips): void {
  const [numFrames, height, width] = stored.clipShape;
  checkSame('numFrames', options.numFrames, numFrames);
  if (options.size !== undefined) {
    checkSame('size', options.size, height);
    checkSame('size', options.size, width);
  }
  checkSame('tubelet', options.tubelet?.join('x'), stored.tubelet.join('x'));
}

/** Options that would change nothing are refused, not passed over. */
function refuse(
  options: FramesOptions & TensorOptions,
  names: readonly (keyof (FramesOptions & TensorOptions))[],
  why: string,
): void {
  const given = names.filter((name) => options[name] !== undefined);
  if (given.length === 0) return;
  throw new RangeError(`${given.map((name) => `"${name}"`).join(', ')} ${why}; leave it out.`);
}

function checkSame<T extends string | number>(name: string, value: T | undefined, has: T): void {
  if (value === undefined || value === has) return;
  throw new RangeError(`"${name}" must be ${has}, as in the shards (got ${value}).`);
}
