/**
 * Kernels of our own, beside those of tfjs: larger operations that a backend may do in one go. A backend that has one registers it
 * with tfjs under the name here, and the operations in this room use it; all others get the same numbers from small kernels.
 */

/** Shape and dtype of a tensor. */
export interface FusedSpec {
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32' | 'bool';
}

/** Inputs of a kernel in order, and the outputs that follow from them. */
interface FusedKernel {
  readonly inputs: readonly string[];
  readonly attributes: readonly string[];
  readonly outputs: (inputs: readonly FusedSpec[]) => FusedSpec[];
}

/** Names of the kernels. */
export type FusedKernelName =
  | 'AdamW'
  | 'Attention'
  | 'AttentionGrad'
  | 'Gelu'
  | 'GeluAgain'
  | 'GeluGrad'
  | 'LayerNorm'
  | 'LayerNormAgain'
  | 'LayerNormGrad';

/**
 * Every kernel; all tensors are float32.
 *
 * - `LayerNorm`: `x` `[…, D]`, `scale`, `offset` `[D]`, attribute `epsilon` → result like `x`; mean and `1 / sqrt(variance + epsilon)`
 *   of each row, `[…, 1]`. `LayerNormGrad`: → gradients of `x`, `scale`, `offset`. `LayerNormAgain`: → these, and the result again.
 * - `Gelu`, `GeluGrad`: element by element. `GeluAgain`: `dy` `[…, out]` is the gradient of
 *   `gelu(x) weightᵀ`, `weight` `[out, in]`, `x` `[…, in]` → gradient of `x`, and `gelu(x)` again.
 * - `Attention`: `q` `[B, h, N, d]`, `k` `[B, h, M, d]`, `v` `[B, h, M, e]`, attribute `scale` → `[B, h, N, e]`. `AttentionGrad`: `dy` is the gradient
 *   of the result and `level` `[B, h, N, 1]` the sum of `dy` times the result over its last axis → gradients of `q`, `k`, `v`.
 * - `AdamW`: tensors of one shape and the scalars `rate`, `keep`, `correction`, attributes `beta1`, `beta2`, `epsilon` → next parameter and moments:
 *   see `adamwUpdate`.
 */
export const FUSED_KERNELS: Readonly<Record<FusedKernelName, FusedKernel>> = Object.freeze({
  AdamW: {
    inputs: ['parameter', 'gradient', 'first', 'second', 'rate', 'keep', 'correction'],
    attributes: ['beta1', 'beta2', 'epsilon'],
    outputs: (inputs) => [at(inputs, 0), at(inputs, 0), at(inputs, 0)],
  },
  Attention: {
    inputs: ['q', 'k', 'v'],
    attributes: ['scale'],
    outputs: (inputs) => [
      float([...at(inputs, 0).shape.slice(0, -1), at(inputs, 2).shape.at(-1) ?? 1]),
    ],
  },
  AttentionGrad: {
    inputs: ['dy', 'q', 'k', 'v', 'level'],
    attributes: ['scale'],
    outputs: (inputs) => [at(inputs, 1), at(inputs, 2), at(inputs, 3)],
  },
  Gelu: { inputs: ['x'], attributes: [], outputs: (inputs) => [at(inputs, 0)] },
  GeluAgain: {
    inputs: ['dy', 'weight', 'x'],
    attributes: [],
    outputs: (inputs) => [at(inputs, 2), at(inputs, 2)],
  },
  GeluGrad: { inputs: ['dy', 'x'], attributes: [], outputs: (inputs) => [at(inputs, 1)] },
  LayerNorm: {
    inputs: ['x', 'scale', 'offset'],
    attributes: ['epsilon'],
    outputs: (inputs) => {
      const x = at(inputs, 0);
      const rows = float([...x.shape.slice(0, -1), 1]);
      return [x, rows, rows];
    },
  },
  LayerNormAgain: {
    inputs: ['dy', 'x', 'scale', 'offset', 'mean', 'inverseDeviation'],
    attributes: [],
    outputs: (inputs) => [at(inputs, 1), at(inputs, 2), at(inputs, 2), at(inputs, 1)],
  },
  LayerNormGrad: {
    inputs: ['dy', 'x', 'scale', 'mean', 'inverseDeviation'],
    attributes: [],
    outputs: (inputs) => [at(inputs, 1), at(inputs, 2), at(inputs, 2)],
  },
});

function float(shape: readonly number[]): FusedSpec {
  return { shape, dtype: 'float32' };
}

function at(inputs: readonly FusedSpec[], index: number): FusedSpec {
  const spec = inputs[index];
  if (spec === undefined) throw new RangeError(`A kernel needs ${index + 1} inputs.`);
  return spec;
}
