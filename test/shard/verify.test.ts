import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { TubeletError, createRng } from '../../lib/core/index.ts';
import {
  openDataset,
  readSidecar,
  verifyDataset,
  verifyShard,
  writeDatasetInfo,
} from '../../lib/shard/index.ts';
import type { Defect, VerifyOptions } from '../../lib/shard/index.ts';
import {
  FAILURE,
  makeSample,
  plain,
  temporaryFolder,
  writeDataset,
  writeShard,
} from '../helpers/make-dataset.ts';

async function defectsOf(defects: AsyncIterable<Defect>): Promise<Defect[]> {
  const all = [];
  for await (const defect of defects) all.push(defect);
  return all;
}

const brief = ({ code, key }: Defect): [string, string | null] => [code, key];

async function verify(folder: string, options?: VerifyOptions): Promise<[string, string | null][]> {
  return (await defectsOf(verifyShard(folder, 'a', options))).map(brief);
}

test('a sound dataset has no defects', async (t) => {
  const folder = await temporaryFolder(t);
  await writeDataset(folder, [3, 0, 4]);
  t.deepEqual(await defectsOf(verifyDataset(folder)), []);
});

test('a flipped bit in a payload is found and named', async (t) => {
  const folder = await temporaryFolder(t);
  await writeShard(folder, 'a', [0, 1, 2].map(makeSample));
  const tar = join(folder, 'a.tar');
  const bytes = await readFile(tar);
  const { samples } = await readSidecar(folder, 'a');
  bytes[samples[1]!.offset + 100]! ^= 1;
  await writeFile(tar, bytes);
  t.deepEqual(await verify(folder), [
    ['TUBE_SHARD_DAMAGED', null],
    ['TUBE_SAMPLE_DAMAGED', samples[1]!.key],
  ]);
});

test('a shard cut short: size, hash, scan and each lost sample', async (t) => {
  const folder = await temporaryFolder(t);
  await writeShard(folder, 'a', [0, 1, 2].map(makeSample));
  const tar = join(folder, 'a.tar');
  const { samples } = await readSidecar(folder, 'a');
  await writeFile(tar, (await readFile(tar)).subarray(0, samples[1]!.offset + 10));
  t.deepEqual(await verify(folder), [
    ['TUBE_SHARD_DAMAGED', null],
    ['TUBE_SHARD_DAMAGED', null],
    ['TUBE_SHARD_DAMAGED', null],
    ['TUBE_SAMPLE_DAMAGED', samples[1]!.key],
    ['TUBE_SAMPLE_DAMAGED', samples[2]!.key],
  ]);
});

test('missing files', async (t) => {
  const folder = await temporaryFolder(t);
  t.deepEqual(await verify(folder), [['TUBE_DATASET_DAMAGED', null]]);
  await writeShard(folder, 'a', [makeSample(0)]);
  await rm(join(folder, 'a.tar'));
  t.deepEqual(await verify(folder), [['TUBE_SHARD_NOT_FOUND', null]]);
  const missing = await defectsOf(verifyDataset(join(folder, 'none')));
  t.deepEqual(missing.map(brief), [['TUBE_DATASET_NOT_FOUND', null]]);
});

test('an index that disagrees with the tar: extra, missing, moved, relabelled', async (t) => {
  const folder = await temporaryFolder(t);
  await writeShard(folder, 'a', [0, 1, 2, 3].map(makeSample));
  const sidecar = await readSidecar(folder, 'a');
  const [first, second, third] = sidecar.samples;
  const samples = [
    { ...first!, label: 4 },
    { ...second!, key: 'other' },
    { ...third!, offset: third!.offset + 512, bytes: 9 },
  ];
  await writeFile(join(folder, 'a.json'), JSON.stringify({ ...sidecar, samples }));
  t.deepEqual(await verify(folder), [
    ['TUBE_SHARD_DAMAGED', second!.key],
    ['TUBE_SHARD_DAMAGED', third!.key],
    ['TUBE_SHARD_DAMAGED', sidecar.samples[3]!.key],
    ['TUBE_SHARD_DAMAGED', 'other'],
    ['TUBE_SAMPLE_DAMAGED', first!.key],
    ['TUBE_SAMPLE_DAMAGED', 'other'],
    ['TUBE_SAMPLE_DAMAGED', third!.key],
  ]);
});

test('checkSample sees every sample, and its coded errors become defects', async (t) => {
  const folder = await temporaryFolder(t);
  const wanted = [0, 1, 2].map(makeSample);
  await writeShard(folder, 'a', wanted);
  const seen: unknown[] = [];
  const defects = await verify(folder, {
    checkSample(sample) {
      seen.push(plain(sample));
      if (sample.key === wanted[1]!.key) throw new TubeletError('TUBE_SAMPLE_DAMAGED');
    },
  });
  t.deepEqual(seen, wanted.map(plain));
  t.deepEqual(defects, [['TUBE_SAMPLE_DAMAGED', wanted[1]!.key]]);
  const broken = verify(folder, {
    checkSample() {
      throw new TypeError('bug');
    },
  });
  await t.throwsAsync(broken, { instanceOf: TypeError });
});

test('an abort ends with its reason', async (t) => {
  const folder = await temporaryFolder(t);
  await writeShard(folder, 'a', [makeSample(0)]);
  const signal = AbortSignal.abort(new Error('enough'));
  await t.throwsAsync(verify(folder, { signal }), { message: 'enough' });
});

test('a key in two shards is found', async (t) => {
  const folder = await temporaryFolder(t);
  const info = await writeDataset(folder, [2, 1]);
  const again = await writeShard(folder, 'again', [makeSample(0)]);
  await writeDatasetInfo(folder, {
    ...info,
    shards: [...info.shards, again],
    totals: { ...info.totals, samples: 4, bytes: info.totals.bytes + again.bytes },
  });
  const all = await defectsOf(verifyDataset(folder));
  const defects = all.filter(({ key }) => key !== null); // the made-up totals are noticed as well
  t.deepEqual(defects.map(brief), [['TUBE_DATASET_DAMAGED', makeSample(0).key]]);
  t.is(defects[0]!.shard, 'again');
});

/** Defects as texts, `shard key: message`. */
async function textsOf(folder: string): Promise<string[]> {
  return (await defectsOf(verifyDataset(folder))).map(
    ({ shard, key, message }) => `${shard ?? ''} ${key ?? ''}: ${message}`,
  );
}

test('every shard that came from another dataset is named, and the others are looked at', async (t) => {
  const folder = await temporaryFolder(t);
  await writeDataset(folder, [1, 1, 1]);
  for (const name of ['train-000000', 'train-000001']) {
    await writeShard(folder, name, [makeSample(name.endsWith('0') ? 7 : 8), makeSample(9)]);
  }
  await rm(join(folder, 'train-000002.tar'));
  const defects = await defectsOf(verifyDataset(folder));
  const found = defects
    .filter(({ shard }) => shard !== null)
    .map(({ code, shard }) => [code, shard]);
  t.deepEqual(found, [
    ['TUBE_DATASET_DAMAGED', 'train-000000'],
    ['TUBE_DATASET_DAMAGED', 'train-000001'],
    ['TUBE_SHARD_NOT_FOUND', 'train-000002'],
    ['TUBE_DATASET_DAMAGED', 'train-000001'], // sample 9 is in both
  ]);
  t.is(defects[0]!.message, 'dataset.json and the sidecar disagree on bytes, samples, sha256');
});

test('a missing sidecar is one defect', async (t) => {
  const folder = await temporaryFolder(t);
  await writeDataset(folder, [1, 1, 1]);
  await rm(join(folder, 'train-000001.json'));
  t.deepEqual(await textsOf(folder), ['train-000001 : file is missing']);
});

test('dataset.json and the sidecars agree on videos, failures and labels', async (t) => {
  const folder = await temporaryFolder(t);
  const info = await writeDataset(folder, [2, 1]);
  await writeDatasetInfo(folder, {
    ...info,
    source: { ...info.source, videos: 6 },
    classes: ['one', 'two'],
    totals: { ...info.totals, failures: { TUBE_NOT_VIDEO: 1, TUBE_NO_FRAMES: 1 } },
  });
  t.deepEqual(await textsOf(folder), [
    `train-000001 ${makeSample(2).key}: label 2 is none of the 2 classes`,
    ' : source.videos is 6, with 3 in the dataset and 2 failed',
    ' : totals.failures.TUBE_NOT_VIDEO is 1, the sidecars sum up to 2',
    ' : totals.failures.TUBE_NO_FRAMES is 1, the sidecars sum up to 0',
  ]);
});

test('failures.jsonl must list the failures of the sidecars', async (t) => {
  const folder = await temporaryFolder(t);
  await writeDataset(folder, [1, 1]);
  const lines = ['train-000000', 'train-000001'].map(
    (shard) => `${JSON.stringify({ shard, ...FAILURE })}\n`,
  );
  const path = join(folder, 'failures.jsonl');
  await writeFile(path, lines.join(''));
  t.deepEqual(await textsOf(folder), []);
  for (const wrong of ['', lines[0]!, lines.toReversed().join('')]) {
    await writeFile(path, wrong);
    t.deepEqual(await textsOf(folder), [
      ' : failures.jsonl does not list the failures of the sidecars',
    ]);
  }
});

test('shard files that dataset.json does not name are listed, other files are not', async (t) => {
  const folder = await temporaryFolder(t);
  await writeDataset(folder, [1]);
  const names = ['train-000001.tar', 'train-000001.json', 'tiny-000000.tar'];
  const others = ['other-000000.tar', 'train.tar', 'plan.json', 'train-000001.tar.tmp', 'a.txt'];
  for (const name of [...names, ...others]) await writeFile(join(folder, name), '');
  t.deepEqual(await textsOf(folder), [
    'tiny-000000 : dataset.json does not name tiny-000000.tar',
    'train-000001 : dataset.json does not name train-000001.json',
    'train-000001 : dataset.json does not name train-000001.tar',
  ]);
});

const READ_CODES = new Set([
  'TUBE_DATASET_DAMAGED',
  'TUBE_DATASET_NOT_FOUND',
  'TUBE_SAMPLE_DAMAGED',
  'TUBE_SHARD_DAMAGED',
  'TUBE_SHARD_NOT_FOUND',
  'TUBE_VERSION_UNSUPPORTED',
]);

for (const name of ['train-000000.tar', 'train-000000.json', 'dataset.json']) {
  test(`flipped bits and cuts in ${name}: the right samples or coded errors, and verify agrees`, async (t) => {
    const folder = await temporaryFolder(t);
    await writeDataset(folder, [3]);
    const wanted = [0, 1, 2].map((i) => plain(makeSample(i)));
    const path = join(folder, name);
    const good = await readFile(path);
    const rng = createRng(7, 'fuzz-files', name);
    for (let round = 0; round < 150; round++) {
      const bytes = Buffer.from(good);
      const at = rng.integer(0, bytes.length);
      bytes[at]! ^= 1 << rng.integer(0, 8);
      await writeFile(path, round % 3 === 0 ? good.subarray(0, at) : bytes);
      const errors: unknown[] = [];
      try {
        await using dataset = await openDataset(folder);
        for (let i = 0; i < dataset.numSamples; i++) {
          try {
            t.deepEqual(plain(await dataset.read(i)), wanted[i]);
          } catch (error) {
            errors.push(error);
          }
        }
      } catch (error) {
        errors.push(error);
      }
      for (const error of errors) {
        if (!(error instanceof TubeletError)) throw error;
        t.true(READ_CODES.has(error.code), error.code);
      }
      const defects = await defectsOf(verifyDataset(folder));
      for (const { code } of defects) t.true(READ_CODES.has(code), code);
      if (errors.length > 0 || name.endsWith('.tar')) t.true(defects.length > 0);
    }
  });
}
