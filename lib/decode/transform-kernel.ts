/**
 * The inverse cosine transform of a block of 8 x 8 coefficients, for WebAssembly: columns, then rows, eight at a time.
 *
 * Source: the arithmetic of libjpeg's accurate transform (jidctint.c), to the bit: constants in 2^-13, columns kept in 2^-2. Its
 * sums of products are put together here as products with sums of constants, which are whole numbers all the same.
 */

import { choose, int, memory, op, procedure, shuffle } from '../core/index.ts';
import type { Code, WasmFunction } from '../core/index.ts';
import { INTERLEAVE } from './colour-kernels.ts';

const BLOCK_PARAMS = ['coefficients', 'quantiser', 'constants', 'out', 'stride'] as const;
type BlockLoop = WasmFunction<(typeof BLOCK_PARAMS)[number]>;

const ROWS = [0, 1, 2, 3, 4, 5, 6, 7] as const;
const CONSTANT_BITS = 13;
/** Fraction of what is between the two passes. */
const COLUMN_BITS = 2;

const even = [
  [8192, 8192],
  [8192, -8192],
  [4433, -10_704],
  [10_703, 4433],
] as const;
/** What coefficients 1, 3, 5 and 7 add to the four differences. */
const odd = [
  [2260, -6436, 9633, -11_363],
  [6437, -11_362, 2261, 9633],
  [9633, -2259, -11_362, -6436],
  [11_363, 9633, 6437, 2260],
] as const;

/** Pairs of words that the transform multiplies with, in the order in which it reads them. */
export const TRANSFORM_CONSTANTS: Int16Array = Int16Array.from([...even, ...odd].flat());

/** What the loop below has variables for. */
const VECTORS = [
  ...ROWS.map((row) => `row${row}` as const),
  ...ROWS.map((row) => `next${row}` as const),
  ...([0, 1, 2, 3] as const).flatMap((i) => [`even${i}` as const, `odd${i}` as const]),
  'pair',
  'other',
] as const;

/**
 * Makes 8 rows of 8 samples at `out` of coefficients and the quantisers they are to be multiplied with, both words in the order of
 * rows. Writes 8 bytes beyond the end of each row.
 */
export const transform: BlockLoop = procedure(
  BLOCK_PARAMS,
  { ints: [], vectors: VECTORS },
  ({ get, set }) => {
    const multiply = (pair: 'pair' | 'other', constant: number): Code =>
      op(
        'i32x4.dot_i16x8_s',
        get(pair),
        memory('v128.load32_splat', constant * 4, get('constants')),
      );
    const interleave = (which: 0 | 1, first: number, second: number): Code =>
      shuffle(INTERLEAVE.words[which], get(`row${first as 0}`), get(`row${second as 0}`));
    /** One direction of one half of the lanes; gives the eight results in 32 bits. */
    const halfPass = (which: 0 | 1, shift: number): { steps: Code[]; results: Code[] } => {
      const half = op('i32x4.splat', int(1 << (shift - 1)));
      const sum = (i: number, place: number): Code =>
        op('i32x4.add', get(`even${i as 0}`), get(`odd${place as 0}`));
      const difference = (i: number, place: number): Code =>
        op('i32x4.sub', get(`even${i as 0}`), get(`odd${place as 0}`));
      const steps = [
        set('pair', interleave(which, 0, 4)),
        set('other', interleave(which, 2, 6)),
        set('odd0', op('i32x4.add', multiply('pair', 0), half)),
        set('odd1', op('i32x4.add', multiply('pair', 1), half)),
        set('odd2', multiply('other', 2)),
        set('odd3', multiply('other', 3)),
        set('even0', op('i32x4.add', get('odd0'), get('odd3'))),
        set('even1', op('i32x4.add', get('odd1'), get('odd2'))),
        set('even2', op('i32x4.sub', get('odd1'), get('odd2'))),
        set('even3', op('i32x4.sub', get('odd0'), get('odd3'))),
        set('pair', interleave(which, 1, 3)),
        set('other', interleave(which, 5, 7)),
        ...([0, 1, 2, 3] as const).map((i) =>
          set(
            `odd${i}`,
            op('i32x4.add', multiply('pair', 4 + i * 2), multiply('other', 5 + i * 2)),
          ),
        ),
      ];
      const results = ROWS.map((row) => {
        const i = Math.min(row, 7 - row);
        return op('i32x4.shr_s', row < 4 ? sum(i, 3 - i) : difference(i, 3 - i), int(shift));
      });
      return { steps, results };
    };
    const pass = (shift: number): Code[] => {
      const [first, second] = [halfPass(0, shift), halfPass(1, shift)];
      return [
        ...first.steps,
        ...ROWS.map((row) => set(`next${row}`, first.results[row] ?? [])),
        ...second.steps,
        ...ROWS.map((row) =>
          set(
            `row${row}`,
            op('i16x8.narrow_i32x4_s', get(`next${row}`), second.results[row] ?? []),
          ),
        ),
      ];
    };
    // Each turn makes the first bit of the place of each word its last one.
    const turn = [
      ...ROWS.map((row) =>
        set(`next${row}`, interleave((row % 2) as 0 | 1, row >> 1, (row >> 1) + 4)),
      ),
      ...ROWS.map((row) => set(`row${row}`, get(`next${row}`))),
    ];
    const quads = [0, 1, 2, 3] as const;
    const turnBytes = [
      ...quads.map((quad) =>
        set(
          `next${quad}`,
          shuffle(
            INTERLEAVE.bytes[(quad % 2) as 0 | 1],
            get(`row${(quad >> 1) as 0}`),
            get(`row${((quad >> 1) + 2) as 0}`),
          ),
        ),
      ),
      ...quads.map((quad) => set(`row${quad}`, get(`next${quad}`))),
    ];
    const swapHalves = [...ROWS.map((i) => i + 8), ...ROWS];
    return [
      ...ROWS.map((row) =>
        set(
          `row${row}`,
          op(
            'i16x8.mul',
            memory('v128.load', row * 16, get('coefficients')),
            memory('v128.load', row * 16, get('quantiser')),
          ),
        ),
      ),
      ...pass(CONSTANT_BITS - COLUMN_BITS),
      ...turn,
      ...turn,
      ...turn,
      ...pass(CONSTANT_BITS + COLUMN_BITS + 3),
      ...quads.map((quad) => {
        const [first, second] = [`row${quad * 2}`, `row${quad * 2 + 1}`] as ['row0', 'row1'];
        const signed = op('i8x16.narrow_i16x8_s', get(first), get(second));
        return set(`row${quad}`, op('v128.xor', signed, op('i8x16.splat', int(0x80))));
      }),
      ...turnBytes,
      ...turnBytes,
      ...turnBytes,
      ...ROWS.flatMap((row) => {
        const own = get(`row${(row >> 1) as 0}`);
        const value = row % 2 === 0 ? own : shuffle(swapHalves, own, own);
        return [
          memory('v128.store', 0, get('out'), value),
          set('out', op('i32.add', get('out'), get('stride'))),
        ];
      }),
    ];
  },
);

/** The same for a block that has only its mean. */
export const fillBlock: BlockLoop = procedure(
  BLOCK_PARAMS,
  { ints: ['level'], vectors: ['levels'] },
  ({ get, set }) => {
    const [shift, centre] = [COLUMN_BITS + 1, 128];
    const product = op(
      'i32.mul',
      memory('i32.load16_s', 0, get('coefficients')),
      memory('i32.load16_u', 0, get('quantiser')),
    );
    return [
      set(
        'level',
        op(
          'i32.add',
          op('i32.shr_s', op('i32.add', product, int(1 << (shift - 1))), int(shift)),
          int(centre),
        ),
      ),
      set('level', choose(op('i32.lt_s', get('level'), int(0)), int(0), get('level'))),
      set('level', choose(op('i32.gt_s', get('level'), int(255)), int(255), get('level'))),
      set('levels', op('i8x16.splat', get('level'))),
      ...ROWS.flatMap(() => [
        memory('v128.store', 0, get('out'), get('levels')),
        set('out', op('i32.add', get('out'), get('stride'))),
      ]),
    ];
  },
);
