/** Reads safetensors files by position: the header at once, each weight when it is asked for. */

import type { FileHandle } from 'node:fs/promises';
import { readSpan } from '../core/index.ts';
import { decodeValues } from './dtype.ts';
import { LENGTH_BYTES, MAX_HEADER_BYTES, parseHeader } from './safetensors-header.ts';
import type { HeaderEntry } from './safetensors-header.ts';
import type { Weight } from './weight.ts';
import { WeightsFault, checkWeightBytes, namingFile } from './weights-fault.ts';

/** What a file of weights holds. */
export interface FileContent {
  readonly weights: readonly Weight[];
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Lists the weights of an open safetensors file.
 *
 * @throws {WeightsFault} if header and file do not hold together
 */
export async function readSafetensors(
  file: FileHandle,
  path: string,
  fileBytes: number,
): Promise<FileContent> {
  const prefix = await readSpan(file, 0, LENGTH_BYTES);
  const length = prefix === null ? -1n : Buffer.from(prefix).readBigUInt64LE();
  if (length < 0n || length > BigInt(fileBytes - LENGTH_BYTES)) {
    throw new WeightsFault('file is shorter than its header says');
  }
  if (length > BigInt(MAX_HEADER_BYTES)) throw new WeightsFault(`header of ${length} bytes`);
  const bytes = await readSpan(file, LENGTH_BYTES, Number(length));
  if (bytes === null) throw new WeightsFault('file ends inside the header');
  const dataStart = LENGTH_BYTES + Number(length);
  const { entries, metadata } = parseHeader(bytes, fileBytes - dataStart);
  const weights = entries.map((entry) => toWeight(entry, { file, path, dataStart }));
  return { weights, metadata };
}

interface Place {
  readonly file: FileHandle;
  readonly path: string;
  readonly dataStart: number;
}

function toWeight(entry: HeaderEntry, { file, path, dataStart }: Place): Weight {
  const { name, dtype, shape, start, end } = entry;
  return {
    name,
    dtype,
    shape,
    read: () =>
      namingFile(path, async () => {
        checkWeightBytes(name, end - start);
        const bytes = await readSpan(file, dataStart + start, end - start);
        if (bytes === null) throw new WeightsFault(`file ends inside ${name}`);
        return { shape, data: decodeValues(dtype, bytes, name) };
      }),
  };
}
