/** Door of `recipes`: what runs are told, by name. */

import { checkOneOf } from '../core/index.ts';
import { DEMO_FINETUNE, DEMO_PRETRAIN, DEMO_PROBE, DEMO_SCRATCH } from './demo.ts';
import { HMDB51_FINETUNE, HMDB51_PRETRAIN } from './hmdb51.ts';
import {
  K400_FINETUNE,
  K400_FINETUNE_SCRIPT,
  K400_PRETRAIN,
  K400_PRETRAIN_SCRIPT,
} from './k400.ts';
import type { Recipe } from './recipe.ts';
import { SMALL_FINETUNE, SMALL_PRETRAIN, SMALL_PROBE, SSV2_PROBE } from './small.ts';
import {
  SSV2_FINETUNE,
  SSV2_FINETUNE_SCRIPT,
  SSV2_PRETRAIN,
  SSV2_PRETRAIN_SCRIPT,
} from './ssv2.ts';
import { UCF101_FINETUNE, UCF101_PRETRAIN } from './ucf101.ts';

export { ABLATIONS, findAblation } from './ablation.ts';
export type { AblationPart, AblationPoint, AblationRecipe, Readout } from './ablation.ts';
export { changeRecipe } from './change-recipe.ts';
export type {
  ClipSection,
  EncoderSection,
  FinetuneRecipe,
  OptimizerSection,
  PretrainRecipe,
  ProbeRecipe,
  Recipe,
  SaveSection,
  TestSection,
} from './recipe.ts';

/** All recipes. */
export const RECIPES: readonly Recipe[] = Object.freeze([
  K400_PRETRAIN,
  K400_PRETRAIN_SCRIPT,
  K400_FINETUNE,
  K400_FINETUNE_SCRIPT,
  SSV2_PRETRAIN,
  SSV2_PRETRAIN_SCRIPT,
  SSV2_FINETUNE,
  SSV2_FINETUNE_SCRIPT,
  SSV2_PROBE,
  UCF101_PRETRAIN,
  UCF101_FINETUNE,
  HMDB51_PRETRAIN,
  HMDB51_FINETUNE,
  SMALL_PRETRAIN,
  SMALL_FINETUNE,
  SMALL_PROBE,
  DEMO_PRETRAIN,
  DEMO_FINETUNE,
  DEMO_SCRATCH,
  DEMO_PROBE,
]);

/**
 * Finds the recipe of a name and a task.
 *
 * @throws {RangeError} listing the names that there are for the task
 */
export function findRecipe<Task extends Recipe['task']>(
  task: Task,
  name: string,
): Extract<Recipe, { readonly task: Task }> {
  const fitting = RECIPES.filter((one) => one.task === task);
  checkOneOf(
    'recipe',
    name,
    fitting.map((one) => one.name),
  );
  return fitting.find((one) => one.name === name) as Extract<Recipe, { readonly task: Task }>;
}
