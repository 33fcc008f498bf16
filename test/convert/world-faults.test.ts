import { execFile } from 'node:child_process';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { convert, planConvert } from '../../lib/convert/index.ts';
import type { ConvertProgress } from '../../lib/convert/index.ts';
import { verifyShard } from '../../lib/shard/index.ts';
import { hashFiles } from '../helpers/folder-state.ts';
import { writeGreyFolder } from '../helpers/grey-videos.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';

const SMALL = { videosPerShard: 2, shortSide: 16, workers: 1, shuffle: false } as const;

test('a source that is not there is told, and no output folder is made', async (t) => {
  const folder = await temporaryFolder(t);
  const out = join(folder, 'out');
  for (const act of [convert, planConvert]) {
    await t.throwsAsync(act(join(folder, 'nothing'), { out }), { code: 'TUBE_SOURCE_NOT_FOUND' });
  }
  await mkdir(join(folder, 'empty'));
  await t.throwsAsync(convert(join(folder, 'empty'), { out }), { code: 'TUBE_SOURCE_EMPTY' });
  t.deepEqual(await readdir(folder), ['empty']);
});

/** Calls `act` once, when the first shard is finished. */
function afterFirstShard(act: () => void): (progress: ConvertProgress) => void {
  let isDone = false;
  return ({ shardsDone }) => {
    if (shardsDone === 0 || isDone) return;
    isDone = true;
    act();
  };
}

test('a source that vanishes during the run ends it, and no video is blamed', async (t) => {
  const folder = await temporaryFolder(t);
  const [videos, out] = [join(folder, 'videos'), join(folder, 'out')];
  await writeGreyFolder(videos, 60);
  let moving: Promise<void> | undefined;
  const onProgress = afterFirstShard(() => {
    moving = rename(videos, join(folder, 'away'));
  });
  await t.throwsAsync(convert(videos, { ...SMALL, out, onProgress }), {
    code: 'TUBE_SOURCE_NOT_FOUND',
  });
  await moving;
  await rename(join(folder, 'away'), videos);
  const summary = await convert(videos, { ...SMALL, out });
  t.like(summary, { videos: 60, failures: {}, isComplete: true });
});

test('files that vanish during the run are failures of their own', async (t) => {
  const folder = await temporaryFolder(t);
  const [videos, out] = [join(folder, 'videos'), join(folder, 'out')];
  await writeGreyFolder(videos, 60);
  let removing: Promise<unknown> | undefined;
  const lost = ['odd/57.mp4', 'odd/59.mp4'];
  const onProgress = afterFirstShard(() => {
    removing = Promise.all(lost.map((name) => rm(join(videos, name))));
  });
  const summary = await convert(videos, { ...SMALL, out, onProgress, maxFailures: 2 });
  await removing;
  t.like(summary, { videos: 58, failures: { TUBE_FILE_NOT_FOUND: 2 }, isComplete: true });
});

const run = promisify(execFile);

/** A file system in memory of this many KiB, or null where that is not allowed. */
async function smallDisk(t: ExecutionContext, kib: number): Promise<string | null> {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'disk');
  await mkdir(path);
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${kib}k`, 'none', path]);
  } catch {
    return null;
  }
  t.teardown(() => run('umount', ['-l', path]));
  return path;
}

test('a full disk ends the run with finished shards sound; with space a rerun completes it', async (t) => {
  const disk = await smallDisk(t, 4000);
  if (disk === null) {
    t.log('not tested: no file system can be mounted here');
    t.pass();
    return;
  }
  const folder = await temporaryFolder(t);
  const [videos, out, whole] = [join(folder, 'videos'), join(disk, 'out'), join(folder, 'whole')];
  await writeGreyFolder(videos, 30);
  const options = { ...SMALL, codec: 'raw', shortSide: 48, stride: 1 } as const;
  await convert(videos, { ...options, out: whole });
  await t.throwsAsync(convert(videos, { ...options, out }), { code: 'TUBE_DISK_FULL' });
  const left = await readdir(out);
  t.deepEqual(
    left.filter((name) => /tmp$|lock|work/.test(name)),
    [],
  );
  const shards = left.filter((name) => name.endsWith('.tar')).map((name) => name.slice(0, -4));
  t.true(shards.length > 0 && shards.length < 15, left.join(' '));
  for (const shard of shards) {
    for await (const defect of verifyShard(out, shard)) t.fail(defect.message);
  }
  await run('mount', ['-o', 'remount,size=100m', disk]);
  t.like(await convert(videos, { ...options, out }), { isComplete: true, videos: 30 });
  t.deepEqual(await hashFiles(out), await hashFiles(whole));
});
