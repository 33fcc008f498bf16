import test from 'ava';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BadSample, LoaderOptions } from '../../lib/load/index.ts';
import { openLoader, replaceSample } from '../../lib/load/index.ts';
import { hashBatch, hashClips, runLoader } from '../helpers/batches.ts';
import { damageClips, writeClips } from '../helpers/make-clips.ts';
import type { ClipsForm } from '../helpers/make-clips.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';

const FORM: ClipsForm = { layout: 'tubelets', shape: [4, 8, 12, 3], sizes: [5, 5] };
const OPTIONS = { batchSize: 4, seed: 9, dtype: 'uint8', workers: 2 } as const;

/** A dataset in which a byte of some samples is another. */
async function damagedDataset(
  t: Parameters<typeof temporaryFolder>[0],
  bad: readonly number[],
): Promise<string> {
  const folder = await temporaryFolder(t);
  await writeClips(folder, FORM);
  await damageClips(folder, bad);
  return folder;
}

test('a bad sample ends the run, in its turn and by its name', async (t) => {
  const folder = await damagedDataset(t, [3]);
  const whole = await damagedDataset(t, []);
  const { batches } = await runLoader(whole, OPTIONS);
  const bad = batches.findIndex(({ samples }) => samples.includes(3));
  for (const workers of [1, 3]) {
    const given: string[] = [];
    const error = await t.throwsAsync(
      (async () => {
        await using loader = await openLoader(folder, { ...OPTIONS, workers });
        for await (const batch of loader) given.push(hashBatch(batch));
      })(),
      { code: 'TUBE_SAMPLE_DAMAGED' },
    );
    t.true(error.message.includes('train-clip-00003'));
    t.deepEqual(given, batches.slice(0, bad).map(hashBatch));
  }
});

test('a skipped sample is replaced by the one that its place says, and counted', async (t) => {
  const folder = await damagedDataset(t, [3, 7]);
  const whole = await damagedDataset(t, []);
  const wanted = await runLoader(whole, { ...OPTIONS, epochs: 3 });
  const told: BadSample[] = [];
  const options: LoaderOptions = { ...OPTIONS, epochs: 3, onError: 'skip' };
  const run = await runLoader(folder, { ...options, onBadSample: (bad) => told.push(bad) });
  const samples = run.batches.flatMap((batch) => batch.samples);
  const expected = wanted.batches.flatMap((batch) =>
    batch.samples.map((sample: number, place): number => {
      const position = batch.batchIndex * 4 + place;
      let taken: number = sample;
      for (let attempt = 1; taken === 3 || taken === 7; attempt++) {
        taken = replaceSample(sample, 10, { seed: 9, epoch: batch.epoch, position, attempt })!;
      }
      return taken;
    }),
  );
  t.deepEqual(samples, expected);
  t.true(run.report.skipped['TUBE_SAMPLE_DAMAGED']! >= 6);
  t.is(told.length, run.report.skipped['TUBE_SAMPLE_DAMAGED']!);
  t.true(told.every(({ sample, key }) => key === `train-clip-0000${sample}`));
  t.deepEqual(run.report.missing, {});
  // The same on every machine: other workers, and any rank.
  const again = await runLoader(folder, { ...options, workers: 1 });
  t.deepEqual(again.batches.map(hashBatch), run.batches.map(hashBatch));
  const ranks = await Promise.all(
    [0, 1].map((rank) =>
      runLoader(folder, { ...options, batchSize: 2, worldSize: 2, rank, remainder: 'uneven' }),
    ),
  );
  t.deepEqual(
    ranks.flatMap(({ batches }) => batches.flatMap(hashClips)).toSorted(),
    run.batches.flatMap(hashClips).toSorted(),
  );
});

test('in evaluation a missing clip is empty, named and counted, never replaced', async (t) => {
  const folder = await damagedDataset(t, [3]);
  const told: BadSample[] = [];
  const { batches, report } = await runLoader(folder, {
    ...OPTIONS,
    shuffle: 'none',
    onError: 'missing',
    onBadSample: (bad) => told.push(bad),
  });
  const [first] = batches;
  t.deepEqual(first!.isMissing, [false, false, false, true]);
  t.deepEqual(first!.keys[3], 'train-clip-00003');
  t.is(first!.labels[3], 0);
  const clip = first!.pixels!.data.length / 4;
  t.true(first!.pixels!.data.subarray(3 * clip).every((value) => value === 0));
  t.true(first!.pixels!.data.subarray(0, 3 * clip).some((value) => value !== 0));
  t.deepEqual(report.missing, { TUBE_SAMPLE_DAMAGED: 1 });
  t.deepEqual(report.skipped, {});
  t.is(told.length, 1);
  t.is(told[0]!.key, 'train-clip-00003');
  t.is(batches.flatMap(({ isMissing }) => isMissing.filter(Boolean)).length, 1);
});

test('a shard that is gone is skipped sample by sample; when nothing is left the run ends', async (t) => {
  const folder = await damagedDataset(t, []);
  await rm(join(folder, 'train-000001.tar'));
  const { batches, report } = await runLoader(folder, { ...OPTIONS, onError: 'skip' });
  t.true(batches.every(({ samples }) => samples.every((sample) => sample < 5)));
  t.true(report.skipped['TUBE_SHARD_NOT_FOUND']! >= 5);
  await rm(join(folder, 'train-000000.tar'));
  await t.throwsAsync(runLoader(folder, { ...OPTIONS, onError: 'skip' }), {
    code: 'TUBE_SHARD_NOT_FOUND',
  });
});

test('a sample of another shape is a bad sample', async (t) => {
  const folder = await temporaryFolder(t);
  const info = await writeClips(folder, { ...FORM, sizes: [4] });
  const other = await temporaryFolder(t);
  await writeClips(other, { ...FORM, name: 'other', shape: [4, 4, 4, 3], sizes: [3] });
  // A dataset of both shards.
  for (const extension of ['tar', 'json']) {
    const name = `other-000000.${extension}`;
    await writeFile(join(folder, name), await readFile(join(other, name)));
  }
  const theirs = JSON.parse(await readFile(join(other, 'dataset.json'), 'utf8'));
  const both = {
    ...info,
    totals: { ...info.totals, samples: 7, bytes: info.totals.bytes + theirs.totals.bytes },
    shards: [...info.shards, ...theirs.shards],
  };
  await writeFile(join(folder, 'dataset.json'), JSON.stringify(both));
  await t.throwsAsync(runLoader(folder, OPTIONS), { code: 'TUBE_SAMPLE_SHAPE' });
  const { batches, report } = await runLoader(folder, { ...OPTIONS, onError: 'skip' });
  t.is(batches.flatMap(({ keys }) => keys).length, 7);
  t.true(batches.flatMap(({ keys }) => keys).every((key) => key.startsWith('train-')));
  t.true(report.skipped['TUBE_SAMPLE_SHAPE']! >= 3);
});
