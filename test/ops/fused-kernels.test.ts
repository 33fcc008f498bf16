import test from 'ava';
import { FUSED_KERNELS } from '../../lib/ops/index.ts';
import type { FusedSpec } from '../../lib/ops/index.ts';

const specs = (...shapes: number[][]): FusedSpec[] =>
  shapes.map((shape) => ({ shape, dtype: 'float32' }));
const shapesOf = (outputs: readonly FusedSpec[]): (readonly number[])[] =>
  outputs.map(({ shape }) => shape);

test('outputs of fused kernels follow from their inputs', (t) => {
  const { AdamW, Attention, AttentionGrad, Gelu, GeluAgain, GeluGrad } = FUSED_KERNELS;
  const { LayerNorm, LayerNormAgain, LayerNormGrad } = FUSED_KERNELS;
  t.deepEqual(shapesOf(LayerNorm.outputs(specs([2, 3, 4], [4], [4]))), [
    [2, 3, 4],
    [2, 3, 1],
    [2, 3, 1],
  ]);
  const norm = specs([2, 3, 4], [2, 3, 4], [4], [2, 3, 1], [2, 3, 1]);
  t.deepEqual(shapesOf(LayerNormGrad.outputs(norm)), [[2, 3, 4], [4], [4]]);
  const again = specs([2, 3, 4], [2, 3, 4], [4], [4], [2, 3, 1], [2, 3, 1]);
  t.deepEqual(shapesOf(LayerNormAgain.outputs(again)), [[2, 3, 4], [4], [4], [2, 3, 4]]);
  t.deepEqual(shapesOf(Gelu.outputs(specs([5]))), [[5]]);
  t.deepEqual(shapesOf(GeluGrad.outputs(specs([5], [5]))), [[5]]);
  t.deepEqual(shapesOf(GeluAgain.outputs(specs([2, 3], [3, 5], [2, 5]))), [
    [2, 5],
    [2, 5],
  ]);
  const heads = specs([1, 2, 3, 4], [1, 2, 5, 4], [1, 2, 5, 6]);
  t.deepEqual(shapesOf(Attention.outputs(heads)), [[1, 2, 3, 6]]);
  t.deepEqual(
    shapesOf(AttentionGrad.outputs([...specs([1, 2, 3, 6]), ...heads, ...specs([1, 2, 3, 1])])),
    [
      [1, 2, 3, 4],
      [1, 2, 5, 4],
      [1, 2, 5, 6],
    ],
  );
  t.deepEqual(shapesOf(AdamW.outputs(specs([2, 2], [2, 2], [2, 2], [2, 2], [], [], []))), [
    [2, 2],
    [2, 2],
    [2, 2],
  ]);
});
