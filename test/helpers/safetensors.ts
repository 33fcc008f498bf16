/** Reads golden values: JSON as it is, safetensors files (header length u64, JSON header, raw little-endian data). */

import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

/** One tensor of a golden file, row-major. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Uint8Array | Int32Array | Float32Array;
}

interface TensorHeader {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [start: number, end: number];
}

const ARRAYS = {
  U8: (bytes: ArrayBuffer): Uint8Array => new Uint8Array(bytes),
  I32: (bytes: ArrayBuffer): Int32Array => new Int32Array(bytes),
  F32: (bytes: ArrayBuffer): Float32Array => new Float32Array(bytes),
};

/** Reads `test/golden/<name>` as text of JSON. */
export async function readGoldenJson(name: string): Promise<unknown> {
  return JSON.parse(await readFile(goldenUrl(name), 'utf8'));
}

/** Reads one tensor of `test/golden/<name>`. */
export async function readGoldenTensor(name: string, tensor: string): Promise<Tensor> {
  const found = parseTensors(await readFile(goldenUrl(name)), (own) => own === tensor)[tensor];
  if (found === undefined) throw new Error(`${name} has no tensor ${tensor} of a known type`);
  return found;
}

/** Reads all tensors of a file. */
export function readTensors(path: string): Record<string, Tensor> {
  return parseTensors(readFileSync(path), () => true);
}

function parseTensors(
  bytes: Uint8Array,
  isWanted: (name: string) => boolean,
): Record<string, Tensor> {
  const file = new Uint8Array(bytes).buffer;
  const headerLength = Number(new DataView(file).getBigUint64(0, true));
  const text = new TextDecoder().decode(new Uint8Array(file, 8, headerLength));
  const entries = Object.entries(JSON.parse(text) as Record<string, TensorHeader>);
  return Object.fromEntries(
    entries
      .filter(([name]) => isWanted(name))
      .flatMap(([name, { dtype, shape, data_offsets: offsets }]) => {
        const toArray = ARRAYS[dtype as keyof typeof ARRAYS];
        if (toArray === undefined) return [];
        const [start, end] = offsets.map((offset) => 8 + headerLength + offset);
        return [[name, { shape, data: toArray(file.slice(start, end)) }] as const];
      }),
  );
}

/** From the compiled place of this file, build/test/helpers. */
function goldenUrl(name: string): URL {
  return new URL(`../../../test/golden/${name}`, import.meta.url);
}
