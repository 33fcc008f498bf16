/** The search for the end of coded data in a JPEG file, for WebAssembly: 16 bytes at a time. */

import { giveBack, ifTrue, int, memory, op, whileTrue } from '../core/index.ts';
import type { WasmFunction } from '../core/index.ts';

/**
 * `findMarker(from, end)` gives the address of the first marker of JPEG between two addresses that is no restart marker, or
 * `end`. Inside coded data every byte 255 that is no marker is followed by 0.
 */
export const findMarker: WasmFunction<'from' | 'end'> = {
  params: ['from', 'end'],
  locals: { ints: ['next'], vectors: [] },
  returns: true,
  body: ({ get, set }) => {
    const startsMarker = op(
      'v128.and',
      op('i8x16.eq', memory('v128.load', 0, get('from')), op('i8x16.splat', int(255))),
      op('i8x16.ne', memory('v128.load', 1, get('from')), op('i8x16.splat', int(0))),
    );
    const isMarker = op(
      'i32.and',
      op('i32.eq', memory('i32.load8_u', 0, get('from')), int(255)),
      op(
        'i32.and',
        op('i32.ne', get('next'), int(0)),
        op('i32.ne', op('i32.and', get('next'), int(0xf8)), int(0xd0)),
      ),
    );
    return [
      whileTrue(
        op('i32.lt_s', get('from'), get('end')),
        ifTrue(
          op('v128.any_true', startsMarker),
          set('next', memory('i32.load8_u', 1, get('from'))),
          ifTrue(isMarker, giveBack(get('from'))),
          set('from', op('i32.sub', get('from'), int(15))),
        ),
        set('from', op('i32.add', get('from'), int(16))),
      ),
      giveBack(get('end')),
    ];
  },
};
