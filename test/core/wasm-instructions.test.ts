import test from 'ava';
import { createRng } from '../../lib/core/index.ts';
import { int, memory, op, procedure } from '../../lib/core/wasm-assembler.ts';
import type { Code, WasmFunction } from '../../lib/core/wasm-assembler.ts';
import { runWasm } from '../helpers/run-wasm.ts';

type OpName = Parameters<typeof op>[0];
type IntOp = Exclude<Extract<OpName, `i32.${string}`>, 'i32.wrap_i64'>;
type LongOp = Extract<OpName, `i64.${string}`> | 'i32.wrap_i64';
type Lanes = readonly number[];

test('instructions of whole numbers', (t) => {
  const expected: Readonly<Record<IntOp, (a: number, b: number) => number>> = {
    'i32.eqz': (_, b) => Number(b === 0),
    'i32.eq': (a, b) => Number(a === b),
    'i32.ne': (a, b) => Number(a !== b),
    'i32.lt_s': (a, b) => Number(a < b),
    'i32.gt_s': (a, b) => Number(a > b),
    'i32.add': (a, b) => (a + b) | 0,
    'i32.sub': (a, b) => (a - b) | 0,
    'i32.mul': (a, b) => Math.imul(a, b),
    'i32.and': (a, b) => a & b,
    'i32.or': (a, b) => a | b,
    'i32.shl': (a, b) => a << b,
    'i32.shr_s': (a, b) => a >> b,
  };
  const names = Object.keys(expected) as (keyof typeof expected)[];
  const define = (name: OpName): WasmFunction => ({
    params: ['a', 'b'],
    locals: { ints: [], vectors: [] },
    returns: true,
    body: ({ get }) => [op(name, ...(name === 'i32.eqz' ? [] : [get('a')]), get('b'))],
  });
  const { call } = runWasm(Object.fromEntries(names.map((name) => [name, define(name)])));
  const values = [0, 1, -1, 5, 31, 32, 2 ** 31 - 1, -(2 ** 31), 123_456_789, -987_654_321];
  for (const name of names) {
    for (const a of values) {
      for (const b of values) t.is(call(name, a, b), expected[name](a, b), `${name} ${a} ${b}`);
    }
  }
});

test('instructions of long numbers', (t) => {
  const held = memory('i64.load', 0, int(16));
  const value = (name: 'a' | 'n'): ((scope: { get: (name: string) => Code }) => Code) => {
    return ({ get }) => op('i64.extend_i32_u', get(name));
  };
  const define = (make: (scope: { get: (name: string) => Code }) => Code): WasmFunction => ({
    params: ['a', 'n'],
    locals: { ints: [], longs: ['bits'], vectors: [] },
    returns: true,
    body: (scope) => [
      scope.set('bits', make(scope)),
      op('i32.wrap_i64', op('i64.shr_u', scope.get('bits'), value('n')(scope))),
    ],
  });
  const wasm = runWasm({
    load: define(() => held),
    or: define((scope) => op('i64.or', held, value('a')(scope))),
    shl: define((scope) => op('i64.shl', held, value('a')(scope))),
    extend: define((scope) => value('a')(scope)),
  });
  const bits = 0xfe_dc_ba_98_76_54_32_10n;
  wasm.memory.setBigUint64(16, bits, true);
  const seenAt = (long: bigint, n: number): number =>
    Number(BigInt.asIntN(32, BigInt.asUintN(64, long) >> BigInt(n)));
  for (const n of [0, 1, 7, 31, 32, 33, 63]) {
    for (const a of [0, 1, 12, 31, 63]) {
      t.is(wasm.call('load', a, n), seenAt(bits, n));
      t.is(wasm.call('or', a, n), seenAt(bits | BigInt(a), n));
      t.is(wasm.call('shl', a, n), seenAt(bits << BigInt(a), n));
    }
    t.is(wasm.call('extend', -5, n), seenAt(BigInt.asUintN(32, -5n), n));
  }
});

type VectorOp = Exclude<OpName, IntOp | LongOp | 'v128.any_true'>;
type Width = 8 | 16 | 32;

/** Splits 16 bytes, or puts numbers together, cut to their width. */
function lanesOf(data: Lanes, width: Width, isSigned: boolean): number[] {
  const view = new DataView(Uint8Array.from(data).buffer);
  return Array.from({ length: 128 / width }, (_, i) => {
    const place = (i * width) / 8;
    if (width === 8) return isSigned ? view.getInt8(place) : view.getUint8(place);
    if (width === 16) return isSigned ? view.getInt16(place, true) : view.getUint16(place, true);
    return view.getInt32(place, true);
  });
}

function joined(lanes: Lanes, width: Width): number[] {
  const arrays = { 8: Uint8Array, 16: Uint16Array, 32: Uint32Array };
  return [...new Uint8Array(arrays[width].from(lanes.map((lane) => lane >>> 0)).buffer)];
}

/** What an instruction makes of lanes of two vectors, or of one and a number. */
function lanewise(
  width: Width,
  each: (a: number, b: number, n: number) => number,
  isSigned = true,
) {
  return (a: Lanes, b: Lanes, n: number): number[] => {
    const others = lanesOf(b, width, isSigned);
    return joined(
      lanesOf(a, width, isSigned).map((lane, i) => each(lane, others[i]!, n)),
      width,
    );
  };
}

/** What an instruction makes of numbers of two vectors. */
function numberwise(
  Kind: typeof Float32Array | typeof Float64Array,
  each: (a: number, b: number) => number,
) {
  return (a: Lanes, b: Lanes): number[] => {
    const [first, second] = [a, b].map((data) =>
      Array.from(new Kind(Uint8Array.from(data).buffer)),
    );
    return bytesOf(new Kind(first!.map((value, i) => each(value, second![i]!))));
  };
}

function bytesOf(numbers: Float32Array | Float64Array): number[] {
  return [...new Uint8Array(numbers.buffer)];
}

/** A result as it is compared: as numbers, since those that are none have bytes of many kinds. */
function seen(name: string, data: Lanes): number[] {
  const { buffer } = Uint8Array.from(data);
  if (name.startsWith('f32')) return [...new Float32Array(buffer)];
  return name.startsWith('f64') ? [...new Float64Array(buffer)] : [...data];
}

const clamp = (value: number, least: number, most: number): number =>
  Math.max(least, Math.min(most, value));

const VECTOR_OPS: Readonly<
  Record<
    VectorOp,
    readonly ['vectors' | 'one' | 'shift' | 'number', (a: Lanes, b: Lanes, n: number) => number[]]
  >
> = {
  'i8x16.swizzle': ['vectors', (a, b) => b.map((place) => a[place] ?? 0)],
  'i8x16.splat': ['number', lanewise(8, (_a, _b, n) => n)],
  'i16x8.splat': ['number', lanewise(16, (_a, _b, n) => n)],
  'i32x4.splat': ['number', lanewise(32, (_a, _b, n) => n)],
  'i8x16.eq': ['vectors', lanewise(8, (a, b) => (a === b ? -1 : 0))],
  'i8x16.ne': ['vectors', lanewise(8, (a, b) => (a === b ? 0 : -1))],
  'v128.and': ['vectors', lanewise(32, (a, b) => a & b)],
  'v128.or': ['vectors', lanewise(32, (a, b) => a | b)],
  'v128.xor': ['vectors', lanewise(32, (a, b) => a ^ b)],
  'i8x16.narrow_i16x8_u': [
    'vectors',
    (a, b) => [...lanesOf(a, 16, true), ...lanesOf(b, 16, true)].map((lane) => clamp(lane, 0, 255)),
  ],
  'i16x8.narrow_i32x4_s': [
    'vectors',
    (a, b) => {
      const lanes = [...lanesOf(a, 32, true), ...lanesOf(b, 32, true)];
      return joined(
        lanes.map((lane) => clamp(lane, -32_768, 32_767)),
        16,
      );
    },
  ],
  'i16x8.q15mulr_sat_s': [
    'vectors',
    lanewise(16, (a, b) => Math.min(32_767, (a * b + 0x4000) >> 15)),
  ],
  'i16x8.extend_low_i8x16_u': ['one', (a) => joined(a.slice(0, 8), 16)],
  'i16x8.extend_high_i8x16_u': ['one', (a) => joined(a.slice(8), 16)],
  'i16x8.shl': ['shift', lanewise(16, (a, _, n) => a << (n % 16))],
  'i16x8.shr_s': ['shift', lanewise(16, (a, _, n) => a >> (n % 16))],
  'i16x8.shr_u': ['shift', lanewise(16, (a, _, n) => a >> (n % 16), false)],
  'i16x8.add': ['vectors', lanewise(16, (a, b) => a + b)],
  'i16x8.mul': ['vectors', lanewise(16, (a, b) => Math.imul(a, b))],
  'i32x4.shl': ['shift', lanewise(32, (a, _, n) => a << n)],
  'i32x4.shr_s': ['shift', lanewise(32, (a, _, n) => a >> n)],
  'i32x4.add': ['vectors', lanewise(32, (a, b) => a + b)],
  'f32x4.demote_f64x2_zero': [
    'one',
    (a) => bytesOf(Float32Array.of(...new Float64Array(Uint8Array.from(a).buffer), 0, 0)),
  ],
  'f32x4.convert_i32x4_s': ['one', (a) => bytesOf(Float32Array.from(lanesOf(a, 32, true)))],
  'f32x4.sqrt': ['one', numberwise(Float32Array, (a) => Math.sqrt(a))],
  'f32x4.add': ['vectors', numberwise(Float32Array, (a, b) => a + b)],
  'f32x4.sub': ['vectors', numberwise(Float32Array, (a, b) => a - b)],
  'f32x4.mul': ['vectors', numberwise(Float32Array, (a, b) => a * b)],
  'f32x4.div': ['vectors', numberwise(Float32Array, (a, b) => a / b)],
  'f64x2.sqrt': ['one', numberwise(Float64Array, (a) => Math.sqrt(a))],
  'f64x2.add': ['vectors', numberwise(Float64Array, (a, b) => a + b)],
  'f64x2.sub': ['vectors', numberwise(Float64Array, (a, b) => a - b)],
  'f64x2.mul': ['vectors', numberwise(Float64Array, (a, b) => a * b)],
  'f64x2.div': ['vectors', numberwise(Float64Array, (a, b) => a / b)],
  'f64x2.convert_low_i32x4_s': [
    'one',
    (a) => bytesOf(Float64Array.from(lanesOf(a, 32, true).slice(0, 2))),
  ],
  'f64x2.convert_low_i32x4_u': [
    'one',
    (a) => bytesOf(Float64Array.from(lanesOf(a, 32, true).slice(0, 2), (lane) => lane >>> 0)),
  ],
  'i32x4.sub': ['vectors', lanewise(32, (a, b) => a - b)],
  'i8x16.narrow_i16x8_s': [
    'vectors',
    (a, b) =>
      [...lanesOf(a, 16, true), ...lanesOf(b, 16, true)].map(
        (lane) => clamp(lane, -128, 127) & 255,
      ),
  ],
  'i32x4.dot_i16x8_s': [
    'vectors',
    (a, b) => {
      const others = lanesOf(b, 16, true);
      const products = lanesOf(a, 16, true).map((lane, i) => Math.imul(lane, others[i]!));
      return joined(
        [0, 2, 4, 6].map((i) => products[i]! + products[i + 1]!),
        32,
      );
    },
  ],
};

test('instructions of vectors', (t) => {
  const names = Object.keys(VECTOR_OPS) as VectorOp[];
  const [first, second] = [16, 32].map((place) => memory('v128.load', 0, int(place))) as [
    Code,
    Code,
  ];
  const define = (name: VectorOp): WasmFunction =>
    procedure(['n'], { ints: [], vectors: [] }, ({ get }) => {
      const operands = {
        vectors: [first, second],
        one: [first],
        shift: [first, get('n')],
        number: [get('n')],
      };
      return [memory('v128.store', 0, int(48), op(name, ...operands[VECTOR_OPS[name][0]]))];
    });
  const wasm = runWasm(Object.fromEntries(names.map((name) => [name, define(name)])));
  const data = new Uint8Array(wasm.memory.buffer);
  const rng = createRng(1, 'vectors');
  for (const name of names) {
    for (let round = 0; round < 40; round++) {
      const randomLanes = (): number[] =>
        Array.from({ length: 16 }, () =>
          round % 4 === 0 ? [0, 127, 128, 255][rng.integer(0, 4)]! : rng.integer(0, 256),
        );
      const [a, b] = [randomLanes(), randomLanes()];
      if (name === 'i8x16.swizzle') b.splice(0, 12, ...b.slice(0, 12).map((pick) => pick % 20));
      data.set(a, 16);
      data.set(b, 32);
      const n = rng.integer(0, 40);
      wasm.call(name, n);
      const expected = VECTOR_OPS[name][1](a, b, n);
      t.deepEqual(seen(name, [...data.subarray(48, 64)]), seen(name, expected), name);
    }
  }
});
