/** From an ablation's recipe to runs: which values each has, which points share one, and how much work it is. */

import { isDeepStrictEqual } from 'node:util';
import { checkInteger, checkNumber, checkOneOf } from '../../core/index.ts';
import { changeRecipe, findRecipe } from '../../recipes/index.ts';
import type {
  AblationPoint,
  AblationRecipe,
  PretrainRecipe,
  Readout,
  Recipe,
} from '../../recipes/index.ts';
import { workOf } from './work.ts';
import type { DataSizes, RunRecipes } from './work.ts';

/** What may be changed of an ablation, and which part of it is wanted. */
export interface AblationChoice {
  readonly recipe: AblationRecipe;
  /** As `train.lr=3e-4`, set in every recipe that has the value; as `pretrain.train.lr=3e-4`, in one. */
  readonly changes?: readonly string[];
  /** Names of parts. Default: all. */
  readonly only?: readonly string[];
  /** Runs of each point. Default: the recipe's. */
  readonly seeds?: number;
  /** How encoders are judged. Default: the recipe's. */
  readonly readouts?: readonly Readout[];
}

/** One pre-training, and what judges it. */
export interface AblationRun extends RunRecipes {
  /** Its folder, below that of the runs. */
  readonly name: string;
  /** Samples that pre-training sees; null for all. */
  readonly numSamples: number | null;
  /** Billions of floating point operations, more or less. */
  readonly gflops: number;
}

/** A point and its runs. */
interface PlannedPoint extends Pick<AblationPoint, 'name' | 'line' | 'x'> {
  /** Whether nothing is changed. */
  readonly isStandard: boolean;
  /** Names of its runs, one per seed. */
  readonly runs: readonly string[];
}

/** All that is to be done. */
export interface AblationPlan {
  readonly readouts: readonly Readout[];
  readonly seeds: number;
  /** What nothing is changed in. */
  readonly standard: RunRecipes;
  readonly parts: readonly {
    readonly name: string;
    readonly title: string;
    readonly axis: string;
    readonly points: readonly PlannedPoint[];
  }[];
  /** Each once, in the order in which they are done. */
  readonly runs: readonly AblationRun[];
}

const TASKS = ['pretrain', 'probe', 'finetune'] as const;

/**
 * Plans an ablation on datasets of these sizes. Points of the same values share a run, whose name does not depend on which parts are
 * wanted.
 *
 * @throws {RangeError} naming what is unknown or cannot be set
 */
export function planAblation(
  {
    recipe,
    changes = [],
    only = [],
    seeds = recipe.seeds,
    readouts = recipe.readouts,
  }: AblationChoice,
  sizes: DataSizes,
): AblationPlan {
  const names = recipe.parts.map(({ name }) => name);
  for (const name of only) checkOneOf('only', name, names);
  for (const name of readouts) checkOneOf('readouts', name, ['probe', 'finetune']);
  checkInteger('readouts.length', readouts.length, { min: 1 });
  checkInteger('seeds', seeds, { min: 1 });
  const isWanted = (part: string): boolean => only.length === 0 || only.includes(part);
  const standard = standardRecipes(recipe, changes);
  const settings: (Setting & { readonly name: string })[] = [];
  const runs = new Map<string, AblationRun>();
  const parts = recipe.parts.map(({ name, title, axis, points }) => {
    const planned = points.map(({ changes: own, videos = 1, ...point }) => {
      const setting = settingOf(standard.pretrain, { own, videos }, sizes.numPretrain);
      const known = settings.find((one) => isSame(one, setting));
      const named = known ?? { ...setting, name: point.name };
      if (known === undefined) settings.push(named);
      const ownRuns = Array.from({ length: seeds }, (_, seed) => runOf(named, standard, seed));
      if (isWanted(name)) {
        for (const run of ownRuns) {
          runs.set(run.name, { ...run, gflops: workOf(run, readouts, sizes) });
        }
      }
      const isStandard = isSame(setting, { pretrain: standard.pretrain, numSamples: null });
      return { ...point, isStandard, runs: ownRuns.map((run) => run.name) };
    });
    return { name, title, axis, points: planned };
  });
  return {
    readouts,
    seeds,
    standard,
    parts: parts.filter(({ name }) => isWanted(name)),
    runs: [...runs.values()],
  };
}

interface Setting {
  readonly pretrain: PretrainRecipe;
  readonly numSamples: number | null;
}

function isSame(a: Setting, b: Setting): boolean {
  return a.numSamples === b.numSamples && isDeepStrictEqual(plain(a.pretrain), plain(b.pretrain));
}

/** Recipes have prototypes and frozen parts or not, depending on where they come from. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** The recipes without a point's changes: of the ablation's length, then as the user wants them. */
function standardRecipes(recipe: AblationRecipe, changes: readonly string[]): RunRecipes {
  const { length } = recipe;
  const whole = findRecipe('pretrain', recipe.pretrain);
  const { epochs, warmupEpochs } = whole.train;
  const pretrain = {
    ...whole,
    train: {
      ...whole.train,
      epochs: Math.max(1, Math.round(length * epochs)),
      warmupEpochs: Math.round(length * warmupEpochs),
    },
  };
  const recipes: RunRecipes = {
    pretrain,
    probe: findRecipe('probe', recipe.probe),
    finetune: findRecipe('finetune', recipe.finetune),
  };
  return changes.reduce(applyChange, recipes);
}

/** Sets a value in the recipe that the change names, or in all that have it. */
function applyChange(recipes: RunRecipes, change: string): RunRecipes {
  const [, task, rest] = /^(pretrain|probe|finetune)\.(.*)$/.exec(change) ?? [];
  const holders = TASKS.filter((one) =>
    task === undefined ? hasValue(recipes[one], change) : one === task,
  );
  const changed = (holders.length === 0 ? (['pretrain'] as const) : holders).map((one) => [
    one,
    changeRecipe<Recipe>(recipes[one], [rest ?? change]),
  ]);
  return { ...recipes, ...(Object.fromEntries(changed) as Partial<RunRecipes>) };
}

function hasValue(recipe: Recipe, change: string): boolean {
  const [, section = '', name = ''] = /^(\w+)\.(\w+)=/.exec(change) ?? [];
  const values = (recipe as unknown as Record<string, unknown>)[section];
  return typeof values === 'object' && values !== null && Object.hasOwn(values, name);
}

/** Fewer videos are seen more often, so that there are as many steps. */
function settingOf(
  pretrain: PretrainRecipe,
  { own, videos }: { readonly own: readonly string[]; readonly videos: number },
  numPretrain: number,
): Setting {
  checkNumber('videos', videos, { min: 0, max: 1 });
  const changed = changeRecipe(pretrain, own);
  if (videos === 1) return { pretrain: changed, numSamples: null };
  if (videos === 0) {
    // A run at rate 0, whose weights stay as they are drawn.
    const still = ['train.epochs=1', 'train.warmupEpochs=0', 'train.lr=0', 'train.minLr=0'];
    return { pretrain: changeRecipe(changed, still), numSamples: null };
  }
  const epochSamples = changed.data.epochSamples ?? numPretrain;
  return {
    pretrain: changeRecipe(changed, [`data.epochSamples=${epochSamples}`]),
    numSamples: Math.max(1, Math.round(videos * numPretrain)),
  };
}

/** All recipes of a run get the seed, one above that of the run before. */
function runOf(
  { name, pretrain, numSamples }: Setting & { readonly name: string },
  { probe, finetune }: RunRecipes,
  seed: number,
): Omit<AblationRun, 'gflops'> {
  return {
    name: `${name}-seed-${seed}`,
    pretrain: withSeed(pretrain, seed),
    probe: withSeed(probe, seed),
    finetune: withSeed(finetune, seed),
    numSamples,
  };
}

function withSeed<T extends Recipe>(recipe: T, seed: number): T {
  return changeRecipe(recipe, [`train.seed=${recipe.train.seed + seed}`]);
}
