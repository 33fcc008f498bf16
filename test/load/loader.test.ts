import test from 'ava';
import { createSequence, openLoader } from '../../lib/load/index.ts';
import type { LoaderOptions } from '../../lib/load/index.ts';
import { openDataset } from '../../lib/shard/index.ts';
import { hashBatch, hashClips, keep, runLoader } from '../helpers/batches.ts';
import { CLASSES, clipPixels, writeClips } from '../helpers/make-clips.ts';
import type { ClipsForm } from '../helpers/make-clips.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';

const TUBELETS: ClipsForm = { layout: 'tubelets', shape: [4, 8, 12, 3], sizes: [5, 3, 6] };
const RAW: ClipsForm = { layout: 'raw', shape: [9, 20, 26, 3], sizes: [4, 6] };
/** Everything that can be drawn about a clip. */
const AUGMENTED = {
  numFrames: 4,
  size: 16,
  tubelet: [2, 4, 4],
  frames: 'dense-exact',
  crop: 'resized',
  resize: 'reference',
  randAugment: 'rand-m7-n4-mstd0.5-inc1',
  flip: 0.5,
  erasing: 0.5,
  batchSize: 4,
  seed: 3,
} as const satisfies LoaderOptions;

test('batches hold the bytes of the samples, in the order of the sequence', async (t) => {
  const folder = await temporaryFolder(t);
  await writeClips(folder, TUBELETS);
  const options = { batchSize: 4, seed: 5, epochs: 2, dtype: 'uint8' } as const;
  const { batches, report } = await runLoader(folder, options);
  const sequence = createSequence({
    datasets: [{ shardSamples: TUBELETS.sizes }],
    seed: 5,
    shuffle: 'global',
  });
  await using dataset = await openDataset(folder);
  t.is(batches.length, 8);
  t.deepEqual(
    batches.map(({ keys }) => keys.length),
    [4, 4, 4, 2, 4, 4, 4, 2],
  );
  for (const [number, batch] of batches.entries()) {
    t.is(batch.step, number);
    t.is(batch.epoch, Math.floor(number / 4));
    t.is(batch.batchIndex, number % 4);
    t.deepEqual(batch.pixels!.shape, [batch.keys.length, 12, 96]);
    for (const [place, key] of batch.keys.entries()) {
      const { sample } = sequence.at(batch.epoch, batch.batchIndex * 4 + place);
      const expected = await dataset.read(sample);
      t.is(key, expected.key);
      t.is(batch.samples[place], sample);
      t.is(batch.labels[place], sample % CLASSES.length);
      t.deepEqual(batch.frameIndex[place], expected.frameIndex);
      const data = batch.pixels!.data.subarray(place * 12 * 96, (place + 1) * 12 * 96);
      t.deepEqual(Buffer.from(data), Buffer.from(expected.data as Uint8Array));
    }
  }
  t.like(report, { batches: 8, clips: 28, skipped: {}, missing: {} });
});

test('workers and prefetching change nothing', async (t) => {
  const [tubelets, raw] = [await temporaryFolder(t), await temporaryFolder(t)];
  await writeClips(tubelets, TUBELETS);
  await writeClips(raw, RAW);
  const runs: [string, LoaderOptions][] = [
    [tubelets, { batchSize: 3, seed: 1, epochs: 2 }],
    [tubelets, { batchSize: 3, seed: 1, mask: { kind: 'tube', ratio: 0.5 } }],
    [raw, { ...AUGMENTED, epochs: 2, repeats: 2, remainder: 'drop' }],
    [raw, { ...AUGMENTED, mix: MIX, smoothing: 0.1 }],
  ];
  for (const [folder, options] of runs) {
    const wanted = await runLoader(folder, { ...options, workers: 1, prefetchBatches: 1 });
    for (const host of [{ workers: 3 }, { workers: 2, prefetchBatches: 7 }]) {
      const { batches } = await runLoader(folder, { ...options, ...host });
      t.deepEqual(batches.map(hashBatch), wanted.batches.map(hashBatch));
    }
    t.is(new Set(wanted.batches.map(hashBatch)).size, wanted.batches.length);
  }
});

const MIX = { mixupAlpha: 0.8, cutmixAlpha: 1, probability: 1, switchProbability: 0.5 };

test('ranks are disjoint and together everything, with the same pixels as one rank', async (t) => {
  const folder = await temporaryFolder(t);
  await writeClips(folder, RAW);
  const one = await runLoader(folder, { ...AUGMENTED, batchSize: 6 });
  const wanted = one.batches.flatMap(hashClips);
  t.is(wanted.length, 10);
  for (const remainder of ['drop', 'pad', 'uneven'] as const) {
    const ranks = await Promise.all(
      [0, 1, 2].map((rank) =>
        runLoader(folder, { ...AUGMENTED, batchSize: 2, worldSize: 3, rank, remainder }),
      ),
    );
    const clips = ranks.flatMap(({ batches }) =>
      batches.flatMap((batch) => hashClips(batch).filter((_, i) => batch.isPad[i] !== true)),
    );
    const expected = remainder === 'drop' ? wanted.slice(0, 6) : wanted;
    t.deepEqual(clips.toSorted(), expected.toSorted());
    if (remainder !== 'uneven') {
      t.deepEqual(new Set(ranks.map(({ batches }) => batches.length)).size, 1);
    }
  }
});

test('a run goes on behind every batch, with other workers and world sizes', async (t) => {
  const folder = await temporaryFolder(t);
  await writeClips(folder, RAW);
  const options = { ...AUGMENTED, epochs: 3, repeats: 2 };
  await using loader = await openLoader(folder, options);
  const cursors: unknown[] = [loader.cursor()];
  const hashes: string[] = [];
  const clips: string[][] = [];
  for await (const batch of loader) {
    hashes.push(hashBatch(batch));
    clips.push(hashClips(batch));
    cursors.push(JSON.parse(JSON.stringify(loader.cursor())));
    t.true(Buffer.byteLength(JSON.stringify(loader.cursor())) < 1024);
  }
  t.is(hashes.length, 9);
  for (const [done, cursor] of cursors.entries()) {
    const { batches } = await runLoader(folder, { ...options, cursor, workers: 1 });
    t.deepEqual(batches.map(hashBatch), hashes.slice(done));
    t.deepEqual(
      batches.map(({ step }) => step),
      hashes.map((_, step) => step).slice(done),
    );
  }
  const half = { ...options, batchSize: 2, worldSize: 2, remainder: 'uneven' } as const;
  const ranks = await Promise.all(
    [0, 1].map((rank) => runLoader(folder, { ...half, rank, cursor: cursors[4] })),
  );
  t.deepEqual(
    ranks.flatMap(({ batches }) => batches.flatMap(hashClips)).toSorted(),
    clips.slice(4).flat().toSorted(),
  );
});

test('a cursor of other shards, options or arithmetic is refused', async (t) => {
  const [folder, other] = [await temporaryFolder(t), await temporaryFolder(t)];
  await writeClips(folder, RAW);
  await writeClips(other, { ...RAW, sizes: [6, 4] });
  await using loader = await openLoader(folder, AUGMENTED);
  await loader.next();
  const cursor = loader.cursor();
  const refused = { code: 'TUBE_CURSOR_MISMATCH' };
  await t.throwsAsync(openLoader(other, { ...AUGMENTED, cursor }), refused);
  const changes: Partial<LoaderOptions>[] = [
    { seed: 4 },
    { shuffle: 'none' },
    { flip: 0.25 },
    { repeats: 2 },
    { dtype: 'uint8', erasing: 0 },
    { batchSize: 3 },
    { epochSamples: 8 },
  ];
  for (const change of changes) {
    await t.throwsAsync(openLoader(folder, { ...AUGMENTED, ...change, cursor }), refused);
  }
  await t.throwsAsync(openLoader(folder, { ...AUGMENTED, cursor: 'nonsense' }), refused);
});

test('repeats are the same frames, each augmented anew', async (t) => {
  const folder = await temporaryFolder(t);
  await writeClips(folder, RAW);
  const { batches } = await runLoader(folder, { ...AUGMENTED, repeats: 3 });
  for (const batch of batches) {
    const clips = hashClips(batch);
    for (let first = 0; first < clips.length; first += 3) {
      const three = clips.slice(first, first + 3);
      t.is(new Set(three.map((clip) => clip.split(' ')[0])).size, 1);
      t.is(new Set(three).size, 3);
      t.deepEqual(batch.frameIndex[first], batch.frameIndex[first + 2]);
    }
  }
  const once = await runLoader(folder, AUGMENTED);
  t.deepEqual(
    batches.flatMap(hashClips).filter((_, i) => i % 3 === 0),
    once.batches.flatMap(hashClips),
  );
});

test('datasets are mixed by weight', async (t) => {
  const [a, b] = [await temporaryFolder(t), await temporaryFolder(t)];
  await writeClips(a, { ...TUBELETS, name: 'a', sizes: [14] });
  await writeClips(b, { ...TUBELETS, name: 'b', sizes: [6] });
  const options = { batchSize: 4, seed: 0, dtype: 'uint8' } as const;
  const { batches } = await runLoader({ [a]: 0.7, [b]: 0.3 }, options);
  const datasets = batches.flatMap((batch) => batch.datasets);
  t.is(datasets.length, 20);
  t.is(datasets.filter((name) => name === 'a').length, 14);
  t.is(new Set(batches.flatMap(({ keys }) => keys)).size, 20);
  for (let place = 1; place <= 20; place++) {
    const given = datasets.slice(0, place).filter((name) => name === 'a').length;
    t.true(Math.abs(given - 0.7 * place) < 1);
  }
  for (const batch of batches) {
    for (const [i, name] of batch.datasets.entries()) t.true(batch.keys[i]!.startsWith(`${name}-`));
  }
});

test('test views come one after the other, and nothing is drawn', async (t) => {
  const folder = await temporaryFolder(t);
  await writeClips(folder, { ...RAW, sizes: [2] });
  const views = { segments: 2, crops: 3 };
  const { batches } = await runLoader(folder, {
    batchSize: 4,
    numFrames: 4,
    size: 20,
    form: 'frames',
    dtype: 'uint8',
    frames: 'dense',
    views,
  });
  t.deepEqual(
    batches.flatMap((batch) => batch.views!.map(({ segment, crop }) => `${segment}${crop}`)),
    ['00', '01', '02', '10', '11', '12', '00', '01', '02', '10', '11', '12'],
  );
  t.deepEqual(
    batches.flatMap(({ samples }) => samples),
    [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1],
  );
  // Frames of 26 x 20 are not scaled; crops begin at columns 0, 3 and 6, segments at frames 0 and 5.
  const whole = clipPixels('train', 1, RAW.shape);
  const [, , last] = batches;
  const lastView = last!.pixels!.data.subarray(3 * 4 * 20 * 20 * 3);
  for (let frame = 0; frame < 4; frame++) {
    for (let row = 0; row < 20; row++) {
      const from = (((frame + 5) * 20 + row) * 26 + 6) * 3;
      const to = (frame * 20 + row) * 20 * 3;
      t.deepEqual(
        Buffer.from(lastView.slice(to, to + 60)),
        Buffer.from(whole.slice(from, from + 60)),
      );
    }
  }
});

test('options that do not go together are refused', async (t) => {
  const [tubelets, raw] = [await temporaryFolder(t), await temporaryFolder(t)];
  await writeClips(tubelets, TUBELETS);
  await writeClips(raw, RAW);
  const ok = { batchSize: 2, seed: 0 };
  const wrong: [string, LoaderOptions, string][] = [
    [raw, { batchSize: 2 }, 'seed'],
    [raw, { ...ok, batchSize: 0 }, 'batchSize'],
    [raw, { ...ok, worldSize: 2 }, 'remainder'],
    [raw, { ...ok, worldSize: 2, rank: 2, remainder: 'drop' }, 'rank'],
    [raw, { ...ok, size: 100 }, 'size'],
    [raw, { ...ok, numFrames: 5 }, 'numFrames'],
    [raw, { ...ok, crop: 'no' as 'center' }, 'crop'],
    [raw, { ...ok, erasing: 0.5, dtype: 'uint8' }, 'erasing'],
    [raw, { ...ok, mask: { kind: 'tube', ratio: 0 } }, 'mask'],
    [raw, { ...ok, mask: { kind: 'tube', ratio: 0.9 }, form: 'frames' }, 'mask'],
    [raw, { ...ok, views: { segments: 1, crops: 1 }, onError: 'skip' }, 'onError'],
    [raw, { ...ok, batchSize: 3, mix: MIX }, 'mix'],
    [raw, { ...ok, maxBytes: 1000 }, 'maxBytes'],
    [raw, { ...ok, workers: 0 }, 'workers'],
    [raw, { ...ok, epochs: 0 }, 'epochs'],
    [tubelets, { ...ok, crop: 'center' }, 'crop'],
    [tubelets, { ...ok, resize: 'decoder' }, 'resize'],
    [tubelets, { ...ok, keepDirection: ['left'] }, 'keepDirection'],
    [raw, { ...ok, keepDirection: ['lefft'] }, 'keepDirection'],
    [raw, { ...ok, windowShards: 2 }, 'windowShards'],
    [raw, { ...ok, numClasses: 3 }, 'numClasses'],
    [raw, { ...ok, smoothing: 0.1, numClasses: 0 }, 'numClasses'],
    [raw, { ...ok, smoothing: 2 }, 'smoothing'],
    [raw, { ...ok, mix: { ...MIX, mixupAlpha: -1 } }, 'mix.mixupAlpha'],
    [raw, { ...ok, mix: { ...MIX, probability: 2 } }, 'mix.probability'],
    [raw, { ...ok, colours: { mean: [0, 0, 0], std: [1, 1, 0] } }, 'colours.std'],
    [raw, { ...ok, views: { segments: 1, crops: 1 }, flip: 0.5 }, 'flip'],
    [raw, { ...ok, views: { segments: 1, crops: 1 }, mix: MIX }, 'mix'],
    [raw, { ...ok, views: { segments: 1, crops: 1 }, repeats: 2 }, 'repeats'],
    [tubelets, { ...ok, size: 16 }, 'size'],
    [tubelets, { ...ok, tubelet: [2, 2, 2] }, 'tubelet'],
  ];
  for (const [folder, options, name] of wrong) {
    const error = await t.throwsAsync(openLoader(folder, options), { instanceOf: RangeError });
    t.true(error.message.includes(`"${name}`), `${name}: ${error.message}`);
  }
  await t.throwsAsync(openLoader({}, ok), { instanceOf: RangeError });
  await t.throwsAsync(openLoader('/nowhere', ok), { code: 'TUBE_DATASET_NOT_FOUND' });
});

test('a batch is valid until the next one, and one is asked for at a time', async (t) => {
  const folder = await temporaryFolder(t);
  await writeClips(folder, TUBELETS);
  const options = { batchSize: 2, seed: 0, dtype: 'uint8', epochs: 3 } as const;
  await using loader = await openLoader(folder, { ...options, prefetchBatches: 1 });
  const first = await loader.next();
  const copy = keep(first!);
  await new Promise((resolve) => setTimeout(resolve, 300));
  t.is(hashBatch(first!), hashBatch(copy)); // Made ahead, but never into the batch that is in use.
  const pending = loader.next();
  await t.throwsAsync(loader.next(), { instanceOf: TypeError });
  t.not(hashBatch((await pending)!), hashBatch(copy));
});
