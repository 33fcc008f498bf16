import test from 'ava';
import { createRng } from '../../lib/core/index.ts';
import { createDropTest } from '../../lib/decode/nal-units.ts';

/** Extradata that says: units come with lengths of so many bytes. */
function avcc(lengthSize: number): Buffer {
  return Buffer.from([1, 100, 0, 31, 0xfc | (lengthSize - 1), 0xe1]);
}

function hvcc(lengthSize: number): Buffer {
  const extradata = Buffer.alloc(23);
  extradata[0] = 1;
  extradata[21] = 0xfc | (lengthSize - 1);
  return extradata;
}

type Unit = readonly number[];

function withLengths(units: readonly Unit[], lengthSize = 4): Buffer {
  return Buffer.concat(
    units.map((unit) => {
      const length = Buffer.alloc(lengthSize);
      length.writeUIntBE(unit.length, 0, lengthSize);
      return Buffer.concat([length, Buffer.from(unit)]);
    }),
  );
}

function withStartCodes(units: readonly Unit[], code: readonly number[] = [0, 0, 1]): Buffer {
  return Buffer.concat(units.map((unit) => Buffer.from([...code, ...unit])));
}

/** H.264: forbidden zero bit, nal_ref_idc, nal_unit_type. */
function h264(type: number, refIdc: number): Unit {
  return [(refIdc << 5) | type, 0x9a, 0x12, 0x34];
}

/** HEVC: type, layer, temporal layer from 0. */
function hevc(type: number, layer = 0, temporalId = 0): Unit {
  return [(type << 1) | (layer >> 5), ((layer & 31) << 3) | (temporalId + 1), 0x80, 0x12];
}

const H264_CASES: readonly (readonly [string, readonly Unit[], boolean])[] = [
  ['a slice nobody refers to', [h264(1, 0)], true],
  ['several such slices', [h264(1, 0), h264(1, 0), h264(1, 0)], true],
  ['with delimiter and message in front', [h264(9, 0), h264(6, 0), h264(1, 0)], true],
  ['with filler behind', [h264(1, 0), h264(12, 0)], true],
  ['a reference', [h264(1, 1)], false],
  ['one slice of two is a reference', [h264(1, 0), h264(1, 2)], false],
  ['a key frame', [h264(5, 3)], false],
  ['a key frame slice that says nobody refers to it', [h264(5, 0)], false],
  ['with a sequence parameter set', [h264(7, 3), h264(1, 0)], false],
  ['with a picture parameter set', [h264(8, 3), h264(1, 0)], false],
  ['data partitions', [h264(2, 0), h264(3, 0), h264(4, 0)], false],
  ['no slice at all', [h264(9, 0), h264(6, 0)], false],
];

const HEVC_CASES: readonly (readonly [string, readonly Unit[], boolean])[] = [
  ['trailing, no reference', [hevc(0)], true],
  ['leading, no reference', [hevc(6)], true],
  ['leading, may be left out by the decoder', [hevc(8)], false],
  ['with delimiter and messages', [hevc(35), hevc(39), hevc(0), hevc(40)], true],
  ['trailing, a reference', [hevc(1)], false],
  ['one slice of two is a reference', [hevc(0), hevc(1)], false],
  ['a key frame', [hevc(19)], false],
  ['a clean random access point', [hevc(21)], false],
  ['a reserved type', [hevc(22)], false],
  ['with a video parameter set', [hevc(32), hevc(0)], false],
  ['with a sequence parameter set', [hevc(33), hevc(0)], false],
  ['with a picture parameter set', [hevc(34), hevc(0)], false],
  ['a higher temporal layer', [hevc(0, 0, 1)], false],
  ['another view', [hevc(0), hevc(0, 1)], false],
  ['another view, high number', [hevc(0), hevc(0, 33)], false],
  ['no slice at all', [hevc(39)], false],
];

for (const [codec, cases, extradata] of [
  ['h264', H264_CASES, avcc],
  ['hevc', HEVC_CASES, hvcc],
] as const) {
  for (const [name, units, expected] of cases) {
    test(`${codec}: ${name}: ${expected ? 'not needed' : 'needed'}`, (t) => {
      for (const lengthSize of [1, 2, 4]) {
        const canDrop = createDropTest(codec, extradata(lengthSize))!;
        t.is(canDrop(withLengths(units, lengthSize)), expected, `lengths of ${lengthSize}`);
      }
      for (const none of [null, Buffer.from([0, 0, 0, 1, 0x67])]) {
        const canDrop = createDropTest(codec, none)!;
        t.is(canDrop(withStartCodes(units)), expected, 'start codes');
        t.is(canDrop(withStartCodes(units, [0, 0, 0, 1])), expected, 'long start codes');
      }
    });
  }
}

test('other codecs have no test', (t) => {
  for (const codec of ['vp9', 'av1', 'mpeg4', 'vvc', '']) t.is(createDropTest(codec, null), null);
});

test('malformed packets are never left out', (t) => {
  const byLengths = createDropTest('h264', avcc(4))!;
  const whole = withLengths([h264(1, 0), h264(1, 0)]);
  t.true(byLengths(whole));
  for (let end = 0; end < whole.length; end++) {
    const isWholeUnit = end === whole.length / 2;
    t.is(byLengths(whole.subarray(0, end)), isWholeUnit, `cut to ${end}`);
  }
  t.false(byLengths(Buffer.concat([whole, Buffer.from([0])])));
  t.false(byLengths(withLengths([h264(1, 0), []])));
  t.false(byLengths(withLengths([[1]])));
  t.false(byLengths(withStartCodes([h264(1, 0)], [0, 0, 0, 1])));
  const byCodes = createDropTest('h264', null)!;
  for (const bytes of [[], [0, 0, 1], [0, 0, 1, 1], [1, 2, 3, 4], [0, 0, 0]]) {
    t.false(byCodes(Buffer.from(bytes)));
  }
});

test('extradata cut short counts as start codes', (t) => {
  for (const codec of ['h264', 'hevc']) {
    const canDrop = createDropTest(codec, Buffer.from([1, 2]))!;
    t.true(canDrop(withStartCodes([codec === 'h264' ? h264(1, 0) : hevc(0)])));
  }
});

test('random bytes never throw, and what is dropped names a slice', (t) => {
  const rng = createRng(0, 'test-nal-units');
  let dropped = 0;
  for (let round = 0; round < 20_000; round++) {
    const data = Buffer.from(Array.from({ length: rng.integer(0, 40) }, () => randomByte(rng)));
    for (const codec of ['h264', 'hevc']) {
      const lengthSize = rng.integer(1, 5);
      const extradata = codec === 'h264' ? avcc(lengthSize) : hvcc(lengthSize);
      for (const extra of [null, extradata]) {
        if (createDropTest(codec, extra)!(data)) dropped++;
      }
    }
  }
  t.true(dropped > 0);
});

/** Mostly small numbers, as in start codes and lengths. */
function randomByte(rng: ReturnType<typeof createRng>): number {
  return rng.integer(0, 2) === 0 ? rng.integer(0, 4) : rng.integer(0, 256);
}
