/** Runs a tensor function once on an engine. */

import { compile } from '../../lib/engine/index.ts';
import type { EngineName } from '../../lib/engine/index.ts';
import type { tf } from '../../lib/ops/index.ts';
import type { NamedTensors, TensorFunction } from '../../lib/train/tensors.ts';

/** The engines that golden tests run on. */
export const ENGINES: readonly EngineName[] = ['eager', 'onnx'];

/** Shape and dtype of tensors. */
export function specsOf(
  tensors: NamedTensors,
): Record<string, { readonly shape: number[]; readonly dtype: 'float32' | 'int32' }> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, dtype }]) => [
      name,
      { shape, dtype: dtype as 'float32' | 'int32' },
    ]),
  );
}

/** Compiles and runs a function once; gives its outputs. */
export async function runOnce(
  engine: EngineName,
  fn: TensorFunction,
  { inputs, state }: { readonly inputs: NamedTensors; readonly state: NamedTensors },
): Promise<Readonly<Record<string, Float32Array | Int32Array | Uint8Array>>> {
  await using program = await compile(
    fn,
    { inputs: specsOf(inputs), state: specsOf(state) },
    { engine },
  );
  program.setState(state);
  return await program.run(inputs);
}

/** Names of tensors as keys of a record with a prefix, for outputs that are gradients. */
export function gradientsAs(prefix: string, gradients: NamedTensors): Record<string, tf.Tensor> {
  return Object.fromEntries(
    Object.entries(gradients).map(([name, tensor]) => [`${prefix}${name}`, tensor]),
  );
}
