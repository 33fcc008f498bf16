/** Reads golden values: JSON as it is, safetensors files (header length u64, JSON header, raw little-endian data). */

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
  const file = new Uint8Array(await readFile(goldenUrl(name))).buffer;
  const headerLength = Number(new DataView(file).getBigUint64(0, true));
  const text = new TextDecoder().decode(new Uint8Array(file, 8, headerLength));
  const header = (JSON.parse(text) as Record<string, TensorHeader>)[tensor];
  const toArray = ARRAYS[header?.dtype as keyof typeof ARRAYS];
  if (!header || !toArray) throw new Error(`${name} has no tensor ${tensor} of a known type`);
  const [start, end] = header.data_offsets.map((offset) => 8 + headerLength + offset);
  return { shape: header.shape, data: toArray(file.slice(start, end)) };
}

/** From the compiled place of this file, build/test/helpers. */
function goldenUrl(name: string): URL {
  return new URL(`../../../test/golden/${name}`, import.meta.url);
}
