import { open, readFile, readdir, readlink, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { TubeletError, createRng } from '../../lib/core/index.ts';
import {
  encodeMeta,
  openDataset,
  readDatasetInfo,
  readSidecar,
  writeDatasetInfo,
} from '../../lib/shard/index.ts';
import type { Sample } from '../../lib/shard/index.ts';
import { decodeHead } from '../../lib/shard/sample.ts';
import { buildKeyIndex } from '../../lib/shard/key-index.ts';
import {
  makeSample,
  pack,
  plain,
  temporaryFolder,
  writeDataset,
  writeShard,
} from '../helpers/make-dataset.ts';

const SIZES = [3, 0, 5, 1];
const TOTAL = 9;

/** Paths inside a folder that this process holds open; Linux only. */
async function openIn(folder: string): Promise<string[]> {
  const links = await readdir('/proc/self/fd').catch(() => []);
  const paths = await Promise.all(
    links.map((link) => readlink(`/proc/self/fd/${link}`).catch(() => '')),
  );
  return paths.filter((path) => path.startsWith(folder));
}

async function* iterate<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) yield await Promise.resolve(item);
}

async function toArray<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all = [];
  for await (const item of items) all.push(item);
  return all;
}

async function edit(path: string, change: (text: string) => string): Promise<void> {
  await writeFile(path, change(await readFile(path, 'utf8')));
}

async function make(t: ExecutionContext): Promise<string> {
  const folder = await temporaryFolder(t);
  await writeDataset(folder, SIZES);
  return folder;
}

test('dataset.json comes back as it was', async (t) => {
  const folder = await temporaryFolder(t);
  await t.throwsAsync(openDataset(folder), { code: 'TUBE_DATASET_NOT_FOUND' });
  const info = await writeDataset(folder, SIZES);
  t.deepEqual(await readDatasetInfo(folder), info);
  t.deepEqual(
    (await readdir(folder)).filter((name) => name.endsWith('.tmp')),
    [],
  );
});

test('contradictions in dataset.json are refused', async (t) => {
  const folder = await make(t);
  const info = await readDatasetInfo(folder);
  const wrong = [
    { ...info, totals: { ...info.totals, samples: 1 } },
    { ...info, totals: { ...info.totals, bytes: 1 } },
    { ...info, shards: [...info.shards, { ...info.shards[1]!, samples: 0 }] },
    { ...info, shards: info.shards.map((shard) => ({ ...shard, name: `../${shard.name}` })) },
    { ...info, options: 1 as never },
    { ...info, v: 2 },
  ];
  for (const each of wrong) {
    await t.throwsAsync(writeDatasetInfo(folder, each), { instanceOf: RangeError });
    await writeFile(join(folder, 'dataset.json'), JSON.stringify(each));
    const code = each.v === 2 ? 'TUBE_VERSION_UNSUPPORTED' : 'TUBE_DATASET_DAMAGED';
    await t.throwsAsync(openDataset(folder), { code });
  }
});

test('every sample is found by position, by key and in order', async (t) => {
  const folder = await make(t);
  await using dataset = await openDataset(folder, { maxOpenShards: 1, maxIndexedSamples: 1 });
  t.is(dataset.numSamples, TOTAL);
  const wanted = Array.from({ length: TOTAL }, (_, i) => makeSample(i));
  t.deepEqual(
    await toArray(dataset.keys()),
    wanted.map(({ key }) => key),
  );
  t.deepEqual((await toArray(dataset.samples())).map(plain), wanted.map(plain));
  for (const [i, sample] of [...wanted.entries()].reverse()) {
    t.deepEqual(plain(await dataset.read(i)), plain(sample));
    t.deepEqual(plain(await dataset.readByKey(sample.key)), plain(sample));
    t.deepEqual(Buffer.from(await dataset.readBytes(i)), Buffer.concat(pack(sample)));
    t.is(await dataset.find(sample.key), i);
    const { key, label, frames } = await dataset.entry(i);
    t.deepEqual([key, label, frames], [sample.key, sample.label, sample.frameIndex.length]);
  }
  t.is((await dataset.entry(3)).shard, 'train-000002');
});

test('the head of a sample is read without its pixels, however long it is', async (t) => {
  const folder = await temporaryFolder(t);
  const wide = { ...makeSample(0), shape: [2, 200, 200, 3], data: new Uint8Array(240_000) };
  const count = 40_000;
  const long = {
    ...wide,
    key: 'long',
    source: { ...wide.source, frames: null },
    frameIndex: Array.from({ length: count }, (_, k) => k),
    ptsSeconds: Array.from({ length: count }, (_, k) => k / 30),
    shape: [count, 1, 20, 3],
    data: new Uint8Array(count * 60),
  };
  const samples = [makeSample(2), wide, long] as Sample[];
  const info = await writeDataset(folder, [samples.length]);
  const shards = [await writeShard(folder, info.shards[0]!.name, samples)];
  const { bytes } = shards[0]!;
  await writeDatasetInfo(folder, { ...info, shards, totals: { ...info.totals, bytes } });
  const tar = join(folder, `${info.shards[0]!.name}.tar`);
  const whole = await readFile(tar);
  await using dataset = await openDataset(folder);
  for (const [position, { data: _data, ...head }] of samples.entries()) {
    const { offset, bytes: payload } = await dataset.entry(position);
    t.deepEqual(await dataset.readHead(position), head);
    const damaged = Buffer.from(whole);
    damaged[offset + payload - 1]! ^= 1;
    await writeFile(tar, damaged);
    if (payload > 2 ** 16) t.deepEqual(await dataset.readHead(position), head);
    else await t.throwsAsync(dataset.readHead(position), { code: 'TUBE_SAMPLE_DAMAGED' });
    await writeFile(tar, whole);
  }
});

test('heads with flipped bits: some head or a coded error', async (t) => {
  const rng = createRng(7, 'fuzz-heads');
  const { data: _data, ...meta } = makeSample(2);
  const good = Buffer.concat([encodeMeta(meta), Buffer.alloc(9)]);
  t.deepEqual(decodeHead(good), meta);
  t.is(decodeHead(good.subarray(0, -20)), null);
  for (let round = 0; round < 2000; round++) {
    const bytes = Buffer.from(good);
    bytes[rng.integer(0, bytes.length)]! ^= 1 << rng.integer(0, 8);
    try {
      decodeHead(
        bytes.subarray(0, rng.integer(0, 4) === 0 ? rng.integer(0, bytes.length) : undefined),
      );
    } catch (error) {
      if (!(error instanceof TubeletError)) throw error;
      t.regex(error.code, /^TUBE_(SAMPLE_DAMAGED|VERSION_UNSUPPORTED)$/);
    }
  }
  t.is(decodeHead(Uint8Array.of(0xdf, 0xff, 0xff, 0xff, 0xff)), null);
});

test('positions may come in any order and repeat', async (t) => {
  await using dataset = await openDataset(await make(t));
  const positions = [8, 0, 0, 5];
  const keys = (await toArray(dataset.samples({ positions }))).map(({ key }) => key);
  t.deepEqual(
    keys,
    positions.map((i) => makeSample(i).key),
  );
});

test('many reads at once through few handles', async (t) => {
  const folder = await make(t);
  await using dataset = await openDataset(folder, { maxOpenShards: 1 });
  const positions = Array.from({ length: 300 }, (_, i) => (i * 5) % TOTAL);
  const samples = await Promise.all(positions.map((i) => dataset.read(i)));
  t.deepEqual(
    samples.map(({ key }) => key),
    positions.map((i) => makeSample(i).key),
  );
  t.true((await openIn(folder)).length <= 1);
});

test('positions and keys that do not exist', async (t) => {
  await using dataset = await openDataset(await make(t));
  for (const position of [-1, TOTAL, 0.5, NaN]) {
    await t.throwsAsync(dataset.read(position), { instanceOf: RangeError });
  }
  await t.throwsAsync(dataset.readByKey('none'), { code: 'TUBE_SAMPLE_NOT_FOUND' });
});

test('no file stays open after closing, breaking off, an error or an abort', async (t) => {
  const folder = await make(t);
  const controller = new AbortController();
  {
    await using dataset = await openDataset(folder);
    for await (const sample of dataset.samples()) {
      if (sample.key === makeSample(4).key) break;
    }
    await t.throwsAsync(toArray(dataset.samples({ positions: [0, 99] })), {
      instanceOf: RangeError,
    });
    const { signal } = controller;
    const aborted = async (): Promise<void> => {
      for await (const _ of dataset.samples({ signal })) controller.abort(new Error('enough'));
    };
    await t.throwsAsync(aborted, { message: 'enough' });
    await dataset[Symbol.asyncDispose]();
    t.deepEqual(await openIn(folder), []);
    await t.throwsAsync(dataset.read(0), { instanceOf: TypeError });
  }
  t.deepEqual(await openIn(folder), []);
});

test('closing waits for reads under way', async (t) => {
  const folder = await make(t);
  const dataset = await openDataset(folder);
  const reads = [0, 4, 8].map((i) => dataset.read(i));
  await Promise.all(reads.slice(0, 1));
  await dataset[Symbol.asyncDispose]();
  const results = await Promise.allSettled(reads);
  t.true(results.every((r) => r.status === 'fulfilled' || r.reason instanceof TypeError));
  t.deepEqual(await openIn(folder), []);
});

test('a damaged sample leaves the others readable', async (t) => {
  const folder = await make(t);
  const tar = join(folder, 'train-000002.tar');
  const { samples } = await readSidecar(folder, 'train-000002');
  const bytes = await readFile(tar);
  bytes[samples[1]!.offset + 50]! ^= 4;
  await writeFile(tar, bytes);
  await truncate(tar, samples[4]!.offset + 10);
  await using dataset = await openDataset(folder);
  await t.throwsAsync(dataset.read(4), { code: 'TUBE_SAMPLE_DAMAGED' });
  await t.throwsAsync(dataset.readBytes(7), { code: 'TUBE_SAMPLE_DAMAGED' });
  await t.throwsAsync(toArray(dataset.samples()), { code: 'TUBE_SAMPLE_DAMAGED' });
  for (const i of [3, 5, 6]) t.is((await dataset.read(i)).key, makeSample(i).key);
});

test('an index that names another sample is noticed', async (t) => {
  const folder = await make(t);
  const key = makeSample(3).key;
  await edit(join(folder, 'train-000002.json'), (text) => text.replace(key, 'other'));
  await using dataset = await openDataset(folder);
  await t.throwsAsync(dataset.read(3), { code: 'TUBE_SAMPLE_DAMAGED' });
});

test('missing and foreign shard files', async (t) => {
  const folder = await make(t);
  await rm(join(folder, 'train-000000.tar'));
  await edit(join(folder, 'train-000003.json'), (text) => text.replace('train-000003', 'x'));
  await edit(join(folder, 'train-000002.json'), (text) => text.replace('"v":1', '"v":3'));
  await using dataset = await openDataset(folder);
  await t.throwsAsync(dataset.read(0), { code: 'TUBE_SHARD_NOT_FOUND' });
  await t.throwsAsync(dataset.read(4), { code: 'TUBE_VERSION_UNSUPPORTED' });
  await t.throwsAsync(dataset.read(8), { code: 'TUBE_DATASET_DAMAGED' });
  await rm(join(folder, 'train-000003.json'));
  await t.throwsAsync(dataset.read(8), { code: 'TUBE_DATASET_DAMAGED' });
  await t.throwsAsync(dataset.find('x'), { code: 'TUBE_VERSION_UNSUPPORTED' });
});

test('a sidecar that disagrees with dataset.json is damaged', async (t) => {
  const folder = await make(t);
  await edit(join(folder, 'train-000000.json'), (text) =>
    text.replace(/"sha256":"./, (start) => start.slice(0, -1) + (start.endsWith('0') ? '1' : '0')),
  );
  await using dataset = await openDataset(folder);
  await t.throwsAsync(dataset.read(0), { code: 'TUBE_DATASET_DAMAGED' });
});

test('the key index finds every key among many, and all that occur twice', async (t) => {
  const keys = Array.from({ length: 20_000 }, (_, i) => `key-${i % 19_990}`);
  const index = await buildKeyIndex(iterate(keys), keys.length);
  for (let i = 0; i < keys.length; i += 7) t.true(index.candidates(keys[i]!).includes(i));
  t.true(index.candidates('absent').every((i) => keys[i] !== 'absent'));
  const groups = [...index.collisions()];
  for (let i = 0; i < 10; i++) {
    t.true(groups.some((group) => group.includes(i) && group.includes(i + 19_990)));
  }
});

test('a sample that was found whole is not checked again by those who share the marks', async (t) => {
  const folder = await make(t);
  const checked = new Uint8Array(new SharedArrayBuffer(2));
  await using first = await openDataset(folder, { checked });
  await using second = await openDataset(folder, { checked });
  await using strict = await openDataset(folder);
  const { shard, offset, bytes, key } = await first.entry(4);
  const before = await first.read(4);
  t.deepEqual([...checked], [1 << 4, 0]);
  await using file = await open(join(folder, `${shard}.tar`), 'r+');
  await file.write(Buffer.from([0xff]), 0, 1, offset + bytes - 1);
  await t.throwsAsync(strict.read(4), { code: 'TUBE_SAMPLE_DAMAGED' });
  const after = await second.read(4);
  t.is(after.key, key);
  t.notDeepEqual(after.data, before.data);
  const other = await second.entry(8);
  await using last = await open(join(folder, `${other.shard}.tar`), 'r+');
  await last.write(Buffer.from([0xff]), 0, 1, other.offset + other.bytes - 1);
  for (let i = 0; i < 2; i++) {
    await t.throwsAsync(second.read(8), { code: 'TUBE_SAMPLE_DAMAGED' }); // damage leaves no mark
  }
  await t.throwsAsync(openDataset(folder, { checked: new Uint8Array(1) }), {
    instanceOf: RangeError,
  });
});
