/**
 * The header of a safetensors file, from bytes that nobody vouches for.
 *
 * Source: the safetensors format: u64 length of the header, JSON header, then the values of all weights without gaps.
 */

import { messageText } from '../core/index.ts';
import { dtypeBytes } from './dtype.ts';
import { countValues } from './weight.ts';
import { WeightsFault } from './weights-fault.ts';

/** Bytes before the header: its length. */
export const LENGTH_BYTES = 8;

/** Headers above this are refused; the largest VideoMAE with its optimizer needs a few hundred kilobytes. */
export const MAX_HEADER_BYTES: number = 2 ** 25;

/** Key of the texts that stand beside the weights. */
export const METADATA_KEY = '__metadata__';

/** Where a weight stands. */
export interface HeaderEntry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Offset of the first byte after the header. */
  readonly start: number;
  /** Offset behind the last byte. */
  readonly end: number;
}

/** A header that holds together. */
export interface Header {
  readonly entries: readonly HeaderEntry[];
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads a header: all types known, offsets that fit shapes and follow each other from 0 to the end of the file.
 *
 * @param dataBytes bytes of the file after the header
 * @throws {WeightsFault} with the reason
 */
export function parseHeader(bytes: Uint8Array, dataBytes: number): Header {
  const header = parseObject(bytes);
  const metadata = readMetadata(header.get(METADATA_KEY));
  header.delete(METADATA_KEY);
  const entries = Array.from(header, ([name, value]) => readEntry(name, value));
  entries.sort((a, b) => a.start - b.start || a.end - b.end);
  let position = 0;
  for (const { name, start, end } of entries) {
    if (start !== position) throw new WeightsFault(`bytes before ${name} are missing or shared`);
    position = end;
  }
  if (position !== dataBytes) {
    throw new WeightsFault(`values of ${position} bytes expected, ${dataBytes} found`);
  }
  return { entries, metadata };
}

function parseObject(bytes: Uint8Array): Map<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (error) {
    throw new WeightsFault(`header is not JSON: ${messageText(error)}`);
  }
  if (!isRecord(value)) throw new WeightsFault('header is no JSON object');
  return new Map(Object.entries(value));
}

function readMetadata(value: unknown): Record<string, string> {
  if (value === undefined) return {};
  if (!isRecord(value) || !Object.values(value).every((text) => typeof text === 'string')) {
    throw new WeightsFault(`${METADATA_KEY} is not an object of texts`);
  }
  return value as Record<string, string>;
}

function readEntry(name: string, value: unknown): HeaderEntry {
  if (!isRecord(value)) throw new WeightsFault(`${name} is no JSON object`);
  const { dtype, shape, data_offsets: offsets } = value;
  const valueBytes = typeof dtype === 'string' ? dtypeBytes(dtype) : null;
  if (typeof dtype !== 'string' || valueBytes === null) {
    throw new WeightsFault(`${name} has an unknown type`);
  }
  if (!isSizes(shape) || !isSizes(offsets)) {
    throw new WeightsFault(`${name} has no proper shape or offsets`);
  }
  const [start = 0, end = -1] = offsets;
  const expected = countValues(shape) * valueBytes;
  if (offsets.length !== 2 || end - start !== expected || !Number.isSafeInteger(expected)) {
    throw new WeightsFault(`${name} does not have the bytes that its shape and type need`);
  }
  return { name, dtype, shape, start, end };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return (
    Array.isArray(value) &&
    value.every((size: unknown) => Number.isSafeInteger(size) && (size as number) >= 0)
  );
}
