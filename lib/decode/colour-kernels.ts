/**
 * The loops from brightness and colour differences to RGB, for WebAssembly: 16 pixels at a time.
 *
 * Source: the colours of JFIF 1.02. Differs from libjpeg by one level in one value of a hundred: words are enough, and cost half.
 */

import { bytes, int, memory, op, procedure, shuffle, repeatWhile } from '../core/index.ts';
import type { Code, WasmFunction } from '../core/index.ts';

/** Bytes or words of two vectors by turns: of their first halves, and of their second halves. */
export const INTERLEAVE: Readonly<Record<'bytes' | 'words', readonly [Picks, Picks]>> = {
  bytes: [interleaved(1, 0), interleaved(1, 8)],
  words: [interleaved(2, 0), interleaved(2, 8)],
};
type Picks = readonly number[];

/** Takes RGB out of four pixels of four bytes; the last 4 of 16 bytes become 0. */
export const DROP_FOURTH: Code = bytes([
  0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 255, 255, 255, 255,
]);

/** Brightness and channels are computed in 2^-6, colour differences in 2^-8, products in 2^-15. */
const FRACTION_BITS = 6;
const COLOUR_BITS = 8;
const CENTRE = op('i8x16.splat', int(0x80));

/** What each channel adds to brightness, as products of Cb and Cr. */
const CHANNELS = {
  r: [['cr16', 1.402]],
  g: [
    ['cb16', -0.344_136],
    ['cr16', -0.714_136],
  ],
  b: [['cb16', 1.772]],
} as const;
type Channel = keyof typeof CHANNELS;

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
      const load = (name: 'y' | 'cb' | 'cr'): Code =>
        memory('v128.load', 0, op('i32.add', get(name), get('i')));
      const value = (channel: Channel): Code => {
        let sum = get('y16');
        for (const [name, factor] of CHANNELS[channel]) {
          const fraction = Math.round(factor * 2 ** (15 + FRACTION_BITS - COLOUR_BITS));
          const product = op('i16x8.q15mulr_sat_s', get(name), op('i16x8.splat', int(fraction)));
          sum = op('i16x8.add', sum, product);
        }
        return op('i16x8.shr_s', sum, int(FRACTION_BITS));
      };
      const half = (which: 0 | 1): Code[] => {
        const picks = INTERLEAVE.bytes[which];
        const nothing = op('i8x16.splat', int(0));
        return [
          // The half in the lower byte rounds.
          set(
            'y16',
            op('i16x8.shr_u', shuffle(picks, CENTRE, get('y8')), int(COLOUR_BITS - FRACTION_BITS)),
          ),
          set('cb16', shuffle(picks, nothing, get('cb8'))),
          set('cr16', shuffle(picks, nothing, get('cr8'))),
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
          set('y8', load('y')),
          set('cb8', op('v128.xor', load('cb'), CENTRE)), // signed
          set('cr8', op('v128.xor', load('cr'), CENTRE)),
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
