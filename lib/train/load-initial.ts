/** First weights from a file: safetensors or PyTorch, official or Hugging Face names. */

import { TubeletError } from '../core/index.ts';
import type { ParameterShapes, Weights } from '../model/index.ts';
import { detectNames, openWeights, planLoad, renameWeights } from '../weights/index.ts';
import type { LoadRule, Weight } from '../weights/index.ts';
import { readNamed } from './checkpoint.ts';

/**
 * Puts the weights of a file in the place of drawn ones. What the rule lets the file leave out stays as it was drawn.
 *
 * @throws {TubeletError} TUBE_WEIGHTS_NOT_FOUND, TUBE_WEIGHTS_DAMAGED, TUBE_WEIGHTS_MISMATCH and others of {@link openWeights}
 */
export async function loadInitial(drawn: Weights, path: string, rule: LoadRule): Promise<Weights> {
  await using file = await openWeights(path);
  const wanted = Object.entries(drawn).map(([name, { shape }]) => ({ name, shape }));
  const { loaded } = planLoad(officialNames(file.weights), wanted, rule);
  const weights: Record<string, Weights[string]> = { ...drawn };
  for (const weight of loaded) {
    const { shape, data } = await weight.read();
    weights[weight.name] = { shape, data: Float32Array.from(data) };
  }
  return weights;
}

/**
 * Reads weights, all of which must be in the file; with the rule `encoder` (default) what else is there is passed by.
 *
 * @throws {TubeletError} as {@link loadInitial}
 */
export async function loadExactly(
  shapes: ParameterShapes,
  path: string,
  rule: LoadRule = 'encoder',
): Promise<Record<string, Float32Array<ArrayBuffer>>> {
  await using file = await openWeights(path);
  const wanted = Object.entries(shapes).map(([name, shape]) => ({ name, shape }));
  const { loaded, fresh } = planLoad(officialNames(file.weights), wanted, rule);
  if (fresh.length > 0) {
    const names = fresh.slice(0, 3).join(', ');
    throw new TubeletError('TUBE_WEIGHTS_MISMATCH', { path, names, message: 'not in the file' });
  }
  return await readNamed(loaded);
}

function officialNames(weights: readonly Weight[]): readonly Weight[] {
  const found = detectNames(weights.map(({ name }) => name));
  if (found?.style !== 'hf') return weights;
  return renameWeights(weights, { kind: found.kind, from: 'hf', to: 'official' });
}
