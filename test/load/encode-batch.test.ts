import { readFileSync } from 'node:fs';
import test from 'ava';
import { encodeBatch, openLoader } from '../../lib/load/index.ts';
import type { Batch, BatchFormat, LoaderOptions } from '../../lib/load/index.ts';
import {
  expectMsgpack,
  npyTexts,
  readMsgpack,
  readNpy,
  tensorsOf,
} from '../helpers/batch-stream.ts';
import { keep } from '../helpers/batches.ts';
import { writeClips } from '../helpers/make-clips.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';
import { projectFile } from '../helpers/project.ts';
import { runPython, testWithPython } from '../helpers/python.ts';

const COMMON = { batchSize: 4, numFrames: 4, size: 16, tubelet: [2, 4, 4], seed: 3 } as const;
/** One kind of batch after the other, so that every field and every tensor occurs. */
const KINDS: Readonly<Record<string, LoaderOptions>> = {
  'clips in bytes': { ...COMMON, dtype: 'uint8', form: 'frames', epochs: 2 },
  'masked clips': { ...COMMON, mask: { kind: 'tube', ratio: 0.5 } },
  'mixed clips': {
    ...COMMON,
    repeats: 2,
    smoothing: 0.1,
    mix: { mixupAlpha: 0.8, cutmixAlpha: 1, probability: 1, switchProbability: 0.5 },
  },
  'test views': { ...COMMON, views: { segments: 2, crops: 3 }, dtype: 'uint8' },
};

/** A run as kept batches with the cursor behind each, and as a stream. */
async function streamRun(
  t: Parameters<typeof temporaryFolder>[0],
  options: LoaderOptions,
  format: BatchFormat,
): Promise<{ batches: Batch[]; cursors: unknown[]; bytes: Buffer }> {
  const folder = await temporaryFolder(t);
  await writeClips(folder, { layout: 'raw', shape: [9, 20, 26, 3], sizes: [4, 6] });
  await using loader = await openLoader(folder, options);
  const batches: Batch[] = [];
  const cursors: unknown[] = [];
  const parts: Uint8Array[] = [];
  for await (const batch of loader) {
    const cursor = loader.cursor();
    batches.push(keep(batch));
    cursors.push(cursor);
    parts.push(...encodeBatch(batch, format, cursor).map((part) => Uint8Array.from(part)));
  }
  return { batches, cursors, bytes: Buffer.concat(parts) };
}

for (const [kind, options] of Object.entries(KINDS)) {
  test(`${kind} come through MessagePack as they were`, async (t) => {
    const { batches, cursors, bytes } = await streamRun(t, options, 'msgpack');
    const expected = batches.map((batch, i) => expectMsgpack(batch, cursors[i]));
    t.deepEqual(readMsgpack(bytes), expected);
  });

  test(`${kind} come through NumPy arrays as they were`, async (t) => {
    const { batches, cursors, bytes } = await streamRun(t, options, 'npy');
    const arrays = readNpy(bytes);
    for (const [i, batch] of batches.entries()) {
      const names = npyTexts(arrays.shift()!);
      const got = new Map(names.map((name) => [name, arrays.shift()!]));
      const int32 = (...values: number[]): Buffer => Buffer.from(Int32Array.from(values).buffer);
      for (const name of ['epoch', 'batchIndex', 'step'] as const) {
        t.deepEqual(got.get(name), { descr: '<i4', shape: [], data: int32(batch[name]) });
      }
      t.deepEqual(got.get('cursor')!.shape, []);
      t.deepEqual(JSON.parse(npyTexts(got.get('cursor')!)[0]!), cursors[i]);
      const { keys, samples, labels, frameIndex, views, isPad, isMissing } = batch;
      t.deepEqual(npyTexts(got.get('keys')!), [...keys]);
      t.deepEqual(npyTexts(got.get('datasets')!), [...batch.datasets]);
      const list = (data: Buffer, ...shape: number[]) => ({ descr: '<i4', shape, data });
      const size = keys.length;
      t.deepEqual(got.get('samples'), list(int32(...samples), size));
      t.deepEqual(got.get('labels'), list(int32(...labels), size));
      t.deepEqual(got.get('frameIndex'), list(int32(...frameIndex.flat()), size, 4));
      const flags = (values: readonly boolean[]) => Buffer.from(values.map(Number));
      t.deepEqual(got.get('isPad'), { descr: '|b1', shape: [size], data: flags(isPad) });
      t.deepEqual(got.get('isMissing'), { descr: '|b1', shape: [size], data: flags(isMissing) });
      const places = views?.flatMap(({ segment, crop }) => [segment, crop]);
      t.deepEqual(
        got.get('views'),
        places === undefined ? undefined : list(int32(...places), size, 2),
      );
      const tensors = tensorsOf(batch);
      t.deepEqual(
        names.slice(-tensors.length),
        tensors.map(([name]) => name),
      );
      for (const [name, { dtype, shape, data }] of tensors) {
        const descr = { uint8: '|u1', int32: '<i4', float32: '<f4' }[dtype];
        t.deepEqual(got.get(name), { descr: descr!, shape, data });
      }
      t.is(names.length, new Set(names).size);
    }
    t.is(arrays.length, 0);
  });

  testWithPython(
    `shards/read_batches.py reads ${kind} in both formats`,
    ['numpy', 'msgpack'],
    async (t) => {
      for (const format of ['msgpack', 'npy'] as const) {
        const { batches, cursors, bytes } = await streamRun(t, options, format);
        const { code, stdout, stderr } = await runPython(['-c', DUMP], bytes);
        t.is(code, 0, stderr);
        const lines = stdout.trimEnd().split('\n');
        t.deepEqual(
          lines.map((line) => JSON.parse(line) as unknown),
          batches.map((batch, i) => expectPython(batch, cursors[i])),
        );
      }
    },
  );
}

/** Prints each batch as JSON: arrays as type, shape and bytes; texts and their like as lists. */
const DUMP = `
import json, sys
sys.path.insert(0, ${JSON.stringify(projectFile('shards'))})
from read_batches import read_batches
for batch in read_batches():
    out = {}
    for name, value in batch.items():
        if not hasattr(value, 'dtype'): out[name] = value
        elif value.dtype.kind == 'U': out[name] = value.tolist()
        else: out[name] = [str(value.dtype), list(value.shape), value.tobytes().hex()]
    out.pop('mix', None)
    print(json.dumps(out))
`;

function expectPython(batch: Batch, cursor: unknown): unknown {
  const { epoch, batchIndex, step, keys, datasets, labels, samples, frameIndex, views } = batch;
  const int32 = (values: readonly number[], shape: readonly number[]): unknown => [
    'int32',
    shape,
    Buffer.from(Int32Array.from(values).buffer).toString('hex'),
  ];
  const flags = (values: readonly boolean[]): unknown => [
    'bool',
    [values.length],
    Buffer.from(values.map(Number)).toString('hex'),
  ];
  const size = keys.length;
  const places = views?.flatMap(({ segment, crop }) => [segment, crop]);
  return {
    epoch,
    batchIndex,
    step,
    cursor: JSON.stringify(cursor),
    keys,
    datasets,
    labels: int32([...labels], [size]),
    samples: int32(samples, [size]),
    frameIndex: int32(frameIndex.flat(), [size, 4]),
    isPad: flags(batch.isPad),
    isMissing: flags(batch.isMissing),
    ...(places === undefined ? {} : { views: int32(places, [size, 2]) }),
    ...Object.fromEntries(
      tensorsOf(batch).map(([name, { dtype, shape, data }]) => [
        name,
        [dtype, shape, data.toString('hex')],
      ]),
    ),
  };
}

testWithPython(
  'shards/read_batches.py refuses streams that are cut',
  ['numpy', 'msgpack'],
  async (t) => {
    for (const format of ['msgpack', 'npy'] as const) {
      const { bytes } = await streamRun(t, KINDS['masked clips']!, format);
      const script = projectFile('shards', 'read_batches.py');
      const whole = await runPython([script], bytes);
      t.is(whole.code, 0, whole.stderr);
      t.is(whole.stdout.split('\n').length, 4);
      t.regex(whole.stdout, /^step 0, epoch 0: 4 clips, .*visible float32\[4, \d+, 96\]/);
      for (const left of [1, 700, bytes.length - 1, bytes.length - 5000]) {
        const cut = await runPython([script], bytes.subarray(0, left));
        t.is(cut.code, 1, `${format}, ${left} bytes`);
        t.regex(cut.stderr, /EOF|middle of a batch/);
      }
    }
    const none = await runPython([projectFile('shards', 'read_batches.py')]);
    t.like(none, { code: 0, stdout: '', stderr: '' });
  },
);

test('shards/read_batches.py is short and needs numpy and msgpack only', (t) => {
  const text = readFileSync(projectFile('shards', 'read_batches.py'), 'utf8');
  t.true(text.trimEnd().split('\n').length < 60);
  const modules = [...text.matchAll(/^ *(?:import|from) (\w+)/gm)].map(([, name]) => name!);
  t.deepEqual(modules.toSorted(), ['msgpack', 'numpy', 'sys', 'types']);
});

test('tensors are views of the batch, not copies', async (t) => {
  const folder = await temporaryFolder(t);
  await writeClips(folder, { layout: 'raw', shape: [9, 20, 26, 3], sizes: [4] });
  await using loader = await openLoader(folder, KINDS['masked clips']!);
  const batch = await loader.next();
  for (const format of ['msgpack', 'npy'] as const) {
    const parts = encodeBatch(batch!, format);
    for (const name of ['visible', 'target', 'visibleTokens', 'maskedTokens'] as const) {
      const { buffer, byteOffset, byteLength } = batch![name]!.data;
      t.is(
        parts.filter(
          (part) =>
            part.buffer === buffer &&
            part.byteOffset === byteOffset &&
            part.byteLength === byteLength,
        ).length,
        1,
      );
    }
  }
});

test('clips that are missing have frames -1, so that all rows are of one length', (t) => {
  const batch: Batch = {
    epoch: 0,
    batchIndex: 0,
    step: 0,
    keys: ['a', 'ü'],
    samples: [0, 1],
    datasets: ['', ''],
    labels: Int32Array.of(2, -1),
    frameIndex: [[4, 6], []],
    views: null,
    isPad: [false, false],
    isMissing: [false, true],
    pixels: { dtype: 'uint8', shape: [2, 1, 3], data: Uint8Array.of(1, 2, 3, 0, 0, 0) },
  };
  const [map] = readMsgpack(Buffer.concat(encodeBatch(batch, 'msgpack')));
  t.like(map, {
    cursor: null,
    labels: [2, -1],
    frameIndex: [
      [4, 6],
      [-1, -1],
    ],
  });
  t.deepEqual(Object.keys(map!).slice(-3), ['shape', 'dtype', 'data']);
  const arrays = readNpy(Buffer.concat(encodeBatch(batch, 'npy')));
  const names = npyTexts(arrays[0]!);
  t.false(names.includes('cursor'));
  const { shape, data } = arrays[1 + names.indexOf('frameIndex')]!;
  t.deepEqual(shape, [2, 2]);
  t.deepEqual([...new Int32Array(Uint8Array.from(data).buffer)], [4, 6, -1, -1]);
  t.deepEqual(npyTexts(arrays[1 + names.indexOf('keys')]!), ['a', 'ü']);
  t.throws(() => encodeBatch(batch, 'csv' as 'npy'), { instanceOf: RangeError });
});
