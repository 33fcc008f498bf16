/** Several datasets in one loader: names, shapes, layouts, labels. */

import test from 'ava';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openLoader } from '../../lib/load/index.ts';
import type { LoaderOptions } from '../../lib/load/index.ts';
import { hashBatch, hashClips, runLoader } from '../helpers/batches.ts';
import { filesOf } from '../helpers/folder-state.ts';
import { writeClips } from '../helpers/make-clips.ts';
import type { ClipsForm } from '../helpers/make-clips.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';
import { startServer } from '../shard/store/file-server.ts';

type Context = Parameters<typeof temporaryFolder>[0];
const TOKENS: ClipsForm = { layout: 'tubelets', shape: [4, 16, 16, 3], sizes: [6], name: 'tokens' };
const FRAMES: ClipsForm = { layout: 'raw', shape: [9, 20, 26, 3], sizes: [8], name: 'frames' };
const OPTIONS: LoaderOptions = { batchSize: 4, seed: 1, workers: 2 };
const CLIP = { numFrames: 4, size: 16, tubelet: [2, 4, 4] } as const;

async function folderOf(t: Context, form: ClipsForm): Promise<string> {
  const folder = await temporaryFolder(t);
  await writeClips(folder, form);
  return folder;
}

/** Changes what stands in a dataset.json. */
async function editInfo(folder: string, change: object): Promise<void> {
  const path = join(folder, 'dataset.json');
  const info = JSON.parse(await readFile(path, 'utf8')) as object;
  await writeFile(path, JSON.stringify({ ...info, ...change }));
}

test('finished clips and frames are mixed, whichever is named first', async (t) => {
  const [tokens, frames] = [await folderOf(t, TOKENS), await folderOf(t, FRAMES)];
  const options = { ...OPTIONS, ...CLIP, crop: 'random', flip: 0.5 } as const;
  const first = await runLoader({ [tokens]: 1, [frames]: 1 }, options);
  const second = await runLoader({ [frames]: 1, [tokens]: 1 }, options);
  t.deepEqual(first.batches.map(hashBatch), second.batches.map(hashBatch));
  // Those that are finished come as they are.
  const alone = await runLoader(tokens, { ...OPTIONS, shuffle: 'none' });
  const wanted = new Set(alone.batches.flatMap(hashClips));
  const clips = first.batches.flatMap(hashClips);
  t.is(clips.filter((clip) => clip.startsWith('tokens-')).length, 6);
  t.true(clips.every((clip) => clip.startsWith('frames-') || wanted.has(clip)));
  await t.throwsAsync(openLoader({ [frames]: 1, [tokens]: 1 }, { ...options, size: 20 }), {
    instanceOf: RangeError,
    message: /"size"/,
  });
  // Frames are drawn, so a seed is needed even if the first dataset draws nothing.
  await t.throwsAsync(
    openLoader({ [tokens]: 1, [frames]: 1 }, { ...CLIP, batchSize: 4, shuffle: 'none' }),
    { instanceOf: RangeError, message: /"seed"/ },
  );
});

test('finished clips of different shapes are refused before the run', async (t) => {
  const [a, b] = [
    await folderOf(t, TOKENS),
    await folderOf(t, { ...TOKENS, name: 'other', shape: [4, 8, 8, 3] }),
  ];
  await t.throwsAsync(openLoader({ [a]: 1, [b]: 1 }, OPTIONS), {
    instanceOf: RangeError,
    message: /"source" must hold clips of one shape/,
  });
});

test('datasets of one name are told apart by what they hold, wherever they lie', async (t) => {
  const [a, b] = [await folderOf(t, TOKENS), await folderOf(t, { ...TOKENS, sizes: [7] })];
  const [movedA, movedB] = [await temporaryFolder(t), await temporaryFolder(t)];
  await cp(a, movedA, { recursive: true });
  await cp(b, movedB, { recursive: true });
  const here = await runLoader({ [a]: 1, [b]: 1 }, OPTIONS);
  const there = await runLoader({ [movedB]: 1, [movedA]: 1 }, OPTIONS);
  t.deepEqual(there.batches.map(hashBatch), here.batches.map(hashBatch));
  t.is(new Set(here.batches.flatMap(({ datasets }) => datasets)).size, 2);
  await t.throwsAsync(openLoader({ [a]: 1, [movedA]: 1 }, OPTIONS), {
    instanceOf: RangeError,
    message: /must name each dataset once/,
  });
});

test('a password in a URL is in no batch, cursor, error or report', async (t) => {
  const [a, b] = [await folderOf(t, TOKENS), await folderOf(t, { ...TOKENS, sizes: [7] })];
  const servers = [await startServer(t, await filesOf(a)), await startServer(t, await filesOf(b))];
  const urls = servers.map(({ url }) => url.replace('http://', 'http://user:SECRET@'));
  const source = Object.fromEntries(urls.map((url) => [`${url}?token=SECRET`, 1]));
  const store = { maxRetries: 0, retryDelaySeconds: 0 };
  const told: unknown[] = [];
  const options: LoaderOptions = { ...OPTIONS, store, onError: 'skip', epochs: Infinity };
  await using loader = await openLoader(source, {
    ...options,
    prefetchBatches: 1,
    onBadSample: (bad) => told.push(bad),
  });
  const batch = await loader.next();
  for (const server of servers)
    server.behave = (_request, response) => !!response.writeHead(403).end();
  const error = await t.throwsAsync(
    (async () => {
      while ((await loader.next()) !== null);
    })(),
    { code: 'TUBE_REMOTE_FAILED' },
  );
  const seen = [batch!.datasets, batch!.keys, loader.cursor(), loader.report(), loader.info, told];
  t.false(
    `${JSON.stringify(seen)} ${error.message} ${error.stack} ${JSON.stringify(error)}`.includes(
      'SECRET',
    ),
  );
  // The cursor of a run goes on with another token.
  for (const server of servers) server.behave = null;
  const other = Object.fromEntries(servers.map(({ url }) => [url, 1]));
  await using resumed = await openLoader(other, { ...options, cursor: loader.cursor() });
  t.is((await resumed.next())!.step, loader.report().batches);
});

test('a tiny dataset comes again in rounds of its own, each time drawn anew', async (t) => {
  const big = await folderOf(t, { ...FRAMES, name: 'big', sizes: [30] });
  const tiny = await folderOf(t, { ...FRAMES, name: 'tiny', sizes: [1] });
  const options = { ...OPTIONS, ...CLIP, crop: 'random', epochSamples: 30 } as const;
  const { batches } = await runLoader({ [big]: 0.8, [tiny]: 0.2 }, options);
  const clips = batches.flatMap(hashClips).filter((clip) => clip.startsWith('tiny-'));
  t.is(clips.length, 6);
  t.true(new Set(clips).size > 3);
});

test('soft labels say which sample has no label, or too large a one', async (t) => {
  const folder = await temporaryFolder(t);
  await writeClips(folder, TOKENS, (sample) =>
    sample.key.endsWith('4') ? { ...sample, label: null, class: null } : sample,
  );
  const options = { ...OPTIONS, shuffle: 'none', smoothing: 0.1 } as const;
  const range = { instanceOf: RangeError };
  const none = await t.throwsAsync(runLoader(folder, options), { code: 'TUBE_LABELS_MISSING' });
  t.true(none.message.includes('tokens-clip-00004'));
  const few = await t.throwsAsync(runLoader(folder, { ...options, numClasses: 2 }), range);
  t.true(few.message.includes('"numClasses"') && few.message.includes('tokens-clip-00002'));
  const { batches } = await runLoader(folder, { ...OPTIONS, shuffle: 'none' });
  t.deepEqual([...batches[1]!.labels], [-1, 2]);
  // Datasets that number other classes cannot be told apart by their ids.
  const other = await folderOf(t, { ...TOKENS, name: 'other' });
  await editInfo(other, { classes: ['a', 'b', 'c'] });
  await t.throwsAsync(openLoader({ [folder]: 1, [other]: 1 }, options), {
    ...range,
    message: /"numClasses"/,
  });
});
