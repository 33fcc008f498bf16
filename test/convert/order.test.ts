import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { convert, planConvert } from '../../lib/convert/index.ts';
import type { ConvertOptions } from '../../lib/convert/index.ts';
import { openDataset } from '../../lib/shard/index.ts';
import { changeTimes, hashFiles } from '../helpers/folder-state.ts';
import { writeGreyFolder, writeGreyVideo } from '../helpers/grey-videos.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';

const SMALL = { videosPerShard: 3, shortSide: 16, workers: 2 } as const;

/** Paths of the source videos of every sample, in the order of the dataset. */
async function pathsIn(folder: string): Promise<string[]> {
  await using dataset = await openDataset(folder);
  const paths: string[] = [];
  for await (const { source } of dataset.samples()) paths.push(source.path);
  return paths;
}

test('any number of workers gives the same bytes in every file', async (t) => {
  const folder = await temporaryFolder(t);
  const videos = join(folder, 'videos');
  await writeGreyFolder(videos, 10);
  await writeFile(join(videos, 'even', 'bad.mp4'), 'no video');
  const states: Record<string, string>[] = [];
  for (const workers of [1, 2, 3]) {
    const out = join(folder, `out-${workers}`);
    const summary = await convert(videos, { ...SMALL, out, workers, maxFailures: 1 });
    t.is(summary.videos, 10);
    states.push(await hashFiles(out));
  }
  t.deepEqual(Object.keys(states[0]!), [
    'dataset.json',
    'failures.jsonl',
    'plan.json',
    ...[0, 1, 2, 3].flatMap((k) => [`train-00000${k}.json`, `train-00000${k}.tar`]),
  ]);
  t.deepEqual(states[1], states[0]);
  t.deepEqual(states[2], states[0]);
});

test('the seed permutes the videos; without shuffling they keep their order', async (t) => {
  const folder = await temporaryFolder(t);
  const videos = join(folder, 'videos');
  await writeGreyFolder(videos, 10);
  const pathsWith = async (name: string, options: Partial<ConvertOptions>): Promise<string[]> => {
    const out = join(folder, name);
    await convert(videos, { ...SMALL, out, ...options });
    return pathsIn(out);
  };
  const plain = await pathsWith('plain', { shuffle: false });
  const first = await pathsWith('first', {});
  const second = await pathsWith('second', { seed: 1 });
  t.deepEqual(plain, [
    ...[0, 2, 4, 6, 8].map((i) => `even/0${i}.mp4`),
    ...[1, 3, 5, 7, 9].map((i) => `odd/0${i}.mp4`),
  ]);
  t.deepEqual(first.toSorted(), plain);
  t.deepEqual(second.toSorted(), plain);
  t.notDeepEqual(first, plain);
  t.notDeepEqual(second, plain);
  t.notDeepEqual(second, first);
});

test('a rerun with everything done changes no file', async (t) => {
  const folder = await temporaryFolder(t);
  const videos = join(folder, 'videos');
  const out = join(folder, 'out');
  await writeGreyFolder(videos, 7);
  const before = await convert(videos, { ...SMALL, out });
  const times = await changeTimes(out);
  const after = await convert(videos, { ...SMALL, out, workers: 1 });
  t.deepEqual(await changeTimes(out), times);
  t.like(after, { videos: 7, clips: 7, frames: before.frames, bytes: before.bytes, shards: 3 });
  t.is(after.framesPerSecond, 0);
});

test('what is missing or stale is made again, the same, and nothing else', async (t) => {
  const folder = await temporaryFolder(t);
  const videos = join(folder, 'videos');
  const out = join(folder, 'out');
  await writeGreyFolder(videos, 9);
  await convert(videos, { ...SMALL, out });
  const state = await hashFiles(out);
  const times = await changeTimes(out);
  const ruin: readonly [string, (path: string) => Promise<void>][] = [
    ['train-000001.tar', (path) => rm(path)],
    ['train-000001.tar', (path) => writeFile(path, 'cut')],
    ['train-000002.json', (path) => rm(path)],
    ['train-000002.json', (path) => writeFile(path, '{')],
    ['dataset.json', (path) => rm(path)],
    ['dataset.json', (path) => writeFile(path, '{}')],
    ['failures.jsonl', (path) => rm(path)],
    ['failures.jsonl', (path) => writeFile(path, 'old')],
  ];
  for (const [name, act] of ruin) {
    await act(join(out, name));
    await convert(videos, { ...SMALL, out });
    t.deepEqual(await hashFiles(out), state, name);
  }
  t.is((await changeTimes(out))['train-000000.tar'], times['train-000000.tar']);
});

test('other options are refused, the difference named', async (t) => {
  const folder = await temporaryFolder(t);
  const videos = join(folder, 'videos');
  const out = join(folder, 'out');
  await writeGreyFolder(videos, 4);
  await convert(videos, { ...SMALL, out });
  const state = await hashFiles(out);
  const others: readonly [Partial<ConvertOptions>, string][] = [
    [{ stride: 2 }, 'stride was 4, now 2'],
    [{ fps: 2 }, 'stride was 4, now null; fps was null, now 2'],
    [{ seed: 5 }, 'seed was 0, now 5'],
    [{ shuffle: false }, 'shuffle was true, now false'],
    [{ videosPerShard: 4 }, 'videosPerShard was 3, now 4'],
    [{ quality: 50 }, 'quality was 90, now 50'],
    [{ split: 'val', name: 'train' }, 'split was "train", now "val"'],
  ];
  for (const [options, message] of others) {
    const given = { ...SMALL, out, ...options };
    for (const act of [convert, planConvert]) {
      await t.throwsAsync(() => act(videos, given), {
        code: 'TUBE_OPTIONS_DIFFER',
        message: new RegExp(message.replaceAll(/[";.]/g, '\\$&')),
      });
    }
  }
  t.deepEqual(await hashFiles(out), state);
});

test('a changed source is refused', async (t) => {
  const folder = await temporaryFolder(t);
  const videos = join(folder, 'videos');
  const out = join(folder, 'out');
  await writeGreyFolder(videos, 4);
  await convert(videos, { ...SMALL, out });
  await writeGreyVideo(join(videos, 'odd', 'new.mp4'), { frames: 20 });
  const error = await t.throwsAsync(convert(videos, { ...SMALL, out }), {
    code: 'TUBE_OPTIONS_DIFFER',
  });
  t.regex(error.message, /videos was 4, now 5; the source names other videos/);
});

test('a dry run tells the plan and writes nothing', async (t) => {
  const folder = await temporaryFolder(t);
  const videos = join(folder, 'videos');
  const out = join(folder, 'out');
  await writeGreyFolder(videos, 7);
  await writeFile(join(videos, 'notes.txt'), '');
  const first = await planConvert(videos, { ...SMALL, out });
  t.like(first, { videos: 7, classes: ['even', 'odd'], shards: 3, shardsDone: 0 });
  t.deepEqual(first.notes.skippedByExtension, { '.txt': 1 });
  t.false((await readdir(folder)).includes('out'));
  await convert(videos, { ...SMALL, out });
  await rm(join(out, 'train-000001.json'));
  t.is((await planConvert(videos, { ...SMALL, out })).shardsDone, 2);
  t.is((await planConvert(videos, { ...SMALL, out, seed: 3, overwrite: true })).shardsDone, 0);
});
