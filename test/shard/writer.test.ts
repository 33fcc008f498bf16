import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import test from 'ava';
import { TubeletError } from '../../lib/core/index.ts';
import { ShardWriter, countBytes, readDoneSidecar, readSidecar } from '../../lib/shard/index.ts';
import { hashFile } from '../../lib/shard/hash-file.ts';
import type { ShardEntry } from '../../lib/shard/index.ts';
import {
  FAILURE,
  WARNING,
  makeSample,
  pack,
  randomBytes,
  temporaryFolder,
  writeShard,
} from '../helpers/make-dataset.ts';

const FACTS = { videos: 1, seconds: 1, failures: [], warnings: [] };
const entry = (key: string, ...payload: Uint8Array[]): ShardEntry => ({
  key,
  bytes: countBytes(payload),
  payload,
  label: 1,
  frames: 1,
});

async function* later(...parts: Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield await Promise.resolve(part);
}

async function* failing(error: Error): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(100_000);
  throw error;
}

test('the sidecar says where every payload lies and what it hashes to', async (t) => {
  const folder = await temporaryFolder(t);
  const samples = [0, 1, 2, 3].map(makeSample);
  const summary = await writeShard(folder, 'a-000000', samples);
  const tar = await readFile(join(folder, 'a-000000.tar'));
  const sidecar = await readSidecar(folder, 'a-000000');
  const sha256 = createHash('sha256').update(tar).digest('hex');
  t.deepEqual(summary, { name: 'a-000000', bytes: tar.length, samples: 4, sha256 });
  t.is(sidecar.sha256, sha256);
  t.is(sidecar.bytes, tar.length);
  t.is(sidecar.seconds, 40);
  t.deepEqual(sidecar.failures, [FAILURE]);
  t.deepEqual(sidecar.warnings, [WARNING]);
  for (const [i, { key, offset, bytes, ...rest }] of sidecar.samples.entries()) {
    const payload = Buffer.concat(pack(samples[i]!));
    t.deepEqual(tar.subarray(offset, offset + bytes), payload);
    t.is(key, samples[i]!.key);
    t.is(rest.crc32, crc32(payload));
    t.is(rest.label, samples[i]!.label);
    t.is(rest.frames, samples[i]!.frameIndex.length);
  }
});

test('headers are plain, all alike, without owner or time', async (t) => {
  const folder = await temporaryFolder(t);
  const key = 'k'.repeat(92);
  await using writer = await ShardWriter.create(folder, 'a');
  await writer.add(entry(key, randomBytes(1000, 'x')));
  await writer.finish(FACTS);
  const tar = await readFile(join(folder, 'a.tar'));
  t.is(tar.length, 512 + 1024 + 1024);
  t.is(tar.toString('latin1', 0, 100), `${key}.msgpack`);
  t.is(
    tar.toString('latin1', 100, 148),
    '000644 \x00000000 \x00000000 \x0000000001750 00000000000 ',
  );
  t.is(tar.toString('latin1', 156, 157), '0');
  t.true(tar.subarray(265, 329).every((byte) => byte === 0));
});

test('bytes depend on the samples alone, not on how they arrive', async (t) => {
  const folder = await temporaryFolder(t);
  const big = randomBytes(70_001, 'big');
  const hashes = new Set<string>();
  for (const name of ['a', 'b', 'c']) {
    await using writer = await ShardWriter.create(folder, name);
    const parts = [big.subarray(0, 3), big.subarray(3, 3), big.subarray(3)];
    const payload = name === 'a' ? [big] : name === 'b' ? later(...parts) : parts;
    await writer.add({ ...entry('k', big), payload });
    for (let i = 0; i < 40; i++) await writer.add(entry(`k${i}`, big));
    hashes.add((await writer.finish(FACTS)).sha256);
  }
  t.is(hashes.size, 1);
});

test('an empty shard is a valid tar', async (t) => {
  const folder = await temporaryFolder(t);
  const summary = await writeShard(folder, 'a', []);
  t.is(summary.bytes, 1024);
  t.is((await readDoneSidecar(folder, 'a'))?.sha256, await hashFile(join(folder, 'a.tar')));
});

test('nothing is left when a writer is closed early, whatever the state', async (t) => {
  const folder = await temporaryFolder(t);
  {
    await using writer = await ShardWriter.create(folder, 'a');
    await writer.add(entry('k', new Uint8Array(3_000_000)));
    t.deepEqual(await readdir(folder), ['a.tar.tmp']);
    await writer[Symbol.asyncDispose]();
  }
  {
    await using writer = await ShardWriter.create(folder, 'b');
    t.truthy(writer);
  }
  {
    await using writer = await ShardWriter.create(folder, 'c');
    const error = new TubeletError('TUBE_DECODE_CRASH');
    const add = writer.add({ ...entry('k', new Uint8Array(200_000)), payload: failing(error) });
    t.is(await t.throwsAsync(add), error);
    await t.throwsAsync(writer.add(entry('l', new Uint8Array(1))), { instanceOf: TypeError });
    await t.throwsAsync(writer.finish(FACTS), { instanceOf: TypeError });
  }
  t.deepEqual(await readdir(folder), []);
});

test('a second add or finish while one is under way is refused', async (t) => {
  const folder = await temporaryFolder(t);
  await using writer = await ShardWriter.create(folder, 'a');
  const first = writer.add(entry('k', new Uint8Array(1_000_000)));
  await t.throwsAsync(writer.add(entry('l', new Uint8Array(1))), { instanceOf: TypeError });
  await first;
  await writer.finish(FACTS);
  await t.throwsAsync(writer.finish(FACTS), { instanceOf: TypeError });
});

const WRONG: Readonly<Record<string, Partial<ShardEntry>>> = {
  'illegal key': { key: 'a.b' },
  'key taken': { key: 'taken' },
  'too few bytes': { bytes: 11 },
  'too many bytes': { bytes: 9 },
  'no bytes': { bytes: 0, payload: [] },
  'no frames': { frames: 0 },
  'label not whole': { label: 0.5 },
};
for (const [title, change] of Object.entries(WRONG)) {
  test(`refused: ${title}`, async (t) => {
    const folder = await temporaryFolder(t);
    await using writer = await ShardWriter.create(folder, 'a');
    await writer.add(entry('taken', new Uint8Array(1)));
    const add = writer.add({ ...entry('k', new Uint8Array(10)), ...change });
    await t.throwsAsync(add, { instanceOf: RangeError });
  });
}

test('a full disk is told as such, and nothing is left', async (t) => {
  const folder = await temporaryFolder(t);
  await symlink('/dev/full', join(folder, 'a.tar.tmp'));
  {
    await using writer = await ShardWriter.create(folder, 'a');
    const addMany = async (): Promise<void> => {
      for (let i = 0; i < 10; i++) await writer.add(entry(`k${i}`, new Uint8Array(2_000_000)));
      await writer.finish(FACTS);
    };
    await t.throwsAsync(addMany, { code: 'TUBE_DISK_FULL' });
  }
  t.deepEqual(await readdir(folder), []);
});

test('a full disk at the last small write is told by finish', async (t) => {
  const folder = await temporaryFolder(t);
  await symlink('/dev/full', join(folder, 'a.tar.tmp'));
  await using writer = await ShardWriter.create(folder, 'a');
  await writer.add(entry('k', new Uint8Array(1000)));
  await t.throwsAsync(writer.finish(FACTS), { code: 'TUBE_DISK_FULL' });
});

test('a folder that is missing, or a file in the way, is not writable', async (t) => {
  const folder = await temporaryFolder(t);
  const code = 'TUBE_OUT_NOT_WRITABLE';
  await t.throwsAsync(ShardWriter.create(join(folder, 'none'), 'a'), { code });
  await writeFile(join(folder, 'file'), '');
  await t.throwsAsync(ShardWriter.create(join(folder, 'file'), 'a'), { code });
  await mkdir(join(folder, 'b.tar'));
  await using writer = await ShardWriter.create(folder, 'b');
  await t.throwsAsync(writer.finish(FACTS), { code });
  await t.throwsAsync(ShardWriter.create(folder, '../a'), { instanceOf: RangeError });
});

test('a shard is done only when tar and sidecar are whole', async (t) => {
  const folder = await temporaryFolder(t);
  t.is(await readDoneSidecar(folder, 'a'), null);
  await writeShard(folder, 'a', [makeSample(0), makeSample(1)]);
  t.deepEqual(await readDoneSidecar(folder, 'a'), await readSidecar(folder, 'a'));
  const [tar, sidecar] = ['a.tar', 'a.json'].map((name) => join(folder, name)) as [string, string];
  const whole = await readFile(tar);
  await writeFile(tar, whole.subarray(0, -1));
  t.is(await readDoneSidecar(folder, 'a'), null);
  await writeFile(tar, whole);
  const text = await readFile(sidecar, 'utf8');
  await writeFile(sidecar, text.slice(0, -5));
  t.is(await readDoneSidecar(folder, 'a'), null);
  await writeFile(sidecar, text.replace('"v":1', '"v":2'));
  await t.throwsAsync(readDoneSidecar(folder, 'a'), { code: 'TUBE_VERSION_UNSUPPORTED' });
});

test('writing a shard anew takes the old sidecar away before the old tar', async (t) => {
  const folder = await temporaryFolder(t);
  await writeShard(folder, 'a', [makeSample(0)]);
  await using writer = await ShardWriter.create(folder, 'a');
  await writer.add(entry('k', new Uint8Array(10)));
  const old = await readDoneSidecar(folder, 'a');
  t.is(old?.sha256, await hashFile(join(folder, 'a.tar')), 'there until the new is whole');
  await writer.finish(FACTS);
  const done = await readDoneSidecar(folder, 'a');
  t.is(done?.sha256, await hashFile(join(folder, 'a.tar')));
  t.is(done?.samples[0]?.key, 'k');
});

test('a sidecar that could not be read again is not written', async (t) => {
  const folder = await temporaryFolder(t);
  await using writer = await ShardWriter.create(folder, 'a');
  const message = 'x'.repeat(2 ** 28);
  const failures = [{ path: 'v.mp4', id: '1', stage: 'open', code: 'TUBE_NOT_VIDEO', message }];
  const error = await t.throwsAsync(writer.finish({ ...FACTS, failures }), {
    instanceOf: RangeError,
  });
  t.true(error.message.includes(join(folder, 'a.json')));
  t.is(await readDoneSidecar(folder, 'a'), null);
});
