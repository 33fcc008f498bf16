/**
 * The loops from bytes to numbers as the network sees them, for WebAssembly. Colour is the fastest axis; twelve values at a time
 * are four pixels, or three vectors of four numbers, or six of two.
 *
 * Source: our own code.
 */

import { bytes, int, memory, op, procedure, repeatWhile, shuffle } from '../core/index.ts';
import type { Code, WasmFunction } from '../core/index.ts';

/** Values that the loops take at a time; up to so many beyond the end are read, and written. */
export const VALUES_AT_A_TIME = 12;
/** Bytes of twelve numbers. */
const STEP_BYTES = 48;
const VECTORS = [0, 1, 2] as const;
const PAIRS = [0, 1, 2, 3, 4, 5] as const;
/** The doubles 1, 1. */
const ONE = bytes([0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);

const LINE_PARAMS = ['source', 'count', 'lines', 'out'] as const;
const TOKEN_PARAMS = ['source', 'numTokens', 'stride', 'tokenBytes', 'constants', 'out'] as const;

/** Some of sixteen bytes as numbers of 32 bits. */
function widened(pixels: Code, first: number, count: 2 | 4): Code {
  const picks = Array.from({ length: 16 }, (_, place) =>
    place % 4 === 0 && place < count * 4 ? first + place / 4 : 255,
  );
  return op('i8x16.swizzle', pixels, bytes(picks));
}

/** Four of the eight 32-bit lanes of two vectors. */
function lanes(picks: readonly [number, number, number, number], first: Code, second: Code): Code {
  const places = picks.flatMap((pick) => [0, 1, 2, 3].map((byte) => pick * 4 + byte));
  return shuffle(places, first, second);
}

/**
 * `byte * slope + shift` of `count` bytes, each step rounded to float32. At `lines` are twelve slopes and then twelve shifts,
 * float32.
 */
export const drawLines: WasmFunction<(typeof LINE_PARAMS)[number]> = procedure(
  LINE_PARAMS,
  {
    ints: ['end'],
    vectors: ['pixels', 'slope0', 'slope1', 'slope2', 'shift0', 'shift1', 'shift2'],
  },
  ({ get, set }) => {
    const value = (vector: 0 | 1 | 2): Code =>
      op(
        'f32x4.add',
        op(
          'f32x4.mul',
          op('f32x4.convert_i32x4_s', widened(get('pixels'), vector * 4, 4)),
          get(`slope${vector}`),
        ),
        get(`shift${vector}`),
      );
    return [
      ...VECTORS.flatMap((vector) => [
        set(`slope${vector}`, memory('v128.load', vector * 16, get('lines'))),
        set(`shift${vector}`, memory('v128.load', STEP_BYTES + vector * 16, get('lines'))),
      ]),
      set('end', op('i32.add', get('source'), get('count'))),
      repeatWhile(
        op('i32.lt_s', get('source'), get('end')),
        set('pixels', memory('v128.load', 0, get('source'))),
        ...VECTORS.map((vector) => memory('v128.store', vector * 16, get('out'), value(vector))),
        set('source', op('i32.add', get('source'), int(VALUES_AT_A_TIME))),
        set('out', op('i32.add', get('out'), int(STEP_BYTES))),
      ),
    ];
  },
);

/**
 * Normalises the three channels of each token, in double precision up to the result. Tokens start every `stride` bytes, a
 * multiple of twelve, with zeros behind their end; results follow each other without gaps. At `constants` are pairs of doubles:
 * the pixels of a token n, n (n - 1), and what is added to deviations.
 *
 * Sums are exact: those of squares stay below 2^32 for up to 66,051 pixels.
 */
export const normaliseTokens: WasmFunction<(typeof TOKEN_PARAMS)[number]> = procedure(
  TOKEN_PARAMS,
  {
    ints: ['at', 'end', 'to'],
    vectors: [
      'pixels',
      'values',
      'sum0',
      'sum1',
      'sum2',
      'square0',
      'square1',
      'square2',
      'count',
      'sums',
      'mean0',
      'mean1',
      'mean2',
      'factor0',
      'factor1',
      'factor2',
    ],
  },
  ({ get, set }) => {
    const constant = (index: 0 | 1 | 2): Code => memory('v128.load', index * 16, get('constants'));
    const add = (name: 'at' | 'to' | 'source' | 'out', step: Code): Code =>
      set(name, op('i32.add', get(name), step));
    const accumulate = VECTORS.flatMap((vector) => [
      set('values', widened(get('pixels'), vector * 4, 4)),
      set(`sum${vector}`, op('i32x4.add', get(`sum${vector}`), get('values'))),
      set(
        `square${vector}`,
        op(
          'i32x4.add',
          get(`square${vector}`),
          op('i32x4.dot_i16x8_s', get('values'), get('values')),
        ),
      ),
    ]);
    // Lanes are RGBR, GBRG and BRGB.
    const total = (name: 'sum' | 'square'): Code => {
      const [first, second, third] = [get(`${name}0`), get(`${name}1`), get(`${name}2`)];
      const fourth = lanes([0, 1, 7, 7], lanes([3, 7, 7, 7], first, second), third);
      return op(
        'i32x4.add',
        op('i32x4.add', first, lanes([2, 0, 1, 3], second, second)),
        op('i32x4.add', lanes([1, 2, 0, 3], third, third), fourth),
      );
    };
    const asDoubles = (name: 'sum0' | 'square0', isBlue: boolean): Code => {
      const pair = isBlue ? lanes([2, 2, 2, 2], get(name), get(name)) : get(name);
      return op('f64x2.convert_low_i32x4_u', pair);
    };
    /** Mean, and one by the unbiased deviation, of red and green or twice of blue. */
    const measure = (place: 0 | 1): Code[] => {
      const [sums, squares] = [asDoubles('sum0', place === 1), asDoubles('square0', place === 1)];
      const variance = op(
        'f64x2.div',
        op(
          'f64x2.sub',
          op('f64x2.mul', get('count'), squares),
          op('f64x2.mul', get('sums'), get('sums')),
        ),
        constant(1),
      );
      return [
        set('sums', sums),
        set(`mean${place}`, op('f64x2.div', get('sums'), get('count'))),
        set(
          `factor${place}`,
          op('f64x2.div', ONE, op('f64x2.add', op('f64x2.sqrt', variance), constant(2))),
        ),
      ];
    };
    // From red and green, and blue, to the pairs that follow each other: RG, BR, GB.
    const pairUp = (name: 'mean' | 'factor'): Code[] => [
      set(`${name}2`, lanes([2, 3, 4, 5], get(`${name}0`), get(`${name}1`))),
      set(`${name}1`, lanes([4, 5, 0, 1], get(`${name}0`), get(`${name}1`))),
    ];
    const results = PAIRS.map((pair) => {
      const [mean, factor] = [`mean${pair % 3}`, `factor${pair % 3}`] as ['mean0', 'factor0'];
      const doubles = op('f64x2.convert_low_i32x4_s', widened(get('pixels'), pair * 2, 2));
      const centred = op('f64x2.sub', doubles, get(mean));
      return op('f32x4.demote_f64x2_zero', op('f64x2.mul', centred, get(factor)));
    });
    const write = VECTORS.map((vector) => {
      const [first = [], second = []] = results.slice(vector * 2);
      return memory('v128.store', vector * 16, get('to'), lanes([0, 1, 4, 5], first, second));
    });
    const forAllPixels = (...steps: readonly Code[]): Code[] => [
      set('at', get('source')),
      repeatWhile(
        op('i32.lt_s', get('at'), get('end')),
        set('pixels', memory('v128.load', 0, get('at'))),
        ...steps,
        add('at', int(VALUES_AT_A_TIME)),
      ),
    ];
    return [
      set('count', constant(0)),
      repeatWhile(
        get('numTokens'),
        set('end', op('i32.add', get('source'), get('tokenBytes'))),
        ...(['sum', 'square'] as const).flatMap((name) =>
          VECTORS.map((vector) => set(`${name}${vector}`, op('i32x4.splat', int(0)))),
        ),
        ...forAllPixels(...accumulate),
        set('sum0', total('sum')),
        set('square0', total('square')),
        ...measure(0),
        ...measure(1),
        ...pairUp('mean'),
        ...pairUp('factor'),
        set('to', get('out')),
        ...forAllPixels(...write, add('to', int(STEP_BYTES))),
        add('source', get('stride')),
        add('out', op('i32.shl', get('tokenBytes'), int(2))),
        set('numTokens', op('i32.sub', get('numTokens'), int(1))),
      ),
    ];
  },
);
