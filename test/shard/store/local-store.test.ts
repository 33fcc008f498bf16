import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import { temporaryFolder } from '../../helpers/make-dataset.ts';
import { equalBytes, failsWith, openQuick, patternBytes, readSpan } from './read-store.ts';

const BYTES = patternBytes(100_000);

test('a read fills its parts one after the other, shared memory and empty parts included', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'a.tar'), BYTES);
  for (const location of [folder, pathToFileURL(folder).href]) {
    const store = openQuick(t, location);
    t.is(store.location, location);
    const shared = new Uint8Array(new SharedArrayBuffer(1000)).subarray(100, 900);
    const parts = [new Uint8Array(7), new Uint8Array(0), shared, new Uint8Array(20_000)];
    await store.read('a.tar', 1234, parts);
    equalBytes(t, Buffer.concat(parts), BYTES.subarray(1234, 1234 + 20_807));
    await store.read('a.tar', 5, []);
  }
});

test('many small parts are filled over several system calls', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'a.tar'), BYTES);
  const parts = Array.from({ length: 3000 }, () => new Uint8Array(3));
  await openQuick(t, folder).read('a.tar', 10, parts);
  equalBytes(t, Buffer.concat(parts), BYTES.subarray(10, 9010));
});

test('small files are read whole, state is told', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'a.json'), BYTES);
  const store = openQuick(t, folder);
  equalBytes(t, await store.readFile('a.json'), BYTES);
  const { bytes, version } = await store.describe('a.json');
  t.is(bytes, BYTES.length);
  await writeFile(join(folder, 'a.json'), patternBytes(100_000, 2));
  t.not((await store.describe('a.json')).version, version);
});

test('what is missing, short or no file has its code', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'a.tar'), BYTES);
  await mkdir(join(folder, 'folder.tar'));
  const store = openQuick(t, folder);
  await failsWith(t, 'TUBE_DATASET_NOT_FOUND', () => store.readFile('dataset.json'));
  await failsWith(t, 'TUBE_DATASET_DAMAGED', () => store.readFile('b.json'));
  await failsWith(t, 'TUBE_SHARD_NOT_FOUND', () => readSpan(store, 'b.tar', [0, 1]));
  await failsWith(t, 'TUBE_SHARD_DAMAGED', () => readSpan(store, 'folder.tar', [0, 1]));
  await failsWith(t, 'TUBE_SAMPLE_DAMAGED', () => readSpan(store, 'a.tar', [99_999, 100_001]));
  t.deepEqual(await readSpan(store, 'a.tar', [99_990, 100_000]), BYTES.subarray(99_990));
});

test('reads at the same time from more files than may be open', async (t) => {
  const folder = await temporaryFolder(t);
  const contents = Array.from({ length: 8 }, (_, i) => patternBytes(1000, i));
  for (const [i, bytes] of contents.entries()) await writeFile(join(folder, `${i}.tar`), bytes);
  const store = openQuick(t, folder, { maxOpenShards: 2 });
  const open = async (): Promise<number> => (await readdir('/proc/self/fd')).length;
  const before = process.platform === 'linux' ? await open() : 0;
  const reads = Array.from({ length: 64 }, (_, i) => readSpan(store, `${i % 8}.tar`, [i, i + 500]));
  for (const [i, bytes] of (await Promise.all(reads)).entries()) {
    equalBytes(t, bytes, contents[i % 8]!.subarray(i, i + 500));
  }
  await store[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
  if (process.platform === 'linux') t.is(await open(), before);
  await t.throwsAsync(() => readSpan(store, '0.tar', [0, 1]), { instanceOf: TypeError });
});

test('locations and options that cannot be are refused', (t) => {
  t.throws(() => openQuick(t, 's3://bucket/data'), { instanceOf: TypeError });
  t.throws(() => openQuick(t, 'http://'), { instanceOf: TypeError });
  t.throws(() => openQuick(t, '.', { maxOpenShards: 0 }), { instanceOf: RangeError });
  t.throws(() => openQuick(t, '.', { cacheBlockBytes: 1000 }), { instanceOf: RangeError });
  t.throws(() => openQuick(t, '.', { cacheBytes: 1000 }), { instanceOf: RangeError });
  t.throws(() => openQuick(t, '.', { stallSeconds: 0 }), { instanceOf: RangeError });
  t.is(openQuick(t, 'C:/data').location, 'C:/data');
});
