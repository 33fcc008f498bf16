/** Samples as MessagePack maps: packed into parts, and unpacked without copying pixels. */

import { TubeletError } from '../core/index.ts';
import type { ErrorDetails } from '../core/index.ts';
import { FORMAT_VERSION, MAX_PAYLOAD_BYTES, checkVersion } from './format.ts';
import { readFields, refuse } from './fields.ts';
import type { Fail, Fields } from './fields.ts';
import {
  arrayHeader,
  binHeader,
  cutLastField,
  packFloat,
  packFloats,
  packMap,
  packPlain,
  unpackMap,
} from './msgpack.ts';
import { joinSample, readMeta } from './sample-meta.ts';
import type { Sample, SampleMeta } from './sample-meta.ts';

/**
 * Packs a sample as a list of parts that, written one after the other, are one MessagePack map with text keys.
 * `data` is not copied: the parts hold the arrays that were passed in.
 *
 * @throws {RangeError} if the fields contradict each other or the data
 */
export function encodeSample(
  meta: SampleMeta,
  data: Uint8Array | readonly Uint8Array[],
): Uint8Array[] {
  const parts = [encodeMeta(meta), ...encodeData(joinSample(meta, data, refuse).data)];
  if (countBytes(parts) > MAX_PAYLOAD_BYTES) refuse('sample is larger than 2 GiB');
  return parts;
}

/**
 * Packs what stands before the pixels of a sample; {@link encodeData} gives the rest, which need not be in the same process.
 *
 * @throws {RangeError} if the fields contradict each other
 */
export function encodeMeta(meta: SampleMeta): Uint8Array {
  const checked = readMeta(readFields(meta, 'sample', refuse), refuse);
  if (checked.v !== FORMAT_VERSION) refuse(`sample: v is not ${FORMAT_VERSION}`);
  if (checked.boxes !== null) refuse('sample: boxes is reserved, it must be null');
  return Buffer.concat([packMap(packedFields(checked), 1), packPlain('data')]);
}

/** Packs pixels as parts that follow {@link encodeMeta}: one array for codec `raw`, one per frame for `jpeg`. Copies nothing. */
export function encodeData(data: Uint8Array | readonly Uint8Array[]): Uint8Array[] {
  if (data instanceof Uint8Array) return [binHeader(data.length), data];
  const pictures = data.flatMap((picture) => [binHeader(picture.length), picture]);
  return [arrayHeader(data.length), ...pictures];
}

/** Size of a list of parts. */
export function countBytes(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

/**
 * Unpacks and checks a sample; ignores fields that it does not know. `data` is a view of `payload`.
 * Safe for bytes from outside: bounded memory and depth.
 *
 * @param where details for the error: shard, key, …
 * @throws {TubeletError} TUBE_SAMPLE_DAMAGED, TUBE_VERSION_UNSUPPORTED
 */
export function decodeSample(payload: Uint8Array, where: ErrorDetails = {}): Sample {
  const fail = failIn(where);
  const fields = openFields(payload, where);
  return joinSample(readMeta(fields, fail), fields.get('data'), fail);
}

/**
 * Unpacks and checks what stands before the pixels of a sample, from the first bytes of its payload; null if they do not reach
 * that far, or if the pixels do not come last.
 *
 * @throws {TubeletError} as {@link decodeSample}
 */
export function decodeHead(start: Uint8Array, where: ErrorDetails = {}): SampleMeta | null {
  const head = cutLastField(start, 'data');
  return head === null ? null : readMeta(openFields(head.map, where), failIn(where));
}

/**
 * Unpacks and checks what stands before the `numBytes` pixels of a sample of codec `raw`; null if `head` does not end just where
 * such pixels start.
 *
 * @throws {TubeletError} as {@link decodeSample}
 */
export function decodeRawHead(
  head: Uint8Array,
  numBytes: number,
  where: ErrorDetails = {},
): SampleMeta | null {
  const cut = cutLastField(head, 'data');
  if (cut === null || Buffer.compare(head.subarray(cut.valueAt), binHeader(numBytes)) !== 0) {
    return null;
  }
  const meta = readMeta(openFields(cut.map, where), failIn(where));
  return meta.codec === 'raw' && countPixels(meta) === numBytes ? meta : null;
}

/** Values of the pixels of a sample, before compression. */
function countPixels({ shape }: SampleMeta): number {
  return shape.reduce((product, side) => product * side, 1);
}

function openFields(map: Uint8Array, where: ErrorDetails): Fields {
  const fail = failIn(where);
  const fields = readFields(unpackMap(map, fail), 'sample', fail);
  checkVersion(fields, where);
  return fields;
}

function failIn(where: ErrorDetails): Fail {
  return (message) => {
    throw new TubeletError('TUBE_SAMPLE_DAMAGED', { ...where, message });
  };
}

function packedFields(sample: SampleMeta): [name: string, packed: Uint8Array][] {
  const { path, width, height, fps, frames, seconds } = sample.source;
  const source = packMap([
    ['path', packPlain(path)],
    ['width', packPlain(width)],
    ['height', packPlain(height)],
    ['fps', packFloat(fps)],
    ['frames', packPlain(frames)],
    ['seconds', packFloat(seconds)],
  ]);
  const { tubelet, clipShape } = sample;
  const tokens: [string, Uint8Array][] =
    tubelet === undefined || clipShape === undefined
      ? []
      : [
          ['tubelet', packPlain(tubelet)],
          ['clipShape', packPlain(clipShape)],
        ];
  return [
    ['v', packPlain(sample.v)],
    ['key', packPlain(sample.key)],
    ['split', packPlain(sample.split)],
    ['label', packPlain(sample.label)],
    ['class', packPlain(sample.class)],
    ['source', source],
    ['frameIndex', packPlain(sample.frameIndex)],
    ['ptsSeconds', packFloats(sample.ptsSeconds)],
    ['layout', packPlain(sample.layout)],
    ['codec', packPlain(sample.codec)],
    ['shape', packPlain(sample.shape)],
    ...tokens,
    ['boxes', packPlain(null)],
  ];
}
