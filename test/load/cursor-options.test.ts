/** Which options a cursor belongs to: all that change a byte, and no others. */

import test from 'ava';
import { openLoader } from '../../lib/load/index.ts';
import type { LoaderOptions, LoaderSource } from '../../lib/load/index.ts';
import { hashBatch, runLoader } from '../helpers/batches.ts';
import { writeClips } from '../helpers/make-clips.ts';
import type { ClipsForm } from '../helpers/make-clips.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';

const RAW: ClipsForm = { layout: 'raw', shape: [9, 20, 26, 3], sizes: [5, 7] };
const BASE = {
  numFrames: 4,
  size: 16,
  tubelet: [2, 4, 4],
  frames: 'dense-exact',
  crop: 'resized',
  flip: 0.5,
  keepDirection: ['left'],
  batchSize: 4,
  seed: 3,
  workers: 1,
  epochs: 3,
} as const satisfies LoaderOptions;
const MIX = { mixupAlpha: 0.8, cutmixAlpha: 1, probability: 1, switchProbability: 0.5 };
const COLOURS = { mean: [0, 0, 0], std: [1, 1, 1] } as const;

/** Options that differ in one thing, and the option that the refusal must name. */
const CHANGES: readonly {
  from?: Partial<LoaderOptions>;
  to: Partial<LoaderOptions>;
  name: string;
}[] = [
  { to: { seed: 4 }, name: 'seed' },
  { to: { shuffle: 'window' }, name: 'shuffle' },
  {
    from: { shuffle: 'window', windowShards: 1, windowSamples: 4 },
    to: { shuffle: 'window', windowShards: 1, windowSamples: 2 },
    name: 'windowSamples',
  },
  {
    from: { shuffle: 'window', windowShards: 2, windowSamples: 4 },
    to: { shuffle: 'window', windowShards: 1, windowSamples: 4 },
    name: 'windowShards',
  },
  { to: { epochSamples: 8 }, name: 'epochSamples' },
  { to: { repeats: 2 }, name: 'repeats' },
  { to: { numFrames: 2 }, name: 'clipShape' },
  { to: { size: 12 }, name: 'clipShape' },
  { to: { stride: 2 }, name: 'stride' },
  { to: { frames: 'dense' }, name: 'frames' },
  { to: { crop: 'random' }, name: 'crop' },
  { to: { resize: 'reference' }, name: 'resize' },
  { to: { flip: 0.75 }, name: 'flip' },
  { to: { keepDirection: ['up'] }, name: 'keepDirection' },
  { to: { randAugment: 'rand-m7-n4-mstd0.5-inc1' }, name: 'randAugment' },
  { to: { erasing: 0.75 }, name: 'erasing' },
  { to: { form: 'frames' }, name: 'form' },
  { to: { tubelet: [2, 8, 8] }, name: 'tubelet' },
  { to: { dtype: 'uint8' }, name: 'dtype' },
  { to: { colours: COLOURS }, name: 'colours' },
  { to: { mask: { kind: 'tube', ratio: 0.5 } }, name: 'mask' },
  {
    from: { mask: { kind: 'tube', ratio: 0.5 } },
    to: { mask: { kind: 'random', ratio: 0.5 } },
    name: 'mask',
  },
  {
    from: { mask: { kind: 'tube', ratio: 0.5 } },
    to: { mask: { kind: 'tube', ratio: 0.5 }, target: 'pixels' },
    name: 'target',
  },
  {
    from: { mask: { kind: 'tube', ratio: 0.5 } },
    to: { mask: { kind: 'tube', ratio: 0.5 }, targetFrames: 'center' },
    name: 'targetFrames',
  },
  { to: { mix: MIX }, name: 'mix' },
  { to: { smoothing: 0.1 }, name: 'smoothing' },
  { from: { smoothing: 0.1 }, to: { smoothing: 0.2 }, name: 'smoothing' },
  { from: { smoothing: 0.1 }, to: { smoothing: 0.1, numClasses: 9 }, name: 'numClasses' },
  { to: { onError: 'missing' }, name: 'onError' },
];

test('what changes a byte is refused, by its name', async (t) => {
  const folder = await temporaryFolder(t);
  await writeClips(folder, RAW);
  for (const { from = {}, to, name } of CHANGES) {
    await using loader = await openLoader(folder, { ...BASE, ...from });
    const before = (await loader.next())!;
    const hash = hashBatch(before);
    const cursor = JSON.parse(JSON.stringify(loader.cursor())) as unknown;
    t.true(JSON.stringify(cursor).length < 1000);
    const changed = { ...BASE, ...to };
    const error = await t.throwsAsync(openLoader(folder, { ...changed, cursor }), {
      code: 'TUBE_CURSOR_MISMATCH',
    });
    t.true(
      error.message.includes(` ${name} was `) || error.message.includes(`(${name} was `),
      error.message,
    );
    if (name === 'onError' || name === 'epochSamples') continue; // These change other batches than the first.
    await using other = await openLoader(folder, changed);
    t.not(hashBatch((await other.next())!), hash, name);
  }
});

/** Options that change no byte of a run that was made with those before. */
const SAME: readonly [from: Partial<LoaderOptions>, to: Partial<LoaderOptions>][] = [
  [{}, { workers: 3 }],
  [{}, { prefetchBatches: 1 }],
  [{}, { maxBytes: 2 ** 24 }],
  [{}, { check: 'always' }],
  [{}, { onError: 'skip' }],
  [{ onError: 'skip' }, { onError: 'throw' }],
  [{}, { store: { maxOpenShards: 1 } }],
  [{}, { remainder: 'drop' }],
  [{}, { resize: 'decoder', frames: 'dense-exact', repeats: 1, dtype: 'float32' }],
  [{ shuffle: 'window' }, { shuffle: 'window', windowShards: 8, windowSamples: 1024 }],
  [{ flip: 0 }, { flip: 0, keepDirection: ['up', 'left'] }],
  [{ keepDirection: ['left', 'up'] }, { keepDirection: ['up', 'left'] }],
  [{ frames: 'uniform' }, { frames: 'uniform', stride: 3 }],
  [{ dtype: 'uint8' }, { dtype: 'uint8', colours: COLOURS }],
  [{}, { target: 'pixels', targetFrames: 'center' }],
  [{ form: 'frames' }, { form: 'frames', tubelet: [2, 16, 16] }],
  [
    { randAugment: 'rand-m7-n4-mstd0.5-inc1' },
    { randAugment: 'rand-m7-n4-mstd0.5-inc1', resize: 'reference' },
  ],
];

test('what changes no byte is welcome', async (t) => {
  const folder = await temporaryFolder(t);
  await writeClips(folder, RAW);
  for (const [from, to] of SAME) {
    await using loader = await openLoader(folder, { ...BASE, ...from });
    await loader.next();
    const cursor = loader.cursor();
    const wanted: string[] = [];
    for await (const batch of loader) wanted.push(hashBatch(batch));
    const { batches } = await runLoader(folder, { ...BASE, ...to, cursor });
    t.deepEqual(batches.map(hashBatch), wanted, JSON.stringify(to));
  }
});

test('a cursor of a mixture belongs to its weights, not to places or the order in which they are named', async (t) => {
  const [a, b, moved] = [
    await temporaryFolder(t),
    await temporaryFolder(t),
    await temporaryFolder(t),
  ];
  const form: ClipsForm = { layout: 'tubelets', shape: [4, 8, 12, 3], sizes: [9] };
  await writeClips(a, { ...form, name: 'a' });
  await writeClips(b, { ...form, name: 'b' });
  await writeClips(moved, { ...form, name: 'b' });
  const options = { batchSize: 2, seed: 0, dtype: 'uint8' } as const;
  await using loader = await openLoader({ [a]: 0.5, [b]: 0.5 }, options);
  await loader.next();
  const cursor = loader.cursor();
  const wanted: string[] = [];
  for await (const batch of loader) wanted.push(hashBatch(batch));
  for (const source of [
    { [b]: 0.5, [a]: 0.5 },
    { [a]: 2, [moved]: 2 },
  ] satisfies LoaderSource[]) {
    const { batches } = await runLoader(source, { ...options, cursor });
    t.deepEqual(batches.map(hashBatch), wanted);
  }
  const error = await t.throwsAsync(openLoader({ [a]: 0.7, [b]: 0.3 }, { ...options, cursor }), {
    code: 'TUBE_CURSOR_MISMATCH',
  });
  t.true(error.message.includes('shares was'));
});
