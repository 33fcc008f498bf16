/**
 * AdamW in one pass over memory, for WebAssembly: each number is read once and written once. The operations, their order and
 * their rounding are those of the kernel's ONNX form, so the bits are the same.
 */

import { int, memory, op, procedure, repeatWhile } from '../../core/index.ts';
import type { Code, WasmFunction } from '../../core/index.ts';

/** Numbers that the loop takes at a time; up to so many beyond the end are read, and written. */
export const NUMBERS_AT_A_TIME = 16;

/** What the loop finds at `constants`, float32, in this order. */
export const CONSTANTS = [
  'rate',
  'keep',
  'correction',
  'beta1',
  'gain1',
  'beta2',
  'gain2',
  'epsilon',
] as const;

/** Name of a constant. */
export type AdamwConstant = (typeof CONSTANTS)[number];

const ARRAYS = ['parameter', 'gradient', 'first', 'second'] as const;
const PARAMS = ['parameter', 'gradient', 'first', 'second', 'end', 'constants'] as const;
const VECTOR_BYTES = 16;
const STEP_BYTES = NUMBERS_AT_A_TIME * 4;
const STEPS = [0, 1, 2, 3] as const;

/**
 * Moves a parameter and its moments in place; see `adamwUpdate`. Takes the addresses of the four arrays, that of the end of the
 * parameter (at least one step behind its start, a whole number of steps), and that of {@link CONSTANTS}; `gain1` and `gain2` are `1 - beta`.
 */
export const adamw: WasmFunction<(typeof PARAMS)[number]> = procedure(
  PARAMS,
  { ints: [], vectors: [...CONSTANTS, 'g', 'm', 'v', 'move'] },
  ({ get, set }) => {
    const load = (array: (typeof ARRAYS)[number], offset: number): Code =>
      memory('v128.load', offset, get(array));
    const root = op('f32x4.sqrt', get('correction'));
    const moment = (array: 'first' | 'second', offset: number, gained: Code): Code => {
      const kept = op('f32x4.mul', load(array, offset), get(array === 'first' ? 'beta1' : 'beta2'));
      return op('f32x4.add', kept, gained);
    };
    const step = (offset: number): Code[] => [
      set('g', load('gradient', offset)),
      set('m', moment('first', offset, op('f32x4.mul', get('g'), get('gain1')))),
      set(
        'v',
        moment(
          'second',
          offset,
          op('f32x4.mul', get('g'), op('f32x4.mul', get('g'), get('gain2'))),
        ),
      ),
      set('move', op('f32x4.add', op('f32x4.sqrt', get('v')), get('epsilon'))),
      set('move', op('f32x4.mul', op('f32x4.div', get('m'), get('move')), get('rate'))),
      memory('v128.store', offset, get('first'), get('m')),
      memory('v128.store', offset, get('second'), get('v')),
      memory(
        'v128.store',
        offset,
        get('parameter'),
        op('f32x4.sub', op('f32x4.mul', load('parameter', offset), get('keep')), get('move')),
      ),
    ];
    return [
      ...CONSTANTS.map((name, place) =>
        set(name, memory('v128.load32_splat', place * 4, get('constants'))),
      ),
      set('rate', op('f32x4.div', get('rate'), root)),
      set('epsilon', op('f32x4.div', get('epsilon'), root)),
      repeatWhile(
        op('i32.ne', get('parameter'), get('end')),
        ...STEPS.flatMap((index) => step(index * VECTOR_BYTES)),
        ...ARRAYS.map((array) => set(array, op('i32.add', get(array), int(STEP_BYTES)))),
      ),
    ];
  },
);
