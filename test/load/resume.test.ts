/** Goes on from every place of a small epoch, under every split that its arithmetic allows. */

import test from 'ava';
import { rm } from 'node:fs/promises';
import { openLoader } from '../../lib/load/index.ts';
import type { Cursor, LoaderOptions } from '../../lib/load/index.ts';
import { hashClips, runLoader } from '../helpers/batches.ts';
import { writeClips } from '../helpers/make-clips.ts';
import type { ClipsForm } from '../helpers/make-clips.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';

const FORM: ClipsForm = {
  layout: 'tubelets',
  shape: [2, 4, 4, 3],
  sizes: [3, 2, 3],
  tubelet: [2, 4, 4],
};
const OPTIONS = { seed: 2, dtype: 'uint8', epochs: 2, remainder: 'uneven' } as const;

test('a run goes on at every position, with every other split that divides it', async (t) => {
  const folder = await temporaryFolder(t);
  await writeClips(folder, FORM);
  const all: string[] = [];
  const cursors: { readonly cursor: Cursor; readonly done: number }[] = [];
  await using loader = await openLoader(folder, { ...OPTIONS, batchSize: 1, workers: 2 });
  cursors.push({ cursor: loader.cursor(), done: 0 });
  for await (const batch of loader) {
    all.push(...hashClips(batch));
    cursors.push({ cursor: loader.cursor(), done: all.length });
  }
  t.is(all.length, 16);
  for (const [number, { cursor, done }] of cursors.entries()) {
    const worldSize = 1 + (number % 3);
    const batchSize = 1 + (number % 2);
    const split: LoaderOptions = {
      ...OPTIONS,
      batchSize,
      worldSize,
      cursor,
      workers: 1 + (number % 3),
    };
    const position = done % 8;
    if (position % (worldSize * batchSize) !== 0) {
      const error = await t.throwsAsync(openLoader(folder, split), {
        code: 'TUBE_CURSOR_MISMATCH',
      });
      t.true(error.message.includes('batchSize × worldSize'));
      continue;
    }
    const ranks = await Promise.all(
      Array.from({ length: worldSize }, (_, rank) => runLoader(folder, { ...split, rank })),
    );
    const clips = ranks.flatMap(({ batches }) => batches.flatMap(hashClips));
    t.deepEqual(clips.toSorted(), all.slice(done).toSorted(), `${done} ${worldSize} ${batchSize}`);
    if (worldSize === 1) t.deepEqual(clips, all.slice(done));
  }
});

test('at the end of a run there is nothing left, unless there are more epochs', async (t) => {
  const folder = await temporaryFolder(t);
  await writeClips(folder, FORM);
  const { batches } = await runLoader(folder, { ...OPTIONS, batchSize: 5, epochs: 3 });
  await using loader = await openLoader(folder, { ...OPTIONS, batchSize: 5 });
  while ((await loader.next()) !== null);
  const cursor = loader.cursor();
  t.like(cursor, { epoch: 2, position: 0 });
  t.is((await runLoader(folder, { ...OPTIONS, batchSize: 5, cursor })).batches.length, 0);
  const more = await runLoader(folder, { ...OPTIONS, batchSize: 5, epochs: 3, cursor });
  t.deepEqual(more.batches.map(hashClips), batches.slice(4).map(hashClips));
});

test('ranks without a batch, or with one fewer, end and say where', async (t) => {
  const folder = await temporaryFolder(t);
  await writeClips(folder, { ...FORM, sizes: [3] });
  const numBatches: number[] = [];
  for (let rank = 0; rank < 5; rank++) {
    await using loader = await openLoader(folder, { ...OPTIONS, batchSize: 2, worldSize: 5, rank });
    numBatches.push(loader.info.numBatchesLeft);
    t.like(loader.cursor(), { epoch: 0, position: 0 });
    while ((await loader.next()) !== null);
    t.is(loader.cursor().position, 0);
  }
  t.deepEqual(numBatches, [2, 2, 2, 0, 0]);
});

test('an epoch that fills no batch is refused, not passed over', async (t) => {
  const folder = await temporaryFolder(t);
  await writeClips(folder, { ...FORM, sizes: [3] });
  const options: LoaderOptions = { ...OPTIONS, batchSize: 4, remainder: 'drop' };
  await t.throwsAsync(openLoader(folder, options), {
    instanceOf: RangeError,
    message: /"batchSize" times "worldSize" must be at most the 3 clips/,
  });
  for (const [remainder, sizes] of [
    ['uneven', [3, 3]],
    ['pad', [4, 4]],
  ] as const) {
    const { batches } = await runLoader(folder, { ...options, remainder });
    t.deepEqual(
      batches.map(({ keys }) => keys.length),
      [...sizes],
    );
  }
});

test('a callback that throws ends the loop before its batch counts as done', async (t) => {
  const folder = await temporaryFolder(t);
  await writeClips(folder, FORM);
  await rm(`${folder}/train-000001.tar`);
  const reason = new Error('enough');
  await using loader = await openLoader(folder, {
    ...OPTIONS,
    shuffle: 'none',
    batchSize: 3,
    onError: 'skip',
    onBadSample: () => {
      throw reason;
    },
  });
  await loader.next();
  t.is(await t.throwsAsync(loader.next()), reason);
  t.like(loader.cursor(), { epoch: 0, position: 3 });
});
