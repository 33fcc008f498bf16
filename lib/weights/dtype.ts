/**
 * Number types of weights files: how many bytes a value takes, and how values become what the library works with.
 *
 * Source: names and sizes from the safetensors format; F16 is IEEE 754 binary16, BF16 the upper half of binary32.
 */

import { TubeletError } from '../core/index.ts';
import type { WeightData } from './weight.ts';
import { printable } from './weights-fault.ts';

type Values = WeightData['data'];

interface Dtype {
  /** Bytes of one value. */
  readonly bytes: number;
  /** Little-endian bytes to values; null for types that can be listed but not read. */
  readonly decode: ((bytes: Uint8Array) => Values) | null;
  /** The type under which the decoded values are written. */
  readonly written: 'F32' | 'I32' | 'U8' | 'BOOL';
}

const DTYPES: Readonly<Record<string, Dtype>> = {
  F64: { bytes: 8, decode: (raw) => Float32Array.from(viewOf(raw, Float64Array)), written: 'F32' },
  F32: { bytes: 4, decode: (raw) => viewOf(raw, Float32Array), written: 'F32' },
  F16: { bytes: 2, decode: decodeHalf, written: 'F32' },
  BF16: { bytes: 2, decode: decodeBrain, written: 'F32' },
  I64: { bytes: 8, decode: decodeLong, written: 'I32' },
  I32: { bytes: 4, decode: (raw) => viewOf(raw, Int32Array), written: 'I32' },
  I16: { bytes: 2, decode: (raw) => Int32Array.from(viewOf(raw, Int16Array)), written: 'I32' },
  I8: { bytes: 1, decode: (raw) => Int32Array.from(viewOf(raw, Int8Array)), written: 'I32' },
  U8: { bytes: 1, decode: (raw) => viewOf(raw, Uint8Array), written: 'U8' },
  BOOL: {
    bytes: 1,
    decode: (raw) => Uint8Array.from(raw, (bit) => (bit === 0 ? 0 : 1)),
    written: 'BOOL',
  },
  U16: { bytes: 2, decode: null, written: 'U8' },
  U32: { bytes: 4, decode: null, written: 'U8' },
  U64: { bytes: 8, decode: null, written: 'U8' },
  C64: { bytes: 8, decode: null, written: 'U8' },
  F8_E4M3: { bytes: 1, decode: null, written: 'U8' },
  F8_E5M2: { bytes: 1, decode: null, written: 'U8' },
  F8_E8M0: { bytes: 1, decode: null, written: 'U8' },
};

/** Bytes of one value of a type, or null for a type that is not known. */
export function dtypeBytes(dtype: string): number | null {
  return Object.hasOwn(DTYPES, dtype) ? (DTYPES[dtype]?.bytes ?? null) : null;
}

/**
 * The type under which a weight is written after it was read.
 *
 * @throws {TubeletError} TUBE_WEIGHTS_UNSUPPORTED
 */
export function writtenDtype(dtype: string, name: string): Dtype['written'] {
  return readable(dtype, name).written;
}

/**
 * Turns the little-endian bytes of a weight into values. Bytes that need no change become the memory of the result.
 *
 * @param bytes at offset 0 of their buffer, or at a multiple of the size of a value
 * @throws {TubeletError} TUBE_WEIGHTS_UNSUPPORTED for types without a counterpart and integers beyond 32 bits
 */
export function decodeValues(dtype: string, bytes: Uint8Array, name: string): Values {
  const { decode } = readable(dtype, name);
  const values = decode(bytes);
  if (dtype === 'I64' && values.length * 8 !== bytes.length) {
    const message = 'an integer does not fit into 32 bits';
    throw new TubeletError('TUBE_WEIGHTS_UNSUPPORTED', { name: printable(name), dtype, message });
  }
  return values;
}

function readable(
  dtype: string,
  name: string,
): Dtype & { readonly decode: NonNullable<Dtype['decode']> } {
  const found = Object.hasOwn(DTYPES, dtype) ? DTYPES[dtype] : undefined;
  const decode = found?.decode ?? null;
  if (found === undefined || decode === null) {
    throw new TubeletError('TUBE_WEIGHTS_UNSUPPORTED', { name: printable(name), dtype });
  }
  return { ...found, decode };
}

interface ViewConstructor<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, offset: number, length: number): T;
}

function viewOf<T>(bytes: Uint8Array, View: ViewConstructor<T>): T {
  return new View(bytes.buffer, bytes.byteOffset, bytes.length / View.BYTES_PER_ELEMENT);
}

/** Values of all 65,536 halves; made at the first use. */
let halves: Float32Array | undefined;

function decodeHalf(bytes: Uint8Array): Float32Array {
  const table = (halves ??= Float32Array.from({ length: 2 ** 16 }, (_, bits) => halfValue(bits)));
  const raw = viewOf(bytes, Uint16Array);
  const values = new Float32Array(raw.length);
  for (let i = 0; i < raw.length; i++) values[i] = table[raw[i] ?? 0] ?? 0;
  return values;
}

/** One sign bit, five of exponent (bias 15), ten of fraction. */
function halfValue(bits: number): number {
  const sign = bits >> 15 === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function decodeBrain(bytes: Uint8Array): Float32Array {
  const raw = viewOf(bytes, Uint16Array);
  const words = new Uint32Array(raw.length);
  for (let i = 0; i < raw.length; i++) words[i] = (raw[i] ?? 0) << 16;
  return new Float32Array(words.buffer);
}

/** Shorter than it should be at the first integer beyond 32 bits. */
function decodeLong(bytes: Uint8Array): Int32Array {
  const words = viewOf(bytes, Int32Array);
  const values = new Int32Array(words.length / 2);
  for (let i = 0; i < values.length; i++) {
    const low = words[2 * i] ?? 0;
    if (words[2 * i + 1] !== low >> 31) return values.subarray(0, i);
    values[i] = low;
  }
  return values;
}
