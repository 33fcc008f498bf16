/** What a loader can be told, and the check of it. What is made of a sample is in clip/recipe.ts. */

import { availableParallelism } from 'node:os';
import { checkInteger, checkNumber, checkOneOf } from '../core/index.ts';
import type { StoreOptions } from '../shard/index.ts';
import type { ClipRecipe, FramesOptions, TensorOptions } from './clip/recipe.ts';
import { WINDOW_DEFAULTS } from './order/order.ts';
import type { ShuffleOptions, Shuffle } from './order/order.ts';
import type { Remainder } from './order/split.ts';

/**
 * What to do about a sample that cannot be read: `'throw'` (default) ends the run; `'skip'` puts another sample in its place, the same
 * on every machine; `'missing'` leaves the place empty and says so, for evaluation.
 */
export type OnError = 'throw' | 'skip' | 'missing';

/**
 * When the checksum of a sample is looked at: `'once'` (default) when a run reads it first, `'always'` each time. What comes from a
 * server is always checked.
 */
export type Check = 'once' | 'always';

/** A sample that could not be read. */
export interface BadSample {
  readonly dataset: string;
  /** Position of the sample in its dataset. */
  readonly sample: number;
  /** Key of the sample, null if not even that could be read. */
  readonly key: string | null;
  readonly code: string;
  readonly message: string;
}

/** Options of {@link openLoader}. */
export interface LoaderOptions extends Partial<ShuffleOptions>, FramesOptions, TensorOptions {
  /** Clips of a batch on one rank, before they are repeated. */
  readonly batchSize: number;
  /** An integer ≥ 0; needed when anything is shuffled or drawn. */
  readonly seed?: number;
  /** Default `'global'`; with `views` `'none'`. */
  readonly shuffle?: Shuffle;
  /** Length of an epoch in samples, over all ranks. Default: the whole dataset; for mixtures until the first dataset is used up. */
  readonly epochSamples?: number;
  /** First epoch of the run. Default 0. */
  readonly epoch?: number;
  /** Epochs of the run; one that goes on from a cursor ends where it would have ended. Default 1; may be `Infinity`. */
  readonly epochs?: number;
  /** This process among all that train together, from 0. Default 0. */
  readonly rank?: number;
  /** How many processes train together. Default 1. */
  readonly worldSize?: number;
  /** Must be chosen when `worldSize` is above 1. Default for one rank: `'uneven'`. */
  readonly remainder?: Remainder;
  /** How often each clip stands in its batch, each time augmented anew. Default 1. */
  readonly repeats?: number;
  /** Where to go on: what `loader.cursor()` gave, or that as parsed JSON. */
  readonly cursor?: unknown;
  /** Number of classes, for `softLabels`. Default: that of the datasets, which must have the same classes then. */
  readonly numClasses?: number;
  /**
   * Part of a soft label that is spread over all classes, 0 … 1; gives `softLabels` also without `mix`, for which every sample
   * must have a label. Default: none, with `mix` 0.
   */
  readonly smoothing?: number;
  /** Default `'throw'`. */
  readonly onError?: OnError;
  /** Called once for every sample that was skipped or is missing, when its batch is handed out. */
  readonly onBadSample?: (bad: BadSample) => void;
  /** Threads that read, decode and augment. Default: one per core. */
  readonly workers?: number;
  /** Batches that are made ahead. Default 3, or fewer if `maxBytes` does not hold them. */
  readonly prefetchBatches?: number;
  /** Bound on the memory for batches, in bytes; at least two must fit. Default 2^31, which is 2 GiB. */
  readonly maxBytes?: number;
  /** Default `'once'`. */
  readonly check?: Check;
  /** How shards are read, for instance through a cache. */
  readonly store?: StoreOptions;
  /** Ends the run; what is open is closed. */
  readonly signal?: AbortSignal;
}

/** The resolved options that workers need as well; plain data. */
export interface RunOptions {
  readonly batchSize: number;
  readonly repeats: number;
  /** 0 where nothing is drawn. */
  readonly seed: number;
  readonly order: Required<Pick<ShuffleOptions, 'shuffle'>> & Omit<ShuffleOptions, 'shuffle'>;
  readonly epochSamples: number | null;
  readonly rank: number;
  readonly worldSize: number;
  readonly remainder: Remainder | null;
  readonly onError: OnError;
  readonly recipe: ClipRecipe;
  /** Null without soft labels. */
  readonly softLabels: SoftLabelOptions | null;
}

/** How labels become targets. */
interface SoftLabelOptions {
  readonly numClasses: number;
  readonly smoothing: number;
}

/** What the options have to go with. */
export interface RunSetting {
  readonly recipe: ClipRecipe;
  /** Whether the recipe leaves anything to chance. */
  readonly isRandom: boolean;
  /** Class names of each dataset. */
  readonly classLists: readonly (readonly string[])[];
}

/** The part of the options that concerns this process and no other. */
export interface HostOptions {
  readonly workers: number;
  readonly prefetchBatches: number | null;
  readonly maxBytes: number;
  readonly check: Check;
}

/** The names of all policies, for option parsers. */
export const ON_ERROR: readonly OnError[] = ['throw', 'skip', 'missing'];
/** See {@link ON_ERROR}. */
export const CHECKS: readonly Check[] = ['once', 'always'];

/**
 * Resolves the options of a run.
 *
 * @throws {RangeError} if an option is unknown, out of bounds or does not go with another
 */
export function resolveRun(
  options: LoaderOptions,
  { recipe, isRandom, classLists }: RunSetting,
): RunOptions {
  const { views, mix } = recipe;
  const shuffle = options.shuffle ?? (views === null ? 'global' : 'none');
  const onError = options.onError ?? 'throw';
  checkOneOf('onError', onError, ON_ERROR);
  if (views !== null && onError === 'skip') {
    throw new RangeError('"onError" must be throw or missing with "views" (got "skip").');
  }
  if (views !== null && options.repeats !== undefined && options.repeats > 1) {
    throw new RangeError(`"repeats" must be 1 with "views" (got ${options.repeats}).`);
  }
  const needsSeed = isRandom || shuffle !== 'none' || onError === 'skip';
  if (needsSeed && options.seed === undefined) {
    throw new RangeError(
      '"seed" must be given when anything is shuffled or drawn (got undefined).',
    );
  }
  const { batchSize, repeats = 1, rank = 0, worldSize = 1, seed = 0 } = options;
  checkInteger('batchSize', batchSize, { min: 1, max: 2 ** 20 });
  checkInteger('repeats', repeats, { min: 1, max: 2 ** 10 });
  checkInteger('worldSize', worldSize, { min: 1 });
  checkInteger('rank', rank, { min: 0, max: worldSize - 1 });
  checkInteger('seed', seed, { min: 0 });
  checkDirections(recipe, classLists);
  if (mix !== null && (batchSize * repeats) % 2 === 1) {
    throw new RangeError(
      `"mix" needs an even number of clips in a batch (got ${batchSize * repeats}).`,
    );
  }
  return {
    batchSize,
    repeats,
    seed,
    order: { shuffle, seed, ...resolveWindow(options, shuffle) },
    epochSamples: options.epochSamples ?? null,
    rank,
    worldSize,
    remainder: options.remainder ?? null,
    onError,
    recipe,
    softLabels: resolveSoftLabels(options, classLists),
  };
}

function resolveWindow(
  { windowShards, windowSamples }: LoaderOptions,
  shuffle: Shuffle,
): Pick<ShuffleOptions, 'windowShards' | 'windowSamples'> {
  if (shuffle === 'window') {
    return {
      windowShards: windowShards ?? WINDOW_DEFAULTS.windowShards,
      windowSamples: windowSamples ?? WINDOW_DEFAULTS.windowSamples,
    };
  }
  if (windowShards === undefined && windowSamples === undefined) return {};
  throw new RangeError(`"windowShards", "windowSamples" need "shuffle" window (got "${shuffle}").`);
}

function resolveSoftLabels(
  { mix, smoothing, numClasses }: LoaderOptions,
  classLists: readonly (readonly string[])[],
): SoftLabelOptions | null {
  if (mix === undefined && smoothing === undefined) {
    if (numClasses === undefined) return null;
    throw new RangeError(`"numClasses" needs "smoothing" or "mix" (got ${numClasses}).`);
  }
  const [classes = []] = classLists;
  const isSame = classLists.every((other) => JSON.stringify(other) === JSON.stringify(classes));
  if (numClasses === undefined && !isSame) {
    throw new RangeError('"numClasses" must be given when the datasets have different classes.');
  }
  const resolved = { numClasses: numClasses ?? classes.length, smoothing: smoothing ?? 0 };
  checkInteger('numClasses', resolved.numClasses, { min: 1 });
  checkNumber('smoothing', resolved.smoothing, { min: 0, max: 1 });
  return resolved;
}

/** A name that no dataset knows would let clips of a class be mirrored that must not be. */
function checkDirections(
  { keepDirection }: ClipRecipe,
  classLists: readonly (readonly string[])[],
): void {
  for (const name of keepDirection) {
    if (classLists.some((classes) => classes.includes(name))) continue;
    throw new RangeError(`"keepDirection" must name classes of the dataset (got "${name}").`);
  }
}

/**
 * Resolves what concerns this process.
 *
 * @throws {RangeError} if an option is out of bounds
 */
export function resolveHost(options: LoaderOptions): HostOptions {
  const { workers = availableParallelism(), prefetchBatches, maxBytes = 2 ** 31 } = options;
  const { check = 'once' } = options;
  checkOneOf('check', check, CHECKS);
  checkInteger('workers', workers, { min: 1, max: 256 });
  if (prefetchBatches !== undefined)
    checkInteger('prefetchBatches', prefetchBatches, { min: 1, max: 1024 });
  checkInteger('maxBytes', maxBytes, { min: 1 });
  return { workers, prefetchBatches: prefetchBatches ?? null, maxBytes, check };
}

/**
 * The options that decide over batches and their order, for the cursor. Ranks, batch size and workers are not among them, nor what
 * has no effect beside other options. `'throw'` and `'skip'` count as one, for what was handed out is the same with both: so a run
 * that a bad sample ended can go on without it.
 */
export function cursorOptions(run: RunOptions): Record<string, unknown> {
  const { order, epochSamples, seed, repeats, onError, softLabels } = run;
  const { form, dtype, mask, flip, targetFrames, ...recipe } = run.recipe;
  const isUniform = recipe.frames === 'uniform';
  return {
    ...order,
    seed,
    epochSamples,
    repeats,
    onError: onError === 'missing' ? onError : 'throw or skip',
    ...softLabels,
    ...recipe,
    form,
    dtype,
    mask,
    flip,
    stride: isUniform ? undefined : recipe.stride,
    keepDirection: flip === 0 ? undefined : recipe.keepDirection.toSorted(),
    tubelet: form === 'frames' ? undefined : recipe.tubelet,
    colours: dtype === 'uint8' ? undefined : recipe.colours,
    target: mask === null ? undefined : recipe.target,
    targetFrames: mask === null || targetFrames === 'own' ? undefined : targetFrames,
  };
}
