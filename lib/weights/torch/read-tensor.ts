/** Values of a tensor, out of the bytes of its storage. */

import { decodeValues, dtypeBytes } from '../dtype.ts';
import { countValues } from '../weight.ts';
import type { WeightData } from '../weight.ts';
import { checkWeightBytes } from '../weights-fault.ts';
import type { TorchTensor } from './pickle-value.ts';

/** Reads bytes of a storage; offset and length in bytes. */
export type ReadStorage = (key: string, offset: number, bytes: number) => Promise<Uint8Array>;

/** Reads a tensor, row-major; of its storage no more than it covers. */
export async function readTensor(
  name: string,
  { storage, offset, shape, strides }: TorchTensor,
  readStorage: ReadStorage,
): Promise<WeightData> {
  const numValues = countValues(shape);
  const covered =
    numValues === 0
      ? 0
      : shape.reduce((sum, length, axis) => sum + (length - 1) * (strides[axis] ?? 0), 1);
  const valueBytes = dtypeBytes(storage.dtype) ?? 1;
  checkWeightBytes(name, covered * valueBytes);
  const bytes = await readStorage(storage.key, offset * valueBytes, covered * valueBytes);
  const data = decodeValues(storage.dtype, bytes, name);
  return { shape, data: isRowMajor(shape, strides) ? data : gather(data, shape, strides) };
}

function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis] ?? 1;
    if (length !== 1 && strides[axis] !== expected) return countValues(shape) === 0;
    expected *= length;
  }
  return true;
}

function gather(
  data: WeightData['data'],
  shape: readonly number[],
  strides: readonly number[],
): WeightData['data'] {
  const gathered = data.slice(0, countValues(shape));
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < gathered.length; to++) {
    gathered[to] = data[from] ?? 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = (index[axis] ?? 0) + 1;
      from += strides[axis] ?? 0;
      if (next < (shape[axis] ?? 1)) {
        index[axis] = next;
        break;
      }
      from -= next * (strides[axis] ?? 0);
      index[axis] = 0;
    }
  }
  return gathered;
}
