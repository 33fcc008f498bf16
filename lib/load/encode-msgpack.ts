/**
 * A batch as one MessagePack map. The tensor that the model sees stands in the map itself, as `shape`, `dtype` and `data`, the last
 * three keys; `tensor` is its name. All others are maps of the same three keys under their names.
 */

import { binHeader, packMap, packPlain } from '../shard/index.ts';
import type { PlainValue } from '../shard/index.ts';
import type { Batch } from './batch.ts';
import { bytesOf, listFrames, listTensors } from './batch-parts.ts';
import type { NamedTensor } from './batch-parts.ts';
import type { Cursor } from './order/cursor.ts';

/** Version of the map. */
const VERSION = 1;
const MAX_BIN_BYTES = 2 ** 32 - 1;

/**
 * Encodes a batch. The parts of tensors are views of it.
 *
 * @throws {RangeError} if a tensor has more bytes than MessagePack can hold
 */
export function encodeMsgpack(batch: Batch, cursor: Cursor | null): Uint8Array[] {
  const tensors = listTensors(batch);
  const named = tensors.slice(0, -1);
  const seen = tensors.slice(-1);
  const plain = Object.entries(plainFields(batch, cursor)).map(
    ([name, value]) => [name, packPlain(value)] as const,
  );
  const open = named.length + 4 * seen.length;
  return [
    packMap(plain, open),
    ...named.flatMap((one) => packTensor(one, [packPlain(one.name), packMap([], 3)])),
    ...seen.flatMap((one) => packTensor(one, [packPlain('tensor'), packPlain(one.name)])),
  ];
}

function plainFields(batch: Batch, cursor: Cursor | null): Readonly<Record<string, PlainValue>> {
  const { views, mix } = batch;
  return {
    v: VERSION,
    epoch: batch.epoch,
    batchIndex: batch.batchIndex,
    step: batch.step,
    cursor: cursor === null ? null : JSON.stringify(cursor),
    keys: batch.keys,
    samples: batch.samples,
    datasets: batch.datasets,
    labels: [...batch.labels],
    frameIndex: listFrames(batch),
    views: views === null ? null : views.map(({ segment, crop }) => [segment, crop]),
    isPad: batch.isPad,
    isMissing: batch.isMissing,
    mix: mix === undefined ? null : mix.kind === 'cutmix' ? { ...mix, box: { ...mix.box } } : mix,
  };
}

/** Three pairs of a map, behind what stands before them. */
function packTensor({ name, tensor }: NamedTensor, before: readonly Uint8Array[]): Uint8Array[] {
  const { dtype, shape, data } = tensor;
  if (data.byteLength > MAX_BIN_BYTES) {
    throw new RangeError(
      `"batchSize" must be smaller for format msgpack: ${name} may have ${MAX_BIN_BYTES} bytes (got ${data.byteLength}).`,
    );
  }
  const head = [
    ...before,
    packPlain('shape'),
    packPlain(shape),
    packPlain('dtype'),
    packPlain(dtype),
    packPlain('data'),
    binHeader(data.byteLength),
  ];
  return [Buffer.concat(head), bytesOf(tensor)];
}
