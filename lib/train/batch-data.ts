/** Numbers of a batch as engines take them. */

import type { BatchTensor } from '../load/index.ts';

/**
 * A copy of a tensor's values in memory of its own: ONNX Runtime refuses the shared memory in which the loader hands out batches.
 *
 * @throws {RangeError} if the batch does not have the tensor, or it holds bytes
 */
export function ownData(name: string, tensor: BatchTensor | undefined): Float32Array | Int32Array {
  if (tensor === undefined) throw new RangeError(`"batch" has no ${name}.`);
  if (tensor.dtype === 'uint8') throw new RangeError(`"batch" must hold numbers in ${name}.`);
  return tensor.data.slice();
}
