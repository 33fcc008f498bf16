/**
 * A writer of protocol buffers, as much of it as ONNX models need: varints, floats, bytes and nested messages, driven by a schema.
 * Why not a library: the generated ones for ONNX bring protobufjs and a megabyte of code, and copy every weight once more.
 * Source: protobuf.dev/programming-guides/encoding.
 */

/** How a field is written. */
type FieldType = 'varint' | 'float' | 'string' | 'bytes' | 'message';

/** Number and type of a field; `repeated` numbers are packed, as proto3 does. */
interface Field {
  readonly number: number;
  readonly type: FieldType;
  readonly isRepeated?: boolean;
  /** Schema of a nested message. */
  readonly schema?: () => Schema;
}

/** Fields of a message by name. */
export type Schema = Readonly<Record<string, Field>>;

/** What a field may hold. */
type FieldValue =
  | number
  | string
  | Uint8Array
  | Message
  | readonly number[]
  | readonly string[]
  | readonly Message[];

/** A message: values of fields by name. */
export interface Message {
  readonly [field: string]: FieldValue | undefined;
}

/** Messages below this are one piece: thousands of pieces of two bytes would cost more than the copy. */
const SMALL_BYTES = 65_536;

const WIRE_VARINT = 0;
const WIRE_BYTES = 2;
const WIRE_FIXED32 = 5;

/**
 * Encodes a message as pieces that make its bytes one after the other: long `bytes` fields are pieces of their own, not copied.
 *
 * @throws {TypeError} for a field that the schema does not have
 */
export function encodeMessage(message: Message, schema: Schema): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (const [name, value] of Object.entries(message)) {
    const field = schema[name];
    if (field === undefined) throw new TypeError(`"${name}" is no field of the message.`);
    if (value === undefined) continue;
    for (const piece of encodeField(field, value)) pieces.push(piece);
  }
  return countBytes(pieces) < SMALL_BYTES ? [joinBytes(pieces)] : pieces;
}

/** Total length of pieces. */
export function countBytes(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}

/** Pieces in one array. */
export function joinBytes(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(countBytes(pieces));
  let offset = 0;
  for (const piece of pieces) {
    bytes.set(piece, offset);
    offset += piece.length;
  }
  return bytes;
}

function encodeField(field: Field, value: FieldValue): Uint8Array[] {
  const { number, type } = field;
  if (Array.isArray(value)) {
    if (type === 'varint' || type === 'float') return packNumbers(field, value as number[]);
    return (value as (string | Message)[]).flatMap((one) => encodeField(field, one));
  }
  if (type === 'varint') return [tag(number, WIRE_VARINT), varint(value as number)];
  if (type === 'float') return [tag(number, WIRE_FIXED32), floatBytes([value as number])];
  const pieces = contentOf(field, value);
  return [tag(number, WIRE_BYTES), varint(countBytes(pieces)), ...pieces];
}

function contentOf({ type, schema }: Field, value: FieldValue): Uint8Array[] {
  if (value instanceof Uint8Array) return [value];
  if (type === 'string' || type === 'bytes') return [new TextEncoder().encode(value as string)];
  return encodeMessage(value as Message, schema?.() ?? {});
}

function packNumbers({ number, type }: Field, values: readonly number[]): Uint8Array[] {
  if (values.length === 0) return [];
  const content = type === 'float' ? floatBytes(values) : joinBytes(values.map(varint));
  return [tag(number, WIRE_BYTES), varint(content.length), content];
}

function tag(number: number, wire: number): Uint8Array {
  return varint(number * 8 + wire);
}

/** A 64-bit integer in groups of 7 bits, lowest first; negative ones in two's complement. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(rest & 127n);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 128);
  } while (rest !== 0n);
  return Uint8Array.from(bytes);
}

function floatBytes(values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  for (const [index, value] of values.entries()) view.setFloat32(index * 4, value, true);
  return new Uint8Array(view.buffer);
}
