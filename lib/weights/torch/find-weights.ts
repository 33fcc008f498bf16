/** Where in a checkpoint the weights are. */

import { WeightsFault } from '../weights-fault.ts';
import { dtypeBytes } from '../dtype.ts';
import { countValues } from '../weight.ts';
import { isDict, isTensor } from './pickle-value.ts';
import type { PickleDict, PickleValue, TorchTensor } from './pickle-value.ts';

/** Keys under which weights are saved, the first that holds tensors counts. Official checkpoints use the first two. */
const KEYS = ['model', 'module', 'state_dict', 'model_state_dict'];

/** Tensors may share storages, but together they are not many times what the file has. */
const MAX_SHARING = 4;

/**
 * The named tensors of a checkpoint: those under a known key, or those of the outermost dictionary.
 *
 * @throws {WeightsFault} if there are none, or they would need many times the memory of the file
 */
export function findWeights(checkpoint: PickleValue, fileBytes: number): [string, TorchTensor][] {
  if (!isDict(checkpoint)) throw new WeightsFault('it holds no dictionary of weights');
  const inner = KEYS.map((key) => checkpoint.entries.get(key)).filter(isDict);
  const found = [...inner, checkpoint].map(tensorsOf).find((tensors) => tensors.length > 0);
  if (found === undefined) throw new WeightsFault('it holds no dictionary of weights');
  const bytes = found.reduce(
    (sum, [, { shape, storage }]) => sum + countValues(shape) * (dtypeBytes(storage.dtype) ?? 1),
    0,
  );
  if (bytes > MAX_SHARING * fileBytes) throw new WeightsFault('tensors are larger than the file');
  return found;
}

function tensorsOf({ entries }: PickleDict): [string, TorchTensor][] {
  const tensors: [string, TorchTensor][] = [];
  for (const [name, value] of entries) {
    if (typeof name === 'string' && isTensor(value)) tensors.push([name, value]);
  }
  return tensors;
}
