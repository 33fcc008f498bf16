import test from 'ava';
import {
  bytes,
  choose,
  giveBack,
  ifTrue,
  int,
  memory,
  op,
  procedure,
  repeatWhile,
  shuffle,
  storeLane,
  whileTrue,
} from '../../lib/core/wasm-assembler.ts';
import type { Code, Scope, WasmFunction } from '../../lib/core/wasm-assembler.ts';
import { runWasm } from '../helpers/run-wasm.ts';

function give(
  params: readonly string[],
  body: (scope: Scope<string>) => readonly Code[],
  ints: readonly string[] = [],
): WasmFunction {
  return { params, locals: { ints, vectors: [] }, returns: true, body };
}

test('whole numbers of every length of code arrive', (t) => {
  const edges = [0, 1, 63, 64, 127, 128, 8191, 8192, 2 ** 20 - 1, 2 ** 20, 2 ** 27, 2 ** 31 - 1];
  const values = edges.flatMap((value) => [value, -value, -value - 1]);
  const functions = values.map((value) => [`f${value}`, give([], () => [int(value)])] as const);
  const { call } = runWasm(Object.fromEntries(functions));
  for (const value of values) t.is(call(`f${value}`), value | 0);
});

test('variables are 0 at first and keep what they are given, however many there are', (t) => {
  const names = Array.from({ length: 300 }, (_, i) => `v${i}`);
  const { call } = runWasm({
    fresh: give(['p'], ({ get }) => [get('v299')], names),
    all: give(
      ['p'],
      ({ get, set }) => [
        ...names.map((name, i) => set(name, op('i32.add', get('p'), int(i)))),
        names.reduce((sum, name) => op('i32.add', sum, get(name)), int(0)),
      ],
      names,
    ),
  });
  t.is(call('fresh', 7), 0);
  t.is(call('all', 7), 300 * 7 + (299 * 300) / 2);
});

test('loops, branches and results', (t) => {
  const step = ({ get, set }: Scope<string>): Code => set('i', op('i32.add', get('i'), int(1)));
  const isBelow = ({ get }: Scope<string>): Code => op('i32.lt_s', get('i'), get('n'));
  const { call } = runWasm({
    while: give(['n'], (s) => [whileTrue(isBelow(s), step(s)), s.get('i')], ['i']),
    repeat: give(['n'], (s) => [repeatWhile(isBelow(s), step(s)), s.get('i')], ['i']),
    nested: give(
      ['n'],
      (s) => [
        whileTrue(
          isBelow(s),
          s.set('j', int(0)),
          repeatWhile(
            op('i32.lt_s', s.get('j'), s.get('i')),
            s.set('j', op('i32.add', s.get('j'), int(1))),
            s.set('sum', op('i32.add', s.get('sum'), int(1))),
          ),
          step(s),
        ),
        s.get('sum'),
      ],
      ['i', 'j', 'sum'],
    ),
    if: give(['n'], (s) => [ifTrue(s.get('n'), s.set('i', int(5))), s.get('i')], ['i']),
    choose: give(['n'], ({ get }) => [choose(get('n'), int(10), int(20))]),
    early: give(['n'], ({ get }) => [
      whileTrue(int(1), ifTrue(get('n'), giveBack(int(1))), giveBack(int(2))),
      int(3),
    ]),
  });
  t.deepEqual(
    [0, 1, 9].map((n) => call('while', n)),
    [0, 1, 9],
  );
  t.deepEqual(
    [0, 1, 9].map((n) => call('repeat', n)),
    [1, 1, 9],
  );
  t.is(call('nested', 5), 1 + 1 + 2 + 3 + 4);
  t.deepEqual(
    [0, 1, -1].map((n) => call('if', n)),
    [0, 5, 5],
  );
  t.deepEqual(
    [0, 1, -1].map((n) => call('choose', n)),
    [20, 10, 10],
  );
  t.deepEqual(
    [0, 1].map((n) => call('early', n)),
    [2, 1],
  );
});

test('functions call each other with their arguments in order', (t) => {
  const { call } = runWasm({
    outer: give(['a', 'b'], ({ get, call: callOther }) => [
      op('i32.add', callOther('inner', get('b'), get('a')), int(1)),
    ]),
    inner: give(['x', 'y'], ({ get }) => [op('i32.sub', get('x'), get('y'))]),
  });
  t.is(call('outer', 3, 10), 8);
});

test('memory is read and written at an address plus a constant', (t) => {
  const wasm = runWasm({
    load: give(['at'], ({ get }) => [memory('i32.load', 300, get('at'))]),
    byte: give(['at'], ({ get }) => [memory('i32.load8_u', 300, get('at'))]),
    word: give(['at'], ({ get }) => [memory('i32.load16_u', 300, get('at'))]),
    signed: give(['at'], ({ get }) => [memory('i32.load16_s', 300, get('at'))]),
    store: procedure(['at', 'value'], { ints: [], vectors: [] }, ({ get }) => [
      memory('i32.store16', 500, get('at'), get('value')),
      memory('i32.store8', 600, get('at'), get('value')),
      memory('i32.store', 700, get('at'), get('value')),
    ]),
    lanes: procedure(['at'], { ints: [], vectors: ['held'] }, ({ get, set }) => [
      set('held', bytes(Array.from({ length: 16 }, (_, i) => i))),
      storeLane(2, get('at'), get('held')),
      storeLane(0, op('i32.add', get('at'), int(4)), get('held')),
    ]),
    splat: procedure(['at', 'to'], { ints: [], vectors: ['held'] }, ({ get, set }) => [
      set('held', memory('v128.load32_splat', 300, get('at'))),
      memory('v128.store', 0, get('to'), get('held')),
    ]),
  });
  wasm.memory.setUint32(303, 0xfe_dc_ba_98, true);
  t.is(wasm.call('load', 3), 0xfe_dc_ba_98 | 0);
  t.is(wasm.call('byte', 3), 0x98);
  t.is(wasm.call('word', 3), 0xba_98);
  wasm.call('store', 1, 0x12_34_56);
  t.is(wasm.call('signed', 3), 0xba_98 - 0x1_00_00);
  t.is(wasm.memory.getUint32(501, true), 0x34_56);
  t.is(wasm.memory.getUint32(601, true), 0x56);
  t.is(wasm.memory.getUint32(701, true), 0x12_34_56);
  wasm.call('lanes', 900);
  const lanes = [...new Uint8Array(wasm.memory.buffer, 899, 10)];
  t.deepEqual(lanes, [0, 8, 9, 10, 11, 0, 1, 2, 3, 0]);
  wasm.call('splat', 3, 1000);
  const splat = [0, 4, 8, 12].map((place) => wasm.memory.getUint32(1000 + place, true));
  t.deepEqual(
    splat,
    Array.from({ length: 4 }, () => 0xfe_dc_ba_98),
  );
});

test('constant vectors, picks of two, and whether anything is set', (t) => {
  const picks = [31, 0, 16, 15, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22];
  const first = Array.from({ length: 16 }, (_, i) => i);
  const second = first.map((i) => i + 200);
  const wasm = runWasm({
    pick: procedure([], { ints: [], vectors: [] }, () => [
      memory('v128.store', 0, int(64), shuffle(picks, bytes(first), bytes(second))),
    ]),
    any: give(['n'], ({ get }) => [op('v128.any_true', op('i8x16.splat', get('n')))]),
  });
  wasm.call('pick');
  const expected = picks.map((pick) => [...first, ...second][pick]);
  t.deepEqual([...new Uint8Array(wasm.memory.buffer, 64, 16)], expected);
  t.deepEqual(
    [0, 1, 256].map((n) => wasm.call('any', n)),
    [0, 1, 0],
  );
});

test('a name that does not exist is an error at once', (t) => {
  const bodies: ((scope: Scope<string>) => readonly Code[])[] = [
    ({ get }) => [get('nobody')],
    ({ set }) => [set('nobody', int(1)), int(1)],
    ({ call }) => [call('nobody')],
  ];
  for (const body of bodies) {
    t.throws(() => runWasm({ f: give(['p'], body) }), {
      instanceOf: ReferenceError,
      message: /nobody/,
    });
  }
});
