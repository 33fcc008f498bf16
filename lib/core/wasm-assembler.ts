/**
 * A WebAssembly module from a few nested calls: each names an instruction and gives its operands, as in the text format.
 * Holds just the instructions that the loops of the other rooms need.
 *
 * Source: WebAssembly core specification 2.0, chapter 5 (binary format).
 */

/** Bytes of instructions that leave one value, or none; in parts, so that nothing is copied before the module is complete. */
export type Code = readonly (number | Code)[];

/** Instructions without immediates; 0x100 and more are the numbers 0 and more of the vector page. */
const OPCODES = {
  'i32.eqz': 0x45,
  'i32.eq': 0x46,
  'i32.ne': 0x47,
  'i32.lt_s': 0x48,
  'i32.gt_s': 0x4a,
  'i32.add': 0x6a,
  'i32.sub': 0x6b,
  'i32.mul': 0x6c,
  'i32.and': 0x71,
  'i32.shl': 0x74,
  'i32.or': 0x72,
  'i32.shr_s': 0x75,
  'i32.wrap_i64': 0xa7,
  'i64.or': 0x84,
  'i64.shl': 0x86,
  'i64.shr_u': 0x88,
  'i64.extend_i32_u': 0xad,
  'i8x16.swizzle': 0x10e,
  'i8x16.splat': 0x10f,
  'i16x8.splat': 0x110,
  'i32x4.splat': 0x111,
  'i8x16.eq': 0x123,
  'i8x16.ne': 0x124,
  'v128.and': 0x14e,
  'v128.or': 0x150,
  'v128.xor': 0x151,
  'v128.any_true': 0x153,
  'i8x16.narrow_i16x8_s': 0x165,
  'i8x16.narrow_i16x8_u': 0x166,
  'f32x4.demote_f64x2_zero': 0x15e,
  'i16x8.q15mulr_sat_s': 0x182,
  'i16x8.narrow_i32x4_s': 0x185,
  'i16x8.extend_low_i8x16_u': 0x189,
  'i16x8.extend_high_i8x16_u': 0x18a,
  'i16x8.shl': 0x18b,
  'i16x8.shr_s': 0x18c,
  'i16x8.shr_u': 0x18d,
  'i16x8.add': 0x18e,
  'i16x8.mul': 0x195,
  'i32x4.shl': 0x1ab,
  'i32x4.shr_s': 0x1ac,
  'i32x4.add': 0x1ae,
  'i32x4.sub': 0x1b1,
  'i32x4.dot_i16x8_s': 0x1ba,
  'f32x4.sqrt': 0x1e3,
  'f32x4.add': 0x1e4,
  'f32x4.sub': 0x1e5,
  'f32x4.mul': 0x1e6,
  'f32x4.div': 0x1e7,
  'f64x2.sqrt': 0x1ef,
  'f64x2.add': 0x1f0,
  'f64x2.sub': 0x1f1,
  'f64x2.mul': 0x1f2,
  'f64x2.div': 0x1f3,
  'f32x4.convert_i32x4_s': 0x1fa,
  'f64x2.convert_low_i32x4_s': 0x1fe,
  'f64x2.convert_low_i32x4_u': 0x1ff,
} as const;

/** Instructions that read or write memory at an address plus a constant. */
const MEMORY_OPCODES = {
  'i32.load': 0x28,
  'i32.load8_u': 0x2d,
  'i32.load16_s': 0x2e,
  'i32.load16_u': 0x2f,
  'i32.store': 0x36,
  'i32.store8': 0x3a,
  'i32.store16': 0x3b,
  'i64.load': 0x29,
  'v128.load': 0x100,
  'v128.load32_splat': 0x109,
  'v128.store': 0x10b,
} as const;

const TYPE_BYTES = { i32: 0x7f, i64: 0x7e, v128: 0x7b } as const;
const MAGIC_AND_VERSION = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0] as const;
const NO_TYPE = 0x40;
const VECTOR_PAGE = 0xfd;
const END = 0x0b;

/** Names of a function's variables, which are 0 at first. */
export interface Locals<Name extends string = string> {
  readonly ints: readonly Name[];
  /** Whole numbers of 64 bits. Default: none. */
  readonly longs?: readonly Name[];
  readonly vectors: readonly Name[];
}

/** What a function's body may do with its variables and with other functions. */
export interface Scope<Name extends string> {
  readonly get: (name: Name) => Code;
  readonly set: (name: Name, value: Code) => Code;
  /** Calls another function of the module, its arguments in order. */
  readonly call: (target: string, ...operands: readonly Code[]) => Code;
}

/** A function of a module; all parameters are i32. */
export interface WasmFunction<Param extends string = string> {
  readonly params: readonly Param[];
  readonly locals: Locals;
  readonly returns: boolean;
  readonly body: (scope: Scope<string>) => readonly Code[];
}

/** Defines a function that works through its arguments and gives nothing back. */
export function procedure<Param extends string, Local extends string>(
  params: readonly Param[],
  locals: Locals<Local>,
  body: (scope: Scope<Param | Local>) => readonly Code[],
): WasmFunction<Param> {
  return { params, locals, returns: false, body };
}

/** An instruction after its operands. */
export function op(name: keyof typeof OPCODES, ...operands: readonly Code[]): Code {
  return [operands, opcode(OPCODES[name])];
}

/** Reads or writes memory; the operands are the address and, for writing, the value. */
export function memory(
  name: keyof typeof MEMORY_OPCODES,
  offset: number,
  ...operands: readonly Code[]
): Code {
  return [operands, opcode(MEMORY_OPCODES[name]), 0, unsigned(offset)];
}

/** Writes one of the four 32-bit lanes of a vector to memory. */
export function storeLane(lane: 0 | 1 | 2 | 3, address: Code, value: Code): Code {
  return [address, value, opcode(0x100 + 0x5a), 0, 0, lane];
}

/** The constant i32 `value`. */
export function int(value: number): Code {
  return [0x41, signed(value)];
}

/** The constant vector of 16 bytes. */
export function bytes(values: readonly number[]): Code {
  return [opcode(0x100 + 12), values];
}

/** Picks 16 of the 32 bytes of two vectors. */
export function shuffle(picks: readonly number[], first: Code, second: Code): Code {
  return [first, second, opcode(0x100 + 13), picks];
}

/** Does the steps as long as the condition is not 0. */
export function whileTrue(condition: Code, ...steps: readonly Code[]): Code {
  const leave = [op('i32.eqz', condition), 0x0d, 1];
  return [0x02, NO_TYPE, 0x03, NO_TYPE, leave, steps, 0x0c, 0, END, END];
}

/**
 * Does the steps once, and again as long as the condition is not 0. Unlike in {@link whileTrue}, V8 computes constants before
 * such a loop, not in each round.
 */
export function repeatWhile(condition: Code, ...steps: readonly Code[]): Code {
  return [0x03, NO_TYPE, steps, condition, 0x0d, 0, END];
}

/** Does the steps once if the condition is not 0. */
export function ifTrue(condition: Code, ...steps: readonly Code[]): Code {
  return [condition, 0x04, NO_TYPE, steps, END];
}

/** Gives `value` back from the function. */
export function giveBack(value: Code): Code {
  return [value, 0x0f];
}

/** One of two values: the first if the condition is not 0. */
export function choose(condition: Code, first: Code, second: Code): Code {
  return [first, second, condition, 0x1b];
}

/** The bytes of a module that imports its memory as `host.memory` and exports all its functions. */
export function assemble(
  functions: Readonly<Record<string, WasmFunction>>,
): Uint8Array<ArrayBuffer> {
  const all = Object.entries(functions);
  const indexes = new Map(all.map(([name], index) => [name, index]));
  const code = [
    MAGIC_AND_VERSION,
    section(
      1,
      all.map(([, { params, returns }]) => typeOf(params.length, returns)),
    ),
    section(2, [[text('host'), text('memory'), 2, 0, 1]]),
    section(
      3,
      all.map((_, index) => unsigned(index)),
    ),
    section(
      7,
      all.map(([name], index) => [text(name), 0, unsigned(index)]),
    ),
    section(
      10,
      all.map(([, definition]) => bodyOf(definition, indexes)),
    ),
  ];
  return Uint8Array.from(join(code, []));
}

function typeOf(numParams: number, returns: boolean): Code {
  const params = Array.from({ length: numParams }, () => TYPE_BYTES.i32);
  return [0x60, unsigned(numParams), params, returns ? [1, TYPE_BYTES.i32] : 0];
}

function bodyOf({ params, locals, body }: WasmFunction, indexes: Map<string, number>): Code {
  const { ints, longs = [], vectors } = locals;
  const names = [...params, ...ints, ...longs, ...vectors];
  const variable = (name: string): Code => unsigned(found(name, names.indexOf(name)));
  const code = body({
    get: (name) => [0x20, variable(name)],
    set: (name, value) => [value, 0x21, variable(name)],
    call: (target, ...operands) => {
      return [operands, 0x10, unsigned(found(target, indexes.get(target) ?? -1))];
    },
  });
  const declared = [
    [unsigned(ints.length), TYPE_BYTES.i32],
    [unsigned(longs.length), TYPE_BYTES.i64],
    [unsigned(vectors.length), TYPE_BYTES.v128],
  ];
  return sized([vectorOf(declared), code, END]);
}

function found(name: string, index: number): number {
  if (index < 0) throw new ReferenceError(`internal: no "${name}" in this WebAssembly module`);
  return index;
}

function section(id: number, items: readonly Code[]): Code {
  return [id, sized(vectorOf(items))];
}

function vectorOf(items: readonly Code[]): Code {
  return [unsigned(items.length), items];
}

/** Code behind the number of its bytes. */
function sized(code: Code): Code {
  const content = join(code, []);
  return [unsigned(content.length), content];
}

/** Appends all bytes of code. */
function join(code: Code, bytesSoFar: number[]): number[] {
  for (const part of code) {
    if (typeof part === 'number') bytesSoFar.push(part);
    else join(part, bytesSoFar);
  }
  return bytesSoFar;
}

function text(value: string): Code {
  return [unsigned(value.length), [...Buffer.from(value, 'latin1')]];
}

function opcode(number: number): Code {
  return number < 0x100 ? [number] : [VECTOR_PAGE, unsigned(number - 0x100)];
}

/** LEB128 without sign. */
function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, unsigned(value >>> 7)];
}

/** LEB128 with sign. */
function signed(value: number): Code {
  const low = value & 0x7f;
  const rest = value >> 7;
  const isLast = rest === (low & 0x40 ? -1 : 0);
  return isLast ? [low] : [low | 0x80, signed(rest)];
}
