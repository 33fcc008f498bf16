/**
 * The loops from the planes of a decoded JPEG to rows of pixels, for WebAssembly.
 *
 * Source: the arithmetic of libjpeg (jdsample.c, "fancy upsampling"), to the bit: colour planes of half the width or height are
 * drawn out with a triangle filter. Differs: pictures less than five pixels wide are smoothed too.
 */

import {
  choose,
  ifTrue,
  int,
  memory,
  op,
  procedure,
  repeatWhile,
  whileTrue,
} from '../core/index.ts';
import type { Code, WasmFunction } from '../core/index.ts';

const CONVERT_PARAMS = [
  'y',
  'yStride',
  'cb',
  'cr',
  'colourStride',
  'colourWidth',
  'colourHeight',
  'halfWidth',
  'halfHeight',
  'left',
  'top',
  'width',
  'height',
  'sums',
  'cbRow',
  'crRow',
  'isWide',
  'out',
  'outStride',
] as const;

/**
 * Draws a row of `count` colour samples out to `2 count` bytes at `out`. `near` and `far` are the addresses of the first sample
 * in the row with three quarters and in that with one quarter of the weight; the samples beside the row are looked at too,
 * except where it starts or ends at a border of the plane. `sums` is room for `count + 34` words.
 */
export const stretchRow: WasmFunction = procedure(
  ['near', 'far', 'count', 'atStart', 'atEnd', 'roundEven', 'roundOdd', 'sums', 'out'],
  { ints: ['i', 'at'], vectors: ['near8', 'far8', 'triple'] },
  ({ get, set }) => {
    const next = (step: number): Code => set('i', op('i32.add', get('i'), int(step)));
    const load = (row: 'near' | 'far'): Code =>
      set(
        `${row}8`,
        memory('v128.load', 0, op('i32.sub', op('i32.add', get(row), get('i')), int(1))),
      );
    const weigh = (extend: 'i16x8.extend_low_i8x16_u' | 'i16x8.extend_high_i8x16_u'): Code =>
      op(
        'i16x8.add',
        op('i16x8.mul', op(extend, get('near8')), op('i16x8.splat', int(3))),
        op(extend, get('far8')),
      );
    const sumAt = (i: Code): Code => op('i32.add', get('sums'), op('i32.shl', i, int(1)));
    const blend = (neighbour: number, round: 'roundEven' | 'roundOdd'): Code =>
      op(
        'i16x8.shr_u',
        op(
          'i16x8.add',
          op('i16x8.add', get('triple'), memory('v128.load', neighbour, get('at'))),
          op('i16x8.splat', get(round)),
        ),
        int(4),
      );
    return [
      repeatWhile(
        op('i32.lt_s', get('i'), op('i32.add', get('count'), int(2))),
        load('near'),
        load('far'),
        memory('v128.store', 0, sumAt(get('i')), weigh('i16x8.extend_low_i8x16_u')),
        memory('v128.store', 16, sumAt(get('i')), weigh('i16x8.extend_high_i8x16_u')),
        next(16),
      ),
      ifTrue(
        get('atStart'),
        memory('i32.store16', 0, get('sums'), memory('i32.load16_u', 2, get('sums'))),
      ),
      ifTrue(
        get('atEnd'),
        set('at', sumAt(get('count'))),
        memory('i32.store16', 2, get('at'), memory('i32.load16_u', 0, get('at'))),
      ),
      set('i', int(0)),
      repeatWhile(
        op('i32.lt_s', get('i'), get('count')),
        set('at', sumAt(get('i'))),
        set(
          'triple',
          op('i16x8.mul', memory('v128.load', 2, get('at')), op('i16x8.splat', int(3))),
        ),
        memory(
          'v128.store',
          0,
          op('i32.add', get('out'), op('i32.shl', get('i'), int(1))),
          op('v128.or', blend(0, 'roundEven'), op('i16x8.shl', blend(4, 'roundOdd'), int(8))),
        ),
        next(8),
      ),
    ];
  },
);

/**
 * Converts a rectangle of a picture to RGB. Addresses: planes `y`, `cb`, `cr`; `sums`, `cbRow`, `crRow` are room for a row; `out`
 * may be written up to 48 bytes too far. `halfWidth` and `halfHeight` tell whether the colour planes have half the samples
 * per row and half the rows.
 */
export const convert: WasmFunction<(typeof CONVERT_PARAMS)[number]> = procedure(
  CONVERT_PARAMS,
  {
    ints: [
      'row',
      'first',
      'count',
      'near',
      'far',
      'atStart',
      'atEnd',
      'roundEven',
      'roundOdd',
      'isOdd',
    ],
    vectors: [],
  },
  ({ get, set, call }) => {
    const last = op('i32.sub', op('i32.add', get('left'), get('width')), int(1));
    const lastRow = op('i32.sub', get('colourHeight'), int(1));
    const place = (plane: 'cb' | 'cr', row: 'near' | 'far'): Code =>
      op(
        'i32.add',
        op('i32.add', get(plane), get('first')),
        op('i32.mul', get(row), get('colourStride')),
      );
    const stretch = (plane: 'cb' | 'cr', out: 'cbRow' | 'crRow'): Code =>
      call(
        'stretchRow',
        place(plane, 'near'),
        place(plane, 'far'),
        get('count'),
        get('atStart'),
        get('atEnd'),
        get('roundEven'),
        get('roundOdd'),
        get('sums'),
        get(out),
      );
    const colour = (plane: 'cb' | 'cr', stretched: 'cbRow' | 'crRow'): Code =>
      choose(
        get('halfWidth'),
        op('i32.add', get(stretched), get('isOdd')),
        op('i32.add', place(plane, 'near'), get('left')),
      );
    const brightness = op(
      'i32.add',
      op('i32.add', get('y'), get('left')),
      op('i32.mul', get('row'), get('yStride')),
    );
    const pixels = [
      brightness,
      colour('cb', 'cbRow'),
      colour('cr', 'crRow'),
      get('width'),
      get('out'),
    ];
    const clamped = (row: Code): Code[] => [
      set('far', row),
      ifTrue(op('i32.lt_s', get('far'), int(0)), set('far', int(0))),
      ifTrue(op('i32.gt_s', get('far'), lastRow), set('far', lastRow)),
    ];
    return [
      ifTrue(
        get('halfWidth'),
        set('isOdd', op('i32.and', get('left'), int(1))),
        set('first', op('i32.shr_s', get('left'), int(1))),
        set(
          'count',
          op('i32.sub', op('i32.shr_s', last, int(1)), op('i32.sub', get('first'), int(1))),
        ),
        set('atStart', op('i32.eqz', get('first'))),
        set('atEnd', op('i32.eq', op('i32.add', get('first'), get('count')), get('colourWidth'))),
        set('roundEven', choose(get('halfHeight'), int(8), int(4))),
        set('roundOdd', choose(get('halfHeight'), int(7), int(8))),
      ),
      set('row', get('top')),
      whileTrue(
        op('i32.lt_s', get('row'), op('i32.add', get('top'), get('height'))),
        set('near', op('i32.shr_s', get('row'), get('halfHeight'))),
        ...clamped(
          choose(
            get('halfHeight'),
            op('i32.add', get('near'), choose(op('i32.and', get('row'), int(1)), int(1), int(-1))),
            get('near'),
          ),
        ),
        ifTrue(get('halfWidth'), stretch('cb', 'cbRow'), stretch('cr', 'crRow')),
        ifTrue(get('isWide'), call('colourRowWide', ...pixels)),
        ifTrue(op('i32.eqz', get('isWide')), call('colourRow', ...pixels)),
        set('out', op('i32.add', get('out'), get('outStride'))),
        set('row', op('i32.add', get('row'), int(1))),
      ),
    ];
  },
);
