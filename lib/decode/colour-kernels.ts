/**
 * The loops from brightness and colour differences to RGB, for WebAssembly: 16 pixels at a time.
 *
 * Source: the arithmetic of libjpeg (jdcolor.c), to the bit: coefficients are 16-bit fractions.
 */

import { bytes, int, memory, op, procedure, shuffle, whileTrue } from './wasm-assembler.ts';
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

/** Adding this before cutting 16 bits off rounds. */
const HALF = 1 << 15;

/** What red, green and blue are made of: whole parts that are added, and fractions in 2^-16. */
const CHANNELS = [
  { blue: 0, red: 1, blueFraction: 0, redFraction: 26_345 }, // 1.402 Cr
  { blue: 0, red: -1, blueFraction: -22_554, redFraction: 18_734 }, // -0.344136 Cb - 0.714136 Cr
  { blue: 2, red: 0, blueFraction: -14_942, redFraction: 0 }, // 1.772 Cb
] as const;

/** Makes `count` pixels of brightness and colour differences: RGB, or RGB and a fourth byte of no meaning. */
const defineColourRow = (pixelBytes: 3 | 4): WasmFunction<'y' | 'cb' | 'cr' | 'count' | 'out'> =>
  procedure(
    ['y', 'cb', 'cr', 'count', 'out'],
    {
      ints: ['i'],
      vectors: [
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
      const plane = (name: 'y' | 'cb' | 'cr'): Code =>
        memory('v128.load', 0, op('i32.add', get(name), get('i')));
      const fraction = (pairs: 'pairs0' | 'pairs1', blue: number, red: number): Code =>
        op(
          'i32x4.shr_s',
          op(
            'i32x4.add',
            op(
              'i32x4.dot_i16x8_s',
              get(pairs),
              op('i32x4.splat', int((red << 16) | (blue & 0xffff))),
            ),
            op('i32x4.splat', int(HALF)),
          ),
          int(16),
        );
      const channel = ({
        blue,
        red,
        blueFraction,
        redFraction,
      }: (typeof CHANNELS)[number]): Code => {
        const fractions = op(
          'i16x8.narrow_i32x4_s',
          fraction('pairs0', blueFraction, redFraction),
          fraction('pairs1', blueFraction, redFraction),
        );
        const sum = op('i16x8.add', get('y16'), fractions);
        if (blue === 2) {
          return op('i16x8.add', sum, op('i16x8.add', get('cb16'), get('cb16')));
        }
        return op(red > 0 ? 'i16x8.add' : 'i16x8.sub', sum, get('cr16'));
      };
      const half = (which: 0 | 1): Code[] => {
        const extend = which === 0 ? 'i16x8.extend_low_i8x16_u' : 'i16x8.extend_high_i8x16_u';
        return [
          set('y16', op(extend, plane('y'))),
          set('cb16', centred(op(extend, plane('cb')))),
          set('cr16', centred(op(extend, plane('cr')))),
          set('pairs0', shuffle(INTERLEAVE.words[0], get('cb16'), get('cr16'))),
          set('pairs1', shuffle(INTERLEAVE.words[1], get('cb16'), get('cr16'))),
          set(which === 0 ? 'r0' : 'r1', channel(CHANNELS[0])),
          set(which === 0 ? 'g0' : 'g1', channel(CHANNELS[1])),
          set(which === 0 ? 'b0' : 'b1', channel(CHANNELS[2])),
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
        whileTrue(
          op('i32.lt_s', get('i'), get('count')),
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

/** Colour differences are stored with 128 added. */
function centred(colours: Code): Code {
  return op('i16x8.sub', colours, op('i16x8.splat', int(128)));
}

/** Picks of parts of `size` bytes by turns from two vectors, from byte `start` of each on. */
function interleaved(size: 1 | 2, start: 0 | 8): Picks {
  return Array.from({ length: 16 }, (_, place) => {
    const part = Math.floor(place / size);
    return (part % 2) * 16 + start + Math.floor(part / 2) * size + (place % size);
  });
}
