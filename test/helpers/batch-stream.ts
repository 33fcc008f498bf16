/** Reads streams of batches again, with a parser that is not ours or knows nothing of the writer. */

import { Unpackr } from 'msgpackr';
import type { Batch } from '../../lib/load/index.ts';

/** A batch as it came through a stream: values by name, tensors as bytes with dtype and shape. */
export type StreamedBatch = Readonly<Record<string, unknown>>;

/** A tensor of a stream. */
export interface StreamedTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Buffer;
}

const TENSORS = [
  'softLabels',
  'visibleTokens',
  'maskedTokens',
  'target',
  'visible',
  'pixels',
] as const;

/** What a batch must look like when it has come through a stream of MessagePack. */
export function expectMsgpack(batch: Batch, cursor: unknown): StreamedBatch {
  const { epoch, batchIndex, step, keys, samples, datasets, labels, isPad, isMissing } = batch;
  const tensors = tensorsOf(batch);
  const [tensor, seen] = tensors.at(-1)!;
  return {
    v: 1,
    epoch,
    batchIndex,
    step,
    cursor: JSON.stringify(cursor),
    keys,
    samples,
    datasets,
    labels: [...labels],
    frameIndex: batch.frameIndex,
    isPad,
    isMissing,
    views: batch.views?.map(({ segment, crop }) => [segment, crop]) ?? null,
    mix: batch.mix ?? null,
    ...Object.fromEntries(tensors.slice(0, -1)),
    tensor,
    ...seen,
  };
}

/** The tensors of a batch by name, the one that the model sees last. */
export function tensorsOf(batch: Batch): [name: string, tensor: StreamedTensor][] {
  return TENSORS.flatMap((name): [string, StreamedTensor][] => {
    const found = batch[name];
    if (found === undefined) return [];
    const { buffer, byteOffset, byteLength } = found.data;
    const data = Buffer.from(new Uint8Array(buffer, byteOffset, byteLength));
    return [[name, { dtype: found.dtype, shape: found.shape, data }]];
  });
}

/** All maps of a stream. */
export function readMsgpack(bytes: Uint8Array): StreamedBatch[] {
  if (bytes.length === 0) return [];
  return new Unpackr({ useRecords: false }).unpackMultiple(bytes) as StreamedBatch[];
}

/** An array of a stream as NumPy describes it. */
export interface NpyArray {
  readonly descr: string;
  readonly shape: readonly number[];
  readonly data: Buffer;
}

const HEADER = /^\{'descr': '(.+)', 'fortran_order': False, 'shape': \((.*)\), \} *\n$/;

/** All arrays of a stream, in order. */
export function readNpy(bytes: Buffer): NpyArray[] {
  const arrays: NpyArray[] = [];
  for (let at = 0; at < bytes.length;) {
    const start = at + 10 + bytes.readUInt16LE(at + 8);
    if (bytes.toString('latin1', at, at + 8) !== '\x93NUMPY\x01\x00' || (start - at) % 64 !== 0)
      throw new Error(`no array at byte ${at}`);
    const [, descr = '', sides = ''] = HEADER.exec(bytes.toString('latin1', at + 10, start)) ?? [];
    const shape = sides.split(',').flatMap((side) => (side.trim() === '' ? [] : [Number(side)]));
    const width = Number(descr.slice(2)) * (descr[1] === 'U' ? 4 : 1);
    at = start + shape.reduce((product, side) => product * side, width);
    arrays.push({ descr, shape, data: bytes.subarray(start, at) });
  }
  return arrays;
}

/** The texts of an array of them. */
export function npyTexts({ descr, data }: NpyArray): string[] {
  const width = Number(descr.slice(2));
  const letters = Array.from({ length: data.length / 4 }, (_, i) => data.readUInt32LE(4 * i));
  return Array.from({ length: letters.length / width }, (_, i) =>
    String.fromCodePoint(...letters.slice(i * width, (i + 1) * width)).replace(/\0+$/, ''),
  );
}
