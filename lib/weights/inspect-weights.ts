/** What a file of weights holds, without keeping it in memory. */

import { createHash } from 'node:crypto';
import { TubeletError } from '../core/index.ts';
import { writtenDtype } from './dtype.ts';
import { detectNames } from './names.ts';
import type { ModelKind, NameStyle } from './names.ts';
import { openWeights } from './open-weights.ts';
import { countValues } from './weight.ts';
import type { Weight, WeightsFile } from './weight.ts';

/** A weight in a list. */
export interface WeightFacts {
  readonly name: string;
  /** As it is stored. */
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** What a file of weights holds. */
export interface WeightsInspection {
  readonly path: string;
  readonly format: WeightsFile['format'];
  readonly bytes: number;
  /** Whose names they are and what kind of VideoMAE, or null if it is none. */
  readonly names: NameStyle | null;
  readonly kind: ModelKind | null;
  readonly metadata: Readonly<Record<string, string>>;
  /** In the order of the file. */
  readonly weights: readonly WeightFacts[];
  /** Values of all weights together. */
  readonly numParameters: number;
  /** The print of {@link hashWeights}, or null if some weights are of a type that cannot be read. */
  readonly sha256: string | null;
}

/**
 * Lists the weights of a file, and reads them once for their hash.
 *
 * @throws {TubeletError} as {@link openWeights}
 */
export async function inspectWeights(path: string): Promise<WeightsInspection> {
  await using file = await openWeights(path);
  const { format, bytes, metadata, weights } = file;
  const detected = detectNames(weights.map(({ name }) => name));
  return {
    path,
    format,
    bytes,
    names: detected?.style ?? null,
    kind: detected?.kind ?? null,
    metadata,
    weights: weights.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
    numParameters: weights.reduce((sum, { shape }) => sum + countValues(shape), 0),
    sha256: await hashIfReadable(weights),
  };
}

async function hashIfReadable(weights: readonly Weight[]): Promise<string | null> {
  try {
    return await hashWeights(weights);
  } catch (error) {
    if (error instanceof TubeletError && error.code === 'TUBE_WEIGHTS_UNSUPPORTED') return null;
    throw error;
  }
}

/**
 * SHA-256 over names, shapes and values as they are read, in the order of names: two files with one hash hold the same
 * weights, whatever their formats. Each weight counts as its name, type and shape in JSON, a newline, and its values as
 * little-endian bytes.
 *
 * @throws {TubeletError} what reading the weights throws
 */
export async function hashWeights(weights: Iterable<Weight>): Promise<string> {
  const hash = createHash('sha256');
  const sorted = Array.from(weights).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const weight of sorted) {
    const { data, shape } = await weight.read();
    hash.update(
      `${JSON.stringify([weight.name, writtenDtype(weight.dtype, weight.name), shape])}\n`,
    );
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}
