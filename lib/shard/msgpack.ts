/**
 * MessagePack, as far as samples need it. msgpackr packs and unpacks values; what it leaves open is settled here:
 * floats stay float64 even when they are whole numbers, pictures stay parts that nobody copies, and bytes from outside
 * are walked once before msgpackr sees them, since it recurses and believes the lengths that it reads.
 *
 * Source: the MessagePack specification.
 */

import { Packr, Unpackr } from 'msgpackr';
import type { Fail } from './fields.ts';

const MAX_DEPTH = 8;
const MAX_TOKENS = 2 ** 20;

const packr = new Packr({ useRecords: false, variableMapSize: true });
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true });

/** What {@link packPlain} takes: JSON. Integers have at most 32 bits. */
export type PlainValue =
  | string
  | number
  | boolean
  | null
  | readonly PlainValue[]
  | { readonly [name: string]: PlainValue };

/** Packs plain data; whole numbers become integers, others float64. */
export function packPlain(value: PlainValue): Uint8Array {
  return packr.pack(value);
}

/** Packs numbers as a list of float64. */
export function packFloats(values: readonly number[]): Uint8Array {
  return Buffer.concat([arrayHeader(values.length), ...values.map(packFloat)]);
}

/** Packs one number as float64, whole or not. */
export function packFloat(value: number): Uint8Array {
  const bytes = Buffer.alloc(9, 0xcb);
  bytes.writeDoubleBE(value, 1);
  return bytes;
}

/** Packs a map of packed values; with `open` set, one more pair follows that the caller writes. */
export function packMap(
  pairs: readonly (readonly [name: string, packed: Uint8Array])[],
  open = 0,
): Uint8Array {
  const parts = pairs.flatMap(([name, packed]) => [packPlain(name), packed]);
  return Buffer.concat([header(pairs.length + open, 0x80, 0xde), ...parts]);
}

/** The bytes that stand before the elements of a list. */
export function arrayHeader(length: number): Uint8Array {
  return header(length, 0x90, 0xdc);
}

/** The bytes that stand before `length` bytes of binary data. */
export function binHeader(length: number): Uint8Array {
  return sized(0xc6, length);
}

/**
 * Unpacks one map with text keys that fills `bytes` exactly. Binary data comes back as views of `bytes`.
 * Memory is bounded by a small multiple of the size of `bytes`, whatever lengths they declare.
 */
export function unpackMap(bytes: Uint8Array, fail: Fail): unknown {
  const problem = findProblem(bytes);
  if (problem !== null) return fail(problem);
  return unpackr.unpack(bytes);
}

/** A map without its last field, and where the value of that field starts in the bytes of the whole map. */
export interface CutMap {
  readonly map: Uint8Array;
  readonly valueAt: number;
}

/**
 * Cuts off the last field of a map, which must be called `last`: gives the bytes of a map of all others, or null if `bytes`, the
 * start of the map, end before the value of that field or are no such map. The map is for {@link unpackMap} to check.
 */
export function cutLastField(bytes: Uint8Array, last: string): CutMap | null {
  const top = readToken(bytes, 0);
  if (top?.kind !== 'map') return null;
  const name = packPlain(last);
  let start = top.end;
  for (let pair = 1; pair < top.count; pair++) {
    const end = skipValues(bytes, start, 2);
    if (end === null) return null;
    start = end;
  }
  const valueAt = start + name.length;
  if (Buffer.compare(bytes.subarray(start, valueAt), name) !== 0) return null;
  const fields = bytes.subarray(top.end, start);
  return { map: Buffer.concat([header(top.count - 1, 0x80, 0xde), fields]), valueAt };
}

/** Where so many values end; null if the bytes end before. */
function skipValues(bytes: Uint8Array, start: number, count: number): number | null {
  let position = start;
  for (let left = count; left > 0; left--) {
    const token = readToken(bytes, position);
    if (token === null || token.end > bytes.length) return null;
    left += token.kind === 'map' ? token.count * 2 : token.count;
    position = token.end;
  }
  return position;
}

function header(count: number, short: number, long16: number): Uint8Array {
  if (count <= 0x0f) return Uint8Array.of(short | count);
  if (count <= 0xffff) return Uint8Array.of(long16, count >>> 8, count & 0xff);
  return sized(long16 + 1, count);
}

function sized(type: number, size: number): Uint8Array {
  return Uint8Array.of(type, size >>> 24, (size >>> 16) & 0xff, (size >>> 8) & 0xff, size & 0xff);
}

type Kind = 'text' | 'scalar' | 'map' | 'list';

/** What a first byte from 0xc0 to 0xdf announces: kind, width of the length field, bytes that follow without one. */
type Announced = readonly [kind: Kind, lengthWidth: number, fixedBytes: number];

const ANNOUNCED: Readonly<Record<number, Announced>> = {
  0xc0: ['scalar', 0, 0], // nil
  0xc2: ['scalar', 0, 0], // false
  0xc3: ['scalar', 0, 0], // true
  0xc4: ['scalar', 1, 0], // bin
  0xc5: ['scalar', 2, 0],
  0xc6: ['scalar', 4, 0],
  0xca: ['scalar', 0, 4], // float
  0xcb: ['scalar', 0, 8],
  0xcc: ['scalar', 0, 1], // uint
  0xcd: ['scalar', 0, 2],
  0xce: ['scalar', 0, 4],
  0xcf: ['scalar', 0, 8],
  0xd0: ['scalar', 0, 1], // int
  0xd1: ['scalar', 0, 2],
  0xd2: ['scalar', 0, 4],
  0xd3: ['scalar', 0, 8],
  0xd9: ['text', 1, 0],
  0xda: ['text', 2, 0],
  0xdb: ['text', 4, 0],
  0xdc: ['list', 2, 0],
  0xdd: ['list', 4, 0],
  0xde: ['map', 2, 0],
  0xdf: ['map', 4, 0],
};

interface Token {
  readonly kind: Kind;
  /** Elements of a list or pairs of a map. */
  readonly count: number;
  /** Where the next token starts. */
  readonly end: number;
}

/** Reads the token at a position; null if it is cut short, reserved or an extension. */
function readToken(bytes: Uint8Array, position: number): Token | null {
  const type = bytes[position];
  if (type === undefined) return null;
  const start = position + 1;
  if (type < 0x80 || type >= 0xe0) return { kind: 'scalar', count: 0, end: start };
  if (type < 0x90) return { kind: 'map', count: type & 0x0f, end: start };
  if (type < 0xa0) return { kind: 'list', count: type & 0x0f, end: start };
  if (type < 0xc0) return { kind: 'text', count: 0, end: start + (type & 0x1f) };
  const announced = ANNOUNCED[type];
  if (announced === undefined) return null;
  const [kind, lengthWidth, fixedBytes] = announced;
  let length = 0;
  for (let i = start; i < start + lengthWidth; i++) length = length * 256 + (bytes[i] ?? 0);
  const end = start + lengthWidth;
  if (kind === 'map' || kind === 'list') return { kind, count: length, end };
  return { kind, count: 0, end: end + length + fixedBytes };
}

/** Walks all tokens without recursion and without looking into binary data; null if the structure is sound. */
function findProblem(bytes: Uint8Array): string | null {
  const open: { kind: Kind; left: number }[] = [{ kind: 'list', left: 1 }];
  let position = 0;
  for (let tokens = 0; ; tokens++) {
    while (open.at(-1)?.left === 0) open.pop();
    const level = open.at(-1);
    if (level === undefined) break;
    const token = readToken(bytes, position);
    if (token === null || token.end > bytes.length)
      return 'MessagePack is cut short or uses types that samples do not have';
    if (tokens === 0 && token.kind !== 'map') return 'MessagePack does not start with a map';
    if (tokens > MAX_TOKENS) return `MessagePack has more than ${MAX_TOKENS} values`;
    if (level.kind === 'map' && level.left % 2 === 0 && token.kind !== 'text')
      return 'MessagePack map has a key that is no text';
    level.left -= 1;
    position = token.end;
    const left = token.kind === 'map' ? token.count * 2 : token.count;
    if (left > bytes.length - position)
      return 'MessagePack declares more values than there are bytes';
    if (left > 0) open.push({ kind: token.kind, left });
    if (open.length > MAX_DEPTH + 1) return `MessagePack is nested deeper than ${MAX_DEPTH}`;
  }
  return position === bytes.length ? null : 'MessagePack is followed by other bytes';
}
