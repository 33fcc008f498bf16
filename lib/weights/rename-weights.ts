/** Gives weights other names; fused matrices are cut or joined by rows, everything else keeps its values. */

import { TubeletError } from '../core/index.ts';
import { toHfNames, toOfficialName } from './names.ts';
import type { FusedPart, ModelKind, NameStyle } from './names.ts';
import type { Weight, WeightData } from './weight.ts';
import { printable } from './weights-fault.ts';

/** Names in an error: the first few, then how many more. */
const NAMES_SHOWN = 3;

/** What {@link renameWeights} is told about the weights. */
export interface RenameOptions {
  readonly kind: ModelKind;
  /** Whose names the weights have. */
  readonly from: NameStyle;
  /** Whose names they are to have. */
  readonly to: NameStyle;
}

/**
 * Renames all weights of a model. Values are read when they are asked for; a matrix that is cut is read once for each part.
 *
 * @throws {TubeletError} TUBE_WEIGHTS_MISMATCH naming weights that have no name in the other style, fused matrices whose
 * rows are no multiple of 3, and parts that are missing or differ in shape
 */
export function renameWeights(
  weights: Iterable<Weight>,
  { kind, from, to }: RenameOptions,
): Weight[] {
  const all = Array.from(weights);
  refuseUnknown(all, ({ name }) => knows(kind, from, name), `no ${from} name of a ${kind} model`);
  if (from === to) return all;
  return to === 'hf' ? toHf(all, kind) : toOfficial(all, kind);
}

function knows(kind: ModelKind, style: NameStyle, name: string): boolean {
  return (style === 'hf' ? toOfficialName(kind, name) : toHfNames(kind, name)) !== null;
}

function refuseUnknown(
  weights: readonly Weight[],
  isKnown: (weight: Weight) => boolean,
  message: string,
): void {
  const unknown = weights.filter((weight) => !isKnown(weight)).map(({ name }) => name);
  if (unknown.length > 0) {
    throw new TubeletError('TUBE_WEIGHTS_MISMATCH', { names: listNames(unknown), message });
  }
}

/** `a, b, c and 4 more`. */
export function listNames(names: readonly string[]): string {
  const shown = printable(names.slice(0, NAMES_SHOWN).join(', '));
  return names.length > NAMES_SHOWN ? `${shown} and ${names.length - NAMES_SHOWN} more` : shown;
}

function toHf(weights: readonly Weight[], kind: ModelKind): Weight[] {
  return weights.flatMap((weight) => {
    const names = toHfNames(kind, weight.name) ?? [];
    const [only, ...more] = names;
    if (only !== undefined && more.length === 0) return [{ ...weight, name: only }];
    return names.map((name, part) => cutRows(weight, name, part));
  });
}

/** One third of the rows of a fused matrix; shares the memory of what is read. */
function cutRows(weight: Weight, name: string, part: number): Weight {
  const [rows = 0, ...rest] = weight.shape;
  if (rows % 3 !== 0 || weight.shape.length !== 2) {
    const message = `shape [${weight.shape.join(', ')}] is not that of three matrices`;
    throw new TubeletError('TUBE_WEIGHTS_MISMATCH', { names: printable(weight.name), message });
  }
  const shape = [rows / 3, ...rest];
  return {
    ...weight,
    name,
    shape,
    async read() {
      const { data } = await weight.read();
      const third = data.length / 3;
      return { shape, data: data.subarray(part * third, (part + 1) * third) };
    },
  };
}

function toOfficial(weights: readonly Weight[], kind: ModelKind): Weight[] {
  const whole = new Map<string, Weight | Map<FusedPart, Weight>>();
  for (const weight of weights) {
    const official = toOfficialName(kind, weight.name);
    if (official === null) continue;
    const { name, part } = official;
    if (part === null) {
      whole.set(name, { ...weight, name });
      continue;
    }
    const known = whole.get(name);
    const parts = known instanceof Map ? known : new Map<FusedPart, Weight>();
    whole.set(name, parts.set(part, weight));
  }
  return Array.from(whole, ([name, found]) =>
    found instanceof Map ? joinRows(name, found) : found,
  );
}

function joinRows(name: string, found: ReadonlyMap<FusedPart, Weight>): Weight {
  const parts = ([0, 1, 2] as const).map((part) => found.get(part));
  const [first] = parts;
  const fits = (part: Weight | undefined): part is Weight =>
    part !== undefined &&
    part.shape.length === 2 &&
    part.dtype === first?.dtype &&
    part.shape.join() === first.shape.join();
  if (first === undefined || !parts.every(fits)) {
    const message = 'queries, keys and values of one type and shape are needed';
    throw new TubeletError('TUBE_WEIGHTS_MISMATCH', { names: name, message });
  }
  const [rows = 0, ...rest] = first.shape;
  const shape = [3 * rows, ...rest];
  const read = async (): Promise<WeightData> => {
    const values: WeightData['data'][] = [];
    for (const part of parts) values.push((await part.read()).data);
    return { shape, data: joinArrays(values) };
  };
  return { name, dtype: first.dtype, shape, read };
}

/** Joins arrays of one kind. */
function joinArrays(arrays: readonly WeightData['data'][]): WeightData['data'] {
  const length = arrays.reduce((sum, array) => sum + array.length, 0);
  const [first] = arrays;
  const joined =
    first instanceof Float32Array
      ? new Float32Array(length)
      : first instanceof Int32Array
        ? new Int32Array(length)
        : new Uint8Array(length);
  let position = 0;
  for (const array of arrays) {
    joined.set(array, position);
    position += array.length;
  }
  return joined;
}
