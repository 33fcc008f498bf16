import test from 'ava';
import { Packr } from 'msgpackr';
import { TubeletError, createRng } from '../../lib/core/index.ts';
import { countBytes, decodeSample, encodeData, encodeMeta } from '../../lib/shard/index.ts';
import type { Sample } from '../../lib/shard/index.ts';
import { makeSample, pack, plain } from '../helpers/make-dataset.ts';

const packr = new Packr({ useRecords: false, variableMapSize: true });

for (const i of [0, 1, 2, 6]) {
  const sample = makeSample(i);
  test(`sample ${i} (${sample.layout}, ${sample.codec}) comes back as it was`, (t) => {
    const payload = Buffer.concat(pack(sample));
    const read = decodeSample(payload);
    t.deepEqual(plain(read), plain(sample));
    const first = read.codec === 'raw' ? read.data : read.data[0]!;
    t.is(first.buffer, payload.buffer, 'data is a view');
  });
}

test('parts hold the arrays that were passed in', (t) => {
  const sample = makeSample(0);
  const parts = pack(sample);
  t.is(parts.at(-1), sample.data as Uint8Array);
  t.is(countBytes(parts), Buffer.concat(parts).length);
  const { data, ...meta } = sample;
  t.deepEqual(parts, [encodeMeta(meta), ...encodeData(data)]);
});

test('numbers of seconds are float64 even when whole, counts are integers', (t) => {
  const bytes = Buffer.concat(pack(makeSample(1)));
  const at = bytes.indexOf('ptsSeconds') + 'ptsSeconds'.length;
  t.deepEqual([...bytes.subarray(at, at + 2)], [0x90 | 3, 0xcb]);
  const seconds = bytes.indexOf('seconds') + 'seconds'.length;
  t.is(bytes[seconds], 0xcb);
  t.is(bytes.readDoubleBE(seconds + 1), 10);
});

test('unknown keys are ignored', (t) => {
  const sample = makeSample(0);
  const read = decodeSample(packr.pack({ ...sample, later: { deep: [1, 'x'] } }));
  t.deepEqual(plain(read), plain(sample));
});

type Change = Record<string, unknown>;
const WRONG: readonly (readonly [title: string, i: number, change: Change])[] = [
  ['key with a dot', 0, { key: 'a.b' }],
  ['key with a slash', 0, { key: 'a/b' }],
  ['key too long', 0, { key: 'k'.repeat(93) }],
  ['key not ASCII', 0, { key: 'ä' }],
  ['label a text', 0, { label: '3' }],
  ['class a number', 0, { class: 3 }],
  ['split missing', 0, { split: undefined }],
  ['source no map', 0, { source: [] }],
  ['width zero', 0, { source: { ...makeSample(0).source, width: 0 } }],
  ['fps infinite', 0, { source: { ...makeSample(0).source, fps: Infinity } }],
  ['frame beyond the video', 1, { source: { ...makeSample(1).source, frames: 3 } }],
  ['frameIndex too short', 0, { frameIndex: [0] }],
  ['frameIndex not ascending', 0, { frameIndex: [7, 0] }],
  ['frameIndex negative', 0, { frameIndex: [-1, 0] }],
  ['frameIndex not whole', 0, { frameIndex: [0, 0.5] }],
  ['ptsSeconds too long', 0, { ptsSeconds: [0, 1, 2] }],
  ['ptsSeconds not finite', 0, { ptsSeconds: [0, NaN] }],
  ['layout unknown', 0, { layout: 'cubes' }],
  ['codec unknown', 0, { codec: 'png' }],
  ['shape not RGB', 0, { shape: [2, 4, 6, 4] }],
  ['shape and data differ', 0, { shape: [2, 4, 7, 3] }],
  ['data a list for raw', 0, { data: [new Uint8Array(144)] }],
  ['data missing', 0, { data: undefined }],
  ['picture missing', 1, { data: [new Uint8Array(1), new Uint8Array(1)] }],
  ['picture empty', 1, { data: [1, 1, 0].map((n) => new Uint8Array(n)) }],
  ['tubelets as jpeg', 2, { codec: 'jpeg', data: [1, 1, 1, 1].map((n) => new Uint8Array(n)) }],
  ['tubelet missing', 2, { tubelet: undefined }],
  ['tubelet does not divide', 2, { tubelet: [3, 4, 4] }],
  ['tubelet not square', 2, { tubelet: [2, 4, 8] }],
  ['clipShape differs', 2, { clipShape: [4, 8, 16, 3] }],
  ['version missing', 0, { v: undefined }],
];

for (const [title, i, change] of WRONG) {
  test(`refused, written and read: ${title}`, (t) => {
    const wrong = { ...makeSample(i), ...change } as Sample;
    t.throws(() => pack(wrong), { instanceOf: RangeError });
    t.throws(() => decodeSample(packr.pack(wrong), { key: 'k' }), { code: 'TUBE_SAMPLE_DAMAGED' });
  });
}

test('a newer version and a used reserve are refused', (t) => {
  const sample = makeSample(0);
  t.throws(() => decodeSample(packr.pack({ ...sample, v: 2 })), {
    code: 'TUBE_VERSION_UNSUPPORTED',
  });
  t.throws(() => pack({ ...sample, boxes: [] }), { instanceOf: RangeError });
  t.deepEqual(decodeSample(packr.pack({ ...sample, boxes: [[1, 2]] })).boxes, [[1, 2]]);
});

const nested = (depth: number): Buffer =>
  Buffer.concat([Buffer.from([0x81, 0xa1, 0x61]), Buffer.alloc(depth, 0x91), Buffer.from([0xc0])]);
const HOSTILE: Readonly<Record<string, Uint8Array>> = {
  empty: new Uint8Array(0),
  'a list': Uint8Array.of(0x90),
  'an integer': Uint8Array.of(1),
  'a reserved type': Uint8Array.of(0x81, 0xa1, 0x61, 0xc1),
  'an extension': Uint8Array.of(0x81, 0xa1, 0x61, 0xd4, 0, 0),
  'an extension with a length': Uint8Array.of(0x81, 0xa1, 0x61, 0xc7, 1, 0, 0),
  'a key that is no text': Uint8Array.of(0x81, 1, 1),
  'a key that is a map': Uint8Array.of(0x81, 0x80, 1),
  'a map of 4 billion': Uint8Array.of(0xdf, 255, 255, 255, 255),
  'a list of 4 billion': Uint8Array.of(0x81, 0xa1, 0x61, 0xdd, 255, 255, 255, 255),
  'a text of 4 billion': Uint8Array.of(0x81, 0xdb, 255, 255, 255, 255),
  'data of 4 billion': Uint8Array.of(0x81, 0xa1, 0x61, 0xc6, 255, 255, 255, 255),
  'bytes behind the end': Uint8Array.of(0x80, 0),
  'deep nesting': nested(9),
  'very deep nesting': nested(1_000_000),
  'two million values': Buffer.concat([
    Uint8Array.of(0x81, 0xa1, 0x61, 0xdd, 0, 0x20, 0, 0),
    Buffer.alloc(0x200000, 0xc0),
  ]),
};
for (const [title, bytes] of Object.entries(HOSTILE)) {
  test(`hostile MessagePack: ${title}`, (t) => {
    t.throws(() => decodeSample(bytes), { code: 'TUBE_SAMPLE_DAMAGED' });
  });
}

test('a sample cut short anywhere is damaged', (t) => {
  for (const i of [0, 1, 2]) {
    const payload = Buffer.concat(pack(makeSample(i)));
    for (let length = 0; length < payload.length; length += 3) {
      t.throws(() => decodeSample(payload.subarray(0, length)), { code: 'TUBE_SAMPLE_DAMAGED' });
    }
  }
});

test('flipped bits and random bytes give a sample or a coded error', (t) => {
  const rng = createRng(1, 'fuzz-msgpack');
  let errors = 0;
  for (let round = 0; round < 4000; round++) {
    const payload = Buffer.concat(pack(makeSample(round % 3)));
    const head = Math.min(payload.length, 400);
    for (let flips = rng.integer(1, 4); flips > 0; flips--) {
      const at = rng.integer(0, head);
      payload[at] = round % 5 === 0 ? rng.integer(0, 256) : payload[at]! ^ (1 << rng.integer(0, 8));
    }
    try {
      decodeSample(payload);
    } catch (error) {
      errors += 1;
      if (!(error instanceof TubeletError)) throw error;
      const codes = ['TUBE_SAMPLE_DAMAGED', 'TUBE_VERSION_UNSUPPORTED'];
      if (!codes.includes(error.code)) t.fail(error.message);
    }
  }
  t.true(errors > 1000);
});
