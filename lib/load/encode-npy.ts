/**
 * A batch as NumPy arrays in a row. The first is a list of the names of those that follow, so a reader needs to know neither the
 * options nor the order: it reads the names, then one array per name.
 *
 * Source: the npy format, version 1.0, as NumPy's documentation describes it.
 */

import type { Batch } from './batch.ts';
import { bytesOf, listFrames, listTensors } from './batch-parts.ts';
import type { Dtype } from './clip/batch-tensors.ts';
import type { Cursor } from './order/cursor.ts';

/** An array before it is written. */
interface NpyArray {
  readonly name: string;
  /** As NumPy names types, such as `<f4`. */
  readonly descr: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

const DESCR: Readonly<Record<Dtype, string>> = { uint8: '|u1', int32: '<i4', float32: '<f4' };
const ALIGNMENT = 64;
/** Magic, version and the length of the text. */
const PREAMBLE_BYTES = 10;

/** Encodes a batch. The parts of tensors are views of it. */
export function encodeNpy(batch: Batch, cursor: Cursor | null): Uint8Array[] {
  const tensors = listTensors(batch).map(({ name, tensor }) => {
    const { dtype, shape } = tensor;
    return { name, descr: DESCR[dtype], shape, bytes: bytesOf(tensor) };
  });
  const arrays = [...plainArrays(batch, cursor), ...tensors];
  const names = texts(
    'names',
    arrays.map(({ name }) => name),
  );
  return [names, ...arrays].flatMap((array) => [header(array), array.bytes]);
}

function plainArrays(batch: Batch, cursor: Cursor | null): NpyArray[] {
  const { keys, views } = batch;
  const frames = listFrames(batch);
  const list = [keys.length];
  return [
    integers('epoch', [], [batch.epoch]),
    integers('batchIndex', [], [batch.batchIndex]),
    integers('step', [], [batch.step]),
    ...(cursor === null ? [] : [{ ...texts('cursor', [JSON.stringify(cursor)]), shape: [] }]),
    texts('keys', keys),
    integers('samples', list, batch.samples),
    texts('datasets', batch.datasets),
    integers('labels', list, [...batch.labels]),
    integers('frameIndex', [keys.length, frames[0]?.length ?? 0], frames.flat()),
    ...(views === null
      ? []
      : [
          integers(
            'views',
            [keys.length, 2],
            views.flatMap(({ segment, crop }) => [segment, crop]),
          ),
        ]),
    flags('isPad', batch.isPad),
    flags('isMissing', batch.isMissing),
  ];
}

function integers(name: string, shape: readonly number[], values: readonly number[]): NpyArray {
  const bytes = new Uint8Array(Int32Array.from(values).buffer);
  return { name, descr: DESCR.int32, shape, bytes };
}

function flags(name: string, values: readonly boolean[]): NpyArray {
  return { name, descr: '|b1', shape: [values.length], bytes: Uint8Array.from(values, Number) };
}

/** Text of fixed width in UTF-32, which Python reads as `str`. */
function texts(name: string, values: readonly string[]): NpyArray {
  const points = values.map((value) => Array.from(value, (letter) => letter.codePointAt(0) ?? 0));
  const width = Math.max(1, ...points.map(({ length }) => length));
  const codes = new Uint32Array(width * values.length);
  for (const [i, own] of points.entries()) codes.set(own, i * width);
  const bytes = new Uint8Array(codes.buffer);
  return { name, descr: `<U${width}`, shape: [values.length], bytes };
}

function header({ descr, shape }: NpyArray): Uint8Array {
  const sides = shape.length === 1 ? `${String(shape[0])},` : shape.join(', ');
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${sides}), }`;
  const total = Math.ceil((PREAMBLE_BYTES + text.length + 1) / ALIGNMENT) * ALIGNMENT;
  const bytes = Buffer.alloc(total, ' ');
  bytes.write('\x93NUMPY\x01\x00', 'latin1');
  bytes.writeUInt16LE(total - PREAMBLE_BYTES, PREAMBLE_BYTES - 2);
  bytes.write(text, PREAMBLE_BYTES, 'latin1');
  bytes.write('\n', total - 1, 'latin1');
  return bytes;
}
