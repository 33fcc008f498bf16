/** Runs a fused kernel where the backend has it. */

import type { FusedKernelName } from './fused-kernels.ts';
import { tf } from './tfjs.ts';

/** Tensors by the names of a kernel's inputs. */
type Inputs = Readonly<Record<string, tf.Tensor>>;

/** The outputs of a fused kernel, or of `composed` on a backend that lacks it. */
export function runFused(
  kernel: FusedKernelName,
  inputs: Inputs,
  attributes: Readonly<Record<string, number>>,
  composed: () => tf.Tensor[],
): tf.Tensor[] {
  if (tf.getKernel(kernel, tf.getBackend()) === undefined) return composed();
  const outputs: tf.Tensor | tf.Tensor[] = tf
    .engine()
    .runKernel(kernel, { ...inputs }, { ...attributes });
  return Array.isArray(outputs) ? outputs : [outputs];
}

/** The output at an index, which must exist. */
export function outputAt(outputs: readonly tf.Tensor[], index: number): tf.Tensor {
  const output = outputs[index];
  if (output === undefined) throw new RangeError(`A kernel gave no output ${index}.`);
  return output;
}
