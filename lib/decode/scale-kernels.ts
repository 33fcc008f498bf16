/**
 * The loops that scale RGB, for WebAssembly; weights are 22-bit fractions, as sums of a high part in 2^-11 and a low part, since
 * the instruction multiplies words.
 *
 * Source: the arithmetic of Pillow's `resize` on 8-bit pictures, to the bit: columns first, rounded to bytes after each direction.
 */

import { WEIGHT_BITS } from '../core/index.ts';
import { DROP_FOURTH, INTERLEAVE } from './colour-kernels.ts';
import {
  bytes,
  int,
  memory,
  op,
  procedure,
  repeatWhile,
  shuffle,
  storeLane,
  whileTrue,
} from '../core/index.ts';
import type { Code, WasmFunction } from '../core/index.ts';

/** Bits of the low part of a weight. */
export const LOW_BITS = 11;
const HALF = 1 << (WEIGHT_BITS - 1);

/** Words of two neighbouring pixels of four bytes side by side. */
const PIXEL_PAIR = bytes([0, 255, 4, 255, 1, 255, 5, 255, 2, 255, 6, 255, 3, 255, 7, 255]);

/** Rows that are scaled at a time, since they share weights. */
export const ROWS_AT_A_TIME = 4;
const LINES = [0, 1, 2, 3] as const;

const ROW_PARAMS = [
  'source',
  'sourceStride',
  'height',
  'starts',
  'weights',
  'pairs',
  'width',
  'out',
] as const;

const COLUMN_PARAMS = [
  'source',
  'stride',
  'starts',
  'weights',
  'pairs',
  'width',
  'height',
  'out',
] as const;

/** The sum of weighted pixels from its two parts, rounded to a whole number. */
function total(high: Code, low: Code): Code {
  return op(
    'i32x4.shr_s',
    op('i32x4.add', op('i32x4.shl', high, int(LOW_BITS)), low),
    int(WEIGHT_BITS),
  );
}

/** Adds products of pairs of words to a sum. */
function addProducts(sum: Code, pairs: Code, weights: Code): Code {
  return op('i32x4.add', sum, op('i32x4.dot_i16x8_s', pairs, weights));
}

/**
 * Scales rows of pixels of four bytes to `width`, four rows at a time, up to three more than `height`. `starts` has the offset in
 * bytes of the first source pixel of each result; `weights` has for each result and each pair of source pixels the high parts
 * and the low parts, 4 words.
 */
export const scaleRows: WasmFunction<(typeof ROW_PARAMS)[number]> = procedure(
  ROW_PARAMS,
  {
    ints: ['x', 'from', 'at', 'pair', 'outStride', 'source1', 'source2', 'source3', 'to'],
    vectors: [
      'pixels',
      'highWeights',
      'lowWeights',
      'high0',
      'high1',
      'high2',
      'high3',
      'low0',
      'low1',
      'low2',
      'low3',
    ],
  },
  ({ get, set }) => {
    const add = (name: 'x' | 'from' | 'at' | 'pair' | 'out', step: number): Code =>
      set(name, op('i32.add', get(name), int(step)));
    const lineOf = (line: 0 | 1 | 2 | 3): Code => get(line === 0 ? 'source' : `source${line}`);
    const words = (a: 0 | 2, b: 1 | 3): Code =>
      op(
        'i16x8.narrow_i32x4_s',
        total(get(`high${a}`), get(`low${a}`)),
        total(get(`high${b}`), get(`low${b}`)),
      );
    return [
      set('outStride', op('i32.shl', get('width'), int(2))),
      whileTrue(
        op('i32.gt_s', get('height'), int(0)),
        set('source1', op('i32.add', get('source'), get('sourceStride'))),
        set('source2', op('i32.add', get('source1'), get('sourceStride'))),
        set('source3', op('i32.add', get('source2'), get('sourceStride'))),
        set('x', int(0)),
        set('at', get('weights')),
        repeatWhile(
          op('i32.lt_s', get('x'), get('width')),
          set(
            'from',
            memory('i32.load', 0, op('i32.add', get('starts'), op('i32.shl', get('x'), int(2)))),
          ),
          ...LINES.flatMap((line) => [
            set(`high${line}`, op('i32x4.splat', int(0))),
            set(`low${line}`, op('i32x4.splat', int(HALF))),
          ]),
          set('pair', get('pairs')),
          repeatWhile(
            get('pair'),
            set('highWeights', memory('v128.load32_splat', 0, get('at'))),
            set('lowWeights', memory('v128.load32_splat', 4, get('at'))),
            ...LINES.flatMap((line) => [
              set(
                'pixels',
                op(
                  'i8x16.swizzle',
                  memory('v128.load', 0, op('i32.add', lineOf(line), get('from'))),
                  PIXEL_PAIR,
                ),
              ),
              set(
                `high${line}`,
                addProducts(get(`high${line}`), get('pixels'), get('highWeights')),
              ),
              set(`low${line}`, addProducts(get(`low${line}`), get('pixels'), get('lowWeights'))),
            ]),
            add('from', 8),
            add('at', 8),
            add('pair', -1),
          ),
          set('pixels', op('i8x16.narrow_i16x8_u', words(0, 1), words(2, 3))),
          set('to', get('out')),
          ...LINES.flatMap((line) => [
            storeLane(line, get('to'), get('pixels')),
            set('to', op('i32.add', get('to'), get('outStride'))),
          ]),
          add('out', 4),
          add('x', 1),
        ),
        set('out', op('i32.add', get('out'), op('i32.mul', get('outStride'), int(3)))),
        set('source', op('i32.add', get('source3'), get('sourceStride'))),
        set('height', op('i32.sub', get('height'), int(ROWS_AT_A_TIME))),
      ),
    ];
  },
);

/**
 * Scales columns of pixels of four bytes to `height` rows of RGB. `starts` has the offset in bytes of the first source row of each
 * result; `weights` has for each result and each pair of source rows the high parts and the low parts, 4 words. May write 16
 * bytes beyond the end of `out`.
 */
export const scaleColumns: WasmFunction<(typeof COLUMN_PARAMS)[number]> = procedure(
  COLUMN_PARAMS,
  {
    ints: ['x', 'y', 'from', 'at', 'pair', 'rowWeights', 'line'],
    vectors: [
      'first',
      'second',
      'rows',
      'highWeights',
      'lowWeights',
      'high0',
      'high1',
      'high2',
      'high3',
      'low0',
      'low1',
      'low2',
      'low3',
    ],
  },
  ({ get, set }) => {
    const pixels = [0, 1, 2, 3] as const;
    const pixelsOf = (which: 0 | 1): Code[] => [
      set('rows', shuffle(INTERLEAVE.bytes[which], get('first'), get('second'))),
      ...pixels.slice(which * 2, which * 2 + 2).flatMap((pixel) => {
        const words = op(
          pixel % 2 === 0 ? 'i16x8.extend_low_i8x16_u' : 'i16x8.extend_high_i8x16_u',
          get('rows'),
        );
        return [
          set(`high${pixel}`, addProducts(get(`high${pixel}`), words, get('highWeights'))),
          set(`low${pixel}`, addProducts(get(`low${pixel}`), words, get('lowWeights'))),
        ];
      }),
    ];
    const words = (a: 0 | 2, b: 1 | 3): Code =>
      op(
        'i16x8.narrow_i32x4_s',
        total(get(`high${a}`), get(`low${a}`)),
        total(get(`high${b}`), get(`low${b}`)),
      );
    return [
      whileTrue(
        op('i32.lt_s', get('y'), get('height')),
        set(
          'line',
          op(
            'i32.add',
            get('source'),
            memory('i32.load', 0, op('i32.add', get('starts'), op('i32.shl', get('y'), int(2)))),
          ),
        ),
        set('x', int(0)),
        repeatWhile(
          op('i32.lt_s', get('x'), get('width')),
          ...pixels.flatMap((pixel) => [
            set(`high${pixel}`, op('i32x4.splat', int(0))),
            set(`low${pixel}`, op('i32x4.splat', int(HALF))),
          ]),
          set('from', op('i32.add', get('line'), op('i32.shl', get('x'), int(2)))),
          set('at', get('rowWeights')),
          set('pair', get('pairs')),
          repeatWhile(
            get('pair'),
            set('first', memory('v128.load', 0, get('from'))),
            set('second', memory('v128.load', 0, op('i32.add', get('from'), get('stride')))),
            set(
              'highWeights',
              memory('v128.load32_splat', 0, op('i32.add', get('weights'), get('at'))),
            ),
            set(
              'lowWeights',
              memory('v128.load32_splat', 4, op('i32.add', get('weights'), get('at'))),
            ),
            ...pixelsOf(0),
            ...pixelsOf(1),
            set('from', op('i32.add', get('from'), op('i32.shl', get('stride'), int(1)))),
            set('at', op('i32.add', get('at'), int(8))),
            set('pair', op('i32.sub', get('pair'), int(1))),
          ),
          memory(
            'v128.store',
            0,
            op(
              'i32.add',
              get('out'),
              op('i32.mul', op('i32.add', op('i32.mul', get('y'), get('width')), get('x')), int(3)),
            ),
            op('i8x16.swizzle', op('i8x16.narrow_i16x8_u', words(0, 1), words(2, 3)), DROP_FOURTH),
          ),
          set('x', op('i32.add', get('x'), int(4))),
        ),
        set('rowWeights', get('at')),
        set('y', op('i32.add', get('y'), int(1))),
      ),
    ];
  },
);
