/** Single values of a recipe, set by name from text: `train.lr=3e-4`. */

import { MODEL_SIZES, PIXEL_LOSS_NAMES } from '../model/index.ts';
import type { Recipe } from './recipe.ts';

/** Values that may be null. */
const CAN_BE_NULL = new Set([
  'model.width',
  'model.depth',
  'model.heads',
  'data.randAugment',
  'data.epochSamples',
  'train.clipNorm',
  'train.emaDecay',
  'save.everySteps',
]);

/** Names of which one must stand there; those of clips are checked by the loader. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  'model.size': Object.keys(MODEL_SIZES),
  'train.loss': PIXEL_LOSS_NAMES,
  'train.optimizer': ['sgd', 'lars'],
};

/** Values that are null in some recipes are numbers in others, but for these. */
const TEXT_OR_NULL = new Set(['data.randAugment']);

/**
 * Gives a recipe with some values changed. A name must exist and the type of its value stays; `none` stands for null where null
 * can stand.
 *
 * @throws {RangeError} naming the assignment that cannot be understood
 */
export function changeRecipe<T extends Recipe>(recipe: T, assignments: readonly string[]): T {
  const changed = structuredClone(recipe) as unknown as Record<string, Record<string, unknown>>;
  for (const assignment of assignments) {
    const [, section = '', name = '', text = ''] =
      /^(\w+)\.(\w+)=(.*)$/.exec(assignment) ?? fail(assignment, 'must be SECTION.NAME=VALUE');
    const values = changed[section];
    if (typeof values !== 'object' || !Object.hasOwn(values, name)) {
      fail(assignment, `names no value of the recipe; there are ${listNames(recipe).join(', ')}`);
    } else values[name] = parse(assignment, values[name], { key: `${section}.${name}`, text });
  }
  return changed as unknown as T;
}

/** All names that can be set, as `section.name`. */
function listNames(recipe: Recipe): string[] {
  return Object.entries(recipe).flatMap(([section, values]) =>
    typeof values === 'object' ? Object.keys(values).map((name) => `${section}.${name}`) : [],
  );
}

function parse(
  assignment: string,
  old: unknown,
  { key, text }: { readonly key: string; readonly text: string },
): unknown {
  if (CAN_BE_NULL.has(key) && text === 'none') return null;
  if (typeof old === 'boolean') {
    if (text !== 'true' && text !== 'false') fail(assignment, 'must be true or false');
    return text === 'true';
  }
  const names = NAMES[key];
  if (names?.includes(text) === false)
    fail(assignment, `must give ${key} one of ${names.join(', ')}`);
  if (typeof old === 'string' || TEXT_OR_NULL.has(key)) return text;
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(value)) fail(assignment, 'must be a number');
  return value;
}

function fail(assignment: string, what: string): never {
  throw new RangeError(`"set" ${what} (got "${assignment}").`);
}
