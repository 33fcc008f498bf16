/** First weights from a file: safetensors or PyTorch, official or Hugging Face names. */

import { TubeletError } from '../core/index.ts';
import type { NamedParameter, ParameterShapes } from '../model/index.ts';
import { detectNames, openWeights, planLoad, renameWeights } from '../weights/index.ts';
import type { LoadRule, Weight } from '../weights/index.ts';
import { readNamed } from './checkpoint.ts';

/**
 * Takes parameters from a file, one by one. What the rule lets the file leave out is drawn.
 *
 * @throws {TubeletError} TUBE_WEIGHTS_NOT_FOUND, TUBE_WEIGHTS_DAMAGED, TUBE_WEIGHTS_MISMATCH and others of {@link openWeights}
 */
export async function* loadInitial(
  path: string,
  rule: LoadRule,
  { shapes, draw }: InitialParameters,
): AsyncGenerator<NamedParameter> {
  await using file = await openWeights(path);
  const wanted = Object.entries(shapes).map(([name, shape]) => ({ name, shape }));
  const { loaded } = planLoad(officialNames(file.weights), wanted, rule);
  const found = new Set(loaded.map(({ name }) => name));
  yield* draw(new Set(Object.keys(shapes).filter((name) => !found.has(name))));
  for (const weight of loaded) {
    const { shape, data } = await weight.read();
    yield [weight.name, { shape, data: Float32Array.from(data) }];
  }
}

/** What a file is looked through for, and how what it lacks is drawn. */
export interface InitialParameters {
  readonly shapes: ParameterShapes;
  readonly draw: (names: ReadonlySet<string>) => Iterable<NamedParameter>;
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
