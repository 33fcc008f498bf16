/** Which tensors a batch has, and their shapes, from the recipe alone. */

import { countMasked, targetLength, tokenShape } from '../../sample/index.ts';
import type { SlotName } from './fill-slot.ts';
import { gridOf } from './recipe.ts';
import type { ClipRecipe } from './recipe.ts';

/** Types of numbers in a batch. */
export type Dtype = 'uint8' | 'int32' | 'float32';

/** One tensor of a batch, without the axis of clips. */
export interface TensorSpec {
  readonly name: SlotName;
  readonly dtype: Dtype;
  /** Shape of one clip. */
  readonly shape: readonly number[];
  /** Bytes of one clip. */
  readonly clipBytes: number;
}

/** Lists the tensors that are filled clip by clip. */
export function batchTensors(recipe: ClipRecipe): readonly TensorSpec[] {
  const { clipShape, tubelet, form, dtype, mask, target, targetFrames } = recipe;
  if (mask === null) {
    return [spec('pixels', dtype, form === 'frames' ? clipShape : tokenShape(clipShape, tubelet))];
  }
  const [numTokens, tokenLength] = tokenShape(clipShape, tubelet);
  const numMasked = countMasked(gridOf(recipe), mask);
  const numVisible = numTokens - numMasked;
  return [
    spec('visible', dtype, [numVisible, tokenLength]),
    spec('target', target === 'normalised' ? 'float32' : dtype, [
      numMasked,
      targetLength(targetFrames, tubelet),
    ]),
    spec('visibleTokens', 'int32', [numVisible]),
    spec('maskedTokens', 'int32', [numMasked]),
  ];
}

/** Values of a shape. */
export function countValues(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

function spec(name: SlotName, dtype: Dtype, shape: readonly number[]): TensorSpec {
  const clipBytes = countValues(shape) * (dtype === 'uint8' ? 1 : 4);
  return { name, dtype, shape, clipBytes };
}
