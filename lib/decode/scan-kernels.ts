/**
 * The loops from coded data of a JPEG file to planes, for WebAssembly.
 *
 * Source: ITU-T T.81, annex F. Bits are read as in Fabian Giesen's "Reading bits in far too many ways", part 2, variant 4; most
 * codes are looked up together with their values, as in Sean Barrett's stb_image.
 */

import {
  choose,
  giveBack,
  ifTrue,
  int,
  memory,
  op,
  repeatWhile,
  shuffle,
  whileTrue,
} from '../core/index.ts';
import type { Code, WasmFunction } from '../core/index.ts';
import { CODE_TABLE, LOOKUP_BITS, MAX_CODE_BITS, NO_MORE } from './code-tables.ts';

/** Bytes of a description of a block, eight words: see {@link decodeRow}. */
export const BLOCK_BYTES = 32;
const NUM_COEFFICIENTS = 64;
/** A code and its value have at most 31 bits. */
const ENOUGH_BITS = 32;
const DAMAGED = giveBack(int(-1));

/**
 * Copies coded data backwards, without the zeros that follow each byte 255, so that numbers of 64 bits have the first byte on top:
 * byte i ends up at `out - i`. Gives the number of bytes, or -1 at a marker. There must be one at `end`.
 */
export const unstuff: WasmFunction<'from' | 'end' | 'out'> = {
  params: ['from', 'end', 'out'],
  locals: { ints: ['start', 'value', 'stop'], vectors: ['bytes'] },
  returns: true,
  body: ({ get, set }) => {
    const add = (name: 'from' | 'out', step: number): Code =>
      set(name, op('i32.add', get(name), int(step)));
    const backwards = Array.from({ length: 16 }, (_, i) => 15 - i);
    const hasMarks = op('v128.any_true', op('i8x16.eq', get('bytes'), op('i8x16.splat', int(255))));
    return [
      set('start', get('out')),
      whileTrue(
        op('i32.lt_s', get('from'), get('end')),
        set('bytes', memory('v128.load', 0, get('from'))),
        set('stop', op('i32.add', get('from'), choose(hasMarks, int(16), int(0)))),
        ifTrue(
          op('i32.eq', get('stop'), get('from')),
          memory(
            'v128.store',
            0,
            op('i32.sub', get('out'), int(15)),
            shuffle(backwards, get('bytes'), get('bytes')),
          ),
          add('from', 16),
          add('out', -16),
        ),
        whileTrue(
          op(
            'i32.and',
            op('i32.lt_s', get('from'), get('stop')),
            op('i32.lt_s', get('from'), get('end')),
          ),
          set('value', memory('i32.load8_u', 0, get('from'))),
          memory('i32.store8', 0, get('out'), get('value')),
          add('from', 1),
          add('out', -1),
          ifTrue(
            op('i32.eq', get('value'), int(255)),
            ifTrue(memory('i32.load8_u', 0, get('from')), DAMAGED),
            add('from', 1),
          ),
        ),
      ),
      op('i32.sub', get('start'), get('out')),
    ];
  },
};

const ROW_PARAMS = [
  'position',
  'base',
  'limit',
  'blocks',
  'numBlocks',
  'row',
  'numUnits',
  'firstUnit',
  'endUnit',
  'coefficients',
  'places',
  'constants',
] as const;

/**
 * Decodes a row of units, which are blocks that are coded together, from bit `position` on, and gives the position behind it, or
 * -1 if the data are damaged. Units from `firstUnit` to before `endUnit` are transformed to samples, the others only read past.
 *
 * The first 8 bytes of data are at `base`, the following before them; no read starts below `limit`. At `blocks` are, for each
 * block of a unit, the addresses of the last mean of its plane, of the code tables for means and for the rest, of the quantisers,
 * and of its samples in the first unit; the bytes from row to row; and the bytes from unit to unit, across and down.
 * `coefficients` is room for 65 words; at `places` is where each coefficient belongs, in bytes.
 */
export const decodeRow: WasmFunction<(typeof ROW_PARAMS)[number]> = {
  params: ROW_PARAMS,
  locals: {
    ints: ['at', 'count', 'unit', 'block', 'left', 'table', 'entry', 'k', 'code', 'length', 'size'],
    longs: ['bits'],
    vectors: ['nothing'],
  },
  returns: true,
  body: ({ get, set, call }) => {
    const word = (index: number): Code => memory('i32.load', index * 4, get('block'));
    const topBits = (numBits: number): Code =>
      op('i32.wrap_i64', op('i64.shr_u', get('bits'), long(int(64 - numBits))));
    const drop = (numBits: Code): Code[] => [
      set('bits', op('i64.shl', get('bits'), long(numBits))),
      set('count', op('i32.sub', get('count'), numBits)),
    ];
    const refill = ifTrue(
      op('i32.lt_s', get('count'), int(ENOUGH_BITS)),
      set(
        'bits',
        op(
          'i64.or',
          get('bits'),
          op('i64.shr_u', memory('i64.load', 0, get('at')), long(get('count'))),
        ),
      ),
      set('length', op('i32.shr_s', op('i32.sub', int(63), get('count')), int(3))),
      set('at', op('i32.sub', get('at'), get('length'))),
      set('count', op('i32.add', get('count'), op('i32.shl', get('length'), int(3)))),
    );
    const limitOf = memory(
      'i32.load',
      CODE_TABLE.limits,
      op('i32.add', get('table'), op('i32.shl', get('length'), int(2))),
    );
    const startOf = memory(
      'i32.load',
      CODE_TABLE.starts,
      op('i32.add', get('table'), op('i32.shl', get('length'), int(2))),
    );
    /** Finds a code that is too long for the lookup, by its length. */
    const search = [
      set('code', topBits(MAX_CODE_BITS)),
      set('length', int(LOOKUP_BITS + 1)),
      whileTrue(
        op(
          'i32.and',
          op('i32.lt_s', get('length'), int(MAX_CODE_BITS + 1)),
          op('i32.eqz', op('i32.lt_s', get('code'), limitOf)),
        ),
        set('length', op('i32.add', get('length'), int(1))),
      ),
      ifTrue(op('i32.eq', get('length'), int(MAX_CODE_BITS + 1)), DAMAGED),
      set(
        'code',
        op(
          'i32.add',
          op('i32.shr_s', get('code'), op('i32.sub', int(MAX_CODE_BITS), get('length'))),
          startOf,
        ),
      ),
      set(
        'size',
        memory('i32.load8_u', CODE_TABLE.symbols, op('i32.add', get('table'), get('code'))),
      ),
    ];
    /** Reads a code and its value into `entry`: the run of zeros in the second byte, the value in the upper two. */
    const readSymbol = [
      refill,
      set(
        'entry',
        memory(
          'i32.load',
          0,
          op('i32.add', get('table'), op('i32.shl', topBits(LOOKUP_BITS), int(2))),
        ),
      ),
      ifTrue(
        op('i32.eqz', op('i32.and', get('entry'), int(255))),
        set('size', op('i32.and', op('i32.shr_s', get('entry'), int(8)), int(255))),
        set('length', op('i32.shr_s', get('entry'), int(16))),
        ifTrue(op('i32.eqz', get('length')), ...search),
        ...drop(get('length')),
        set('code', op('i32.shr_s', get('size'), int(4))),
        set('size', op('i32.and', get('size'), int(15))),
        set(
          'entry',
          op(
            'i32.shl',
            choose(
              op('i32.or', get('size'), op('i32.eq', get('code'), int(15))),
              get('code'),
              int(NO_MORE),
            ),
            int(8),
          ),
        ),
        ifTrue(
          get('size'),
          set(
            'length',
            op(
              'i32.wrap_i64',
              op('i64.shr_u', get('bits'), long(op('i32.sub', int(64), get('size')))),
            ),
          ),
          ...drop(get('size')),
          ifTrue(
            op(
              'i32.lt_s',
              get('length'),
              op('i32.shl', int(1), op('i32.sub', get('size'), int(1))),
            ),
            set(
              'length',
              op(
                'i32.add',
                op('i32.sub', get('length'), op('i32.shl', int(1), get('size'))),
                int(1),
              ),
            ),
          ),
          set('entry', op('i32.or', get('entry'), op('i32.shl', get('length'), int(16)))),
        ),
      ),
      ...drop(op('i32.and', get('entry'), int(255))),
    ];
    const value = op('i32.shr_s', get('entry'), int(16));
    const run = op('i32.and', op('i32.shr_s', get('entry'), int(8)), int(255));
    const add = (name: 'k' | 'unit' | 'block' | 'left', step: Code): Code =>
      set(name, op('i32.add', get(name), step));
    const readBlock = [
      set('nothing', op('i32x4.splat', int(0))),
      ...Array.from({ length: 8 }, (_, i) =>
        memory('v128.store', i * 16, get('coefficients'), get('nothing')),
      ),
      set('table', word(1)),
      ...readSymbol,
      set('code', op('i32.add', memory('i32.load', 0, word(0)), value)),
      memory('i32.store', 0, word(0), get('code')),
      memory('i32.store16', 0, get('coefficients'), get('code')),
      set('table', word(2)),
      set('k', int(1)),
      repeatWhile(
        op('i32.lt_s', get('k'), int(NUM_COEFFICIENTS)),
        ...readSymbol,
        add('k', run),
        memory(
          'i32.store16',
          0,
          op(
            'i32.add',
            get('coefficients'),
            memory('i32.load8_u', 0, op('i32.add', get('places'), get('k'))),
          ),
          value,
        ),
        add('k', int(1)),
      ),
      ifTrue(
        op(
          'i32.and',
          op('i32.gt_s', get('k'), int(NUM_COEFFICIENTS)),
          op('i32.lt_s', get('k'), int(NO_MORE)),
        ),
        DAMAGED,
      ),
    ];
    const samples = [
      get('coefficients'),
      word(3),
      get('constants'),
      op(
        'i32.add',
        word(4),
        op('i32.add', op('i32.mul', get('unit'), word(6)), op('i32.mul', get('row'), word(7))),
      ),
      word(5),
    ];
    const isFlat = op('i32.eq', get('k'), int(NO_MORE + 2));
    const isWanted = op(
      'i32.and',
      op('i32.lt_s', get('unit'), get('endUnit')),
      op('i32.eqz', op('i32.lt_s', get('unit'), get('firstUnit'))),
    );
    return [
      set('at', op('i32.sub', get('base'), op('i32.shr_s', get('position'), int(3)))),
      set('count', op('i32.and', get('position'), int(7))),
      set('bits', op('i64.shl', memory('i64.load', 0, get('at')), long(get('count')))),
      set('count', op('i32.sub', int(56), get('count'))),
      set('at', op('i32.sub', get('at'), int(7))),
      repeatWhile(
        op('i32.lt_s', get('unit'), get('numUnits')),
        set('block', get('blocks')),
        set('left', get('numBlocks')),
        repeatWhile(
          get('left'),
          ...readBlock,
          ifTrue(
            isWanted,
            ifTrue(isFlat, call('fillBlock', ...samples)),
            ifTrue(op('i32.eqz', isFlat), call('transform', ...samples)),
          ),
          add('block', int(BLOCK_BYTES)),
          add('left', int(-1)),
        ),
        ifTrue(op('i32.lt_s', get('at'), get('limit')), DAMAGED),
        add('unit', int(1)),
      ),
      op('i32.sub', op('i32.shl', op('i32.sub', get('base'), get('at')), int(3)), get('count')),
    ];
  },
};

/** A number of 32 bits, not negative, as one of 64. */
function long(value: Code): Code {
  return op('i64.extend_i32_u', value);
}
