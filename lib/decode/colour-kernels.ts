/**
 * The loops from brightness and colour differences to RGB, for WebAssembly: 16 pixels at a time.
 *
 * Source: the arithmetic of libjpeg (jdcolor.c), to the bit: coefficients are 16-bit fractions.
 */

import { bytes, int, memory, op, procedure, shuffle, repeatWhile } from './wasm-assembler.ts';
import type { Code, WasmFunction } from './wasm-assembler.ts';

/** Neighbouring bytes, words or double words of two vectors, one by one: first and second halves. */
export const INTERLEAVE: Readonly<Record<'bytes' | 'words', readonly [Picks, Picks]>> = {
  bytes: [interleaved(1, 0), interleaved(1, 8)],
  words: [interleaved(2, 0), interleaved(2, 8)],
};
type Picks = readonly number[];

/** Takes RGB out of four pixels of four bytes; the last 4 of 16 bytes become 0. */
export const DROP_FOURTH: Code = bytes([
  0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 255, 255, 255, 255,
]);

/** What each channel adds to brightness: whole parts of Cb and Cr, and fractions in 2^-16. */
const CHANNELS = {
  r: { wholeCb: 0, wholeCr: 1, cb: 0, cr: 26_345 }, // 1.402 Cr
  g: { wholeCb: 0, wholeCr: -1, cb: -22_554, cr: 18_734 }, // -0.344136 Cb - 0.714136 Cr
  b: { wholeCb: 2, wholeCr: 0, cb: -14_942, cr: 0 }, // 1.772 Cb
} as const;
type Channel = keyof typeof CHANNELS;

const FRACTION_BITS = 16;
/** Cb and Cr are stored with this added. */
const CENTRE = 128;

/** Makes `count` pixels of brightness and colour differences: RGB, or RGB and a fourth byte of no meaning. */
const defineColourRow = (pixelBytes: 3 | 4): WasmFunction<'y' | 'cb' | 'cr' | 'count' | 'out'> =>
  procedure(
    ['y', 'cb', 'cr', 'count', 'out'],
    {
      ints: ['i'],
      vectors: [
        'y8',
        'cb8',
        'cr8',
        'y16',
        'cb16',
        'cr16',
        'pairs0',
        'pairs1',
        'r0',
        'g0',
        'b0',
        'r1',
        'g1',
        'b1',
        'rg',
        'bx',
      ],
    },
    ({ get, set }) => {
      const fraction = (pairs: 'pairs0' | 'pairs1', channel: Channel): Code => {
        const { wholeCb, wholeCr, cb, cr } = CHANNELS[channel];
        const centre = CENTRE * (cb + cr + ((wholeCb + wholeCr) << FRACTION_BITS));
        const half = 1 << (FRACTION_BITS - 1); // to round
        const coefficients = op('i32x4.splat', int((cr << 16) | (cb & 0xffff)));
        return op(
          'i32x4.shr_s',
          op(
            'i32x4.add',
            op('i32x4.dot_i16x8_s', get(pairs), coefficients),
            op('i32x4.splat', int(half - centre)),
          ),
          int(FRACTION_BITS),
        );
      };
      const value = (channel: Channel): Code => {
        const { wholeCb, wholeCr } = CHANNELS[channel];
        const fractions = op(
          'i16x8.narrow_i32x4_s',
          fraction('pairs0', channel),
          fraction('pairs1', channel),
        );
        const sum = op('i16x8.add', get('y16'), fractions);
        if (wholeCb === 2) return op('i16x8.add', sum, op('i16x8.shl', get('cb16'), int(1)));
        return op(wholeCr === 1 ? 'i16x8.add' : 'i16x8.sub', sum, get('cr16'));
      };
      const load = (name: 'y' | 'cb' | 'cr'): Code =>
        set(`${name}8`, memory('v128.load', 0, op('i32.add', get(name), get('i'))));
      const half = (which: 0 | 1): Code[] => {
        const extend = which === 0 ? 'i16x8.extend_low_i8x16_u' : 'i16x8.extend_high_i8x16_u';
        return [
          set('y16', op(extend, get('y8'))),
          set('cb16', op(extend, get('cb8'))),
          set('cr16', op(extend, get('cr8'))),
          set('pairs0', shuffle(INTERLEAVE.words[0], get('cb16'), get('cr16'))),
          set('pairs1', shuffle(INTERLEAVE.words[1], get('cb16'), get('cr16'))),
          set(`r${which}`, value('r')),
          set(`g${which}`, value('g')),
          set(`b${which}`, value('b')),
        ];
      };
      const write = (place: number, picks: Picks): Code => {
        const quad = shuffle(picks, get('rg'), get('bx'));
        const pixels = pixelBytes === 4 ? quad : op('i8x16.swizzle', quad, DROP_FOURTH);
        return memory('v128.store', place * 4 * pixelBytes, get('out'), pixels);
      };
      const eightPixels = (which: 0 | 1): Code[] => {
        const picks = INTERLEAVE.bytes[which];
        return [
          set('rg', shuffle(picks, get('r0'), get('g0'))),
          set('bx', shuffle(picks, get('b0'), get('b0'))),
          write(which * 2, INTERLEAVE.words[0]),
          write(which * 2 + 1, INTERLEAVE.words[1]),
        ];
      };
      return [
        repeatWhile(
          op('i32.lt_s', get('i'), get('count')),
          load('y'),
          load('cb'),
          load('cr'),
          ...half(0),
          ...half(1),
          set('r0', op('i8x16.narrow_i16x8_u', get('r0'), get('r1'))),
          set('g0', op('i8x16.narrow_i16x8_u', get('g0'), get('g1'))),
          set('b0', op('i8x16.narrow_i16x8_u', get('b0'), get('b1'))),
          ...eightPixels(0),
          ...eightPixels(1),
          set('out', op('i32.add', get('out'), int(16 * pixelBytes))),
          set('i', op('i32.add', get('i'), int(16))),
        ),
      ];
    },
  );

/** One row of pixels of three bytes. */
export const colourRow: WasmFunction<'y' | 'cb' | 'cr' | 'count' | 'out'> = defineColourRow(3);
/** One row of pixels of four bytes. */
export const colourRowWide: WasmFunction<'y' | 'cb' | 'cr' | 'count' | 'out'> = defineColourRow(4);

/** Picks of parts of `size` bytes by turns from two vectors, from byte `start` of each on. */
function interleaved(size: 1 | 2, start: 0 | 8): Picks {
  return Array.from({ length: 16 }, (_, place) => {
    const part = Math.floor(place / size);
    return (part % 2) * 16 + start + Math.floor(part / 2) * size + (place % size);
  });
}
