/**
 * TensorBoard's events as bytes: the few messages of Protocol Buffers that scalars need, in the frames of TFRecord.
 *
 * Source: field numbers from TensorFlow's event.proto and summary.proto; wire format from the Protocol Buffers guide.
 */

import { maskedCrc32c } from './crc32c.ts';

/** Numbers of the fields that are written. */
const EVENT = { wallTime: 1, step: 2, fileVersion: 3, summary: 5, sessionLog: 7 } as const;
const SUMMARY_VALUE = 1;
const VALUE = { tag: 1, simpleValue: 2 } as const;
const SESSION_STATUS = 1;
const SESSION_START = 1;

const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** What an event says besides its time and step. */
export type EventContent =
  /** The first event of a file. */
  | { readonly type: 'version' }
  /** A run goes on here: TensorBoard drops what earlier files have from this step on. */
  | { readonly type: 'start' }
  | { readonly type: 'scalars'; readonly values: Readonly<Record<string, number>> };

/** Place of an event. */
export interface EventPlace {
  /** Seconds since 1970. */
  readonly wallSeconds: number;
  /** From 0 to 2^53 - 1. */
  readonly step: number;
}

/** An event in its frame: length, checksum, message, checksum. */
export function encodeEvent(place: EventPlace, content: EventContent): Buffer {
  const message = Buffer.concat([
    field(EVENT.wallTime, WIRE.fixed64, doubleBytes(place.wallSeconds)),
    field(EVENT.step, WIRE.varint, varint(place.step)),
    encodeContent(content),
  ]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(message.length));
  return Buffer.concat([length, checksum(length), message, checksum(message)]);
}

function encodeContent(content: EventContent): Buffer {
  switch (content.type) {
    case 'version':
      return bytesField(EVENT.fileVersion, Buffer.from('brain.Event:2'));
    case 'start':
      return bytesField(
        EVENT.sessionLog,
        field(SESSION_STATUS, WIRE.varint, varint(SESSION_START)),
      );
    case 'scalars': {
      const values = Object.entries(content.values).map(([tag, value]) =>
        bytesField(SUMMARY_VALUE, encodeScalar(tag, value)),
      );
      return bytesField(EVENT.summary, Buffer.concat(values));
    }
    default:
      return content satisfies never;
  }
}

function encodeScalar(tag: string, value: number): Buffer {
  return Buffer.concat([
    bytesField(VALUE.tag, Buffer.from(tag)),
    field(VALUE.simpleValue, WIRE.fixed32, floatBytes(value)),
  ]);
}

function bytesField(number: number, bytes: Uint8Array): Buffer {
  return field(number, WIRE.bytes, Buffer.concat([varint(bytes.length), bytes]));
}

/** The key of a field is its number and how its value is written. */
function field(number: number, wireType: number, value: Uint8Array): Buffer {
  return Buffer.concat([varint(number * 8 + wireType), value]);
}

/** Seven bits a byte, the lowest first; a set top bit says that more follow. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...bytes, rest]);
}

function doubleBytes(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

function floatBytes(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

function checksum(bytes: Uint8Array): Buffer {
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE(maskedCrc32c(bytes));
  return sum;
}
