/** Batches as bytes, for trainers in other languages. What stands in a stream is told in shards/README.md. */

import { checkOneOf } from '../core/index.ts';
import type { Batch } from './batch.ts';
import { encodeMsgpack } from './encode-msgpack.ts';
import { encodeNpy } from './encode-npy.ts';
import type { Cursor } from './order/cursor.ts';

/** `'msgpack'`: one MessagePack map per batch; `'npy'`: NumPy arrays one after the other, the first names those that follow. */
export type BatchFormat = 'msgpack' | 'npy';

type Encoder = (batch: Batch, cursor: Cursor | null) => Uint8Array[];

const ENCODERS: Readonly<Record<BatchFormat, Encoder>> = {
  msgpack: encodeMsgpack,
  npy: encodeNpy,
};

/** The names of all formats, for option parsers. */
export const BATCH_FORMATS: readonly BatchFormat[] = Object.keys(ENCODERS) as BatchFormat[];

/**
 * Encodes a batch as parts to be written one after the other. Tensors are not copied: their parts are views of the batch, valid as
 * long as it is. Batches that are written one behind the other make a stream.
 *
 * @param cursor the place behind the batch, `loader.cursor()`, to stand in it
 * @throws {RangeError} if the format is unknown, or a tensor is too large for it
 */
export function encodeBatch(
  batch: Batch,
  format: BatchFormat,
  cursor: Cursor | null = null,
): Uint8Array[] {
  checkOneOf('format', format, BATCH_FORMATS);
  return ENCODERS[format](batch, cursor);
}
