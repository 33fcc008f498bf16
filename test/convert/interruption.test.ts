import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { convert } from '../../lib/convert/index.ts';
import type { ConvertProgress } from '../../lib/convert/index.ts';
import { runCli, startCli } from '../helpers/cli.ts';
import { hashFiles, until } from '../helpers/folder-state.ts';
import { writeGreyFolder, writeGreyVideo } from '../helpers/grey-videos.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';
import { descendantsOf, hasOpen, hasProc, isRunning } from '../helpers/processes.ts';

const FLAGS = '--videos-per-shard 4 --stride 1 --short-side 480 --no-shuffle --workers 2'.split(
  ' ',
);

/** Four quick videos, then two whose conversion takes long. */
async function writeQuickAndSlow(videos: string): Promise<void> {
  await writeGreyFolder(videos, 4);
  for (let i = 0; i < 2; i++) {
    await writeGreyVideo(join(videos, 'slow', `${i}.mp4`), { frames: 500 });
  }
}

async function hasShard(out: string): Promise<boolean> {
  return (await readdir(out).catch((): string[] => [])).includes('train-000000.json');
}

for (const { signal, code } of [
  { signal: 'SIGINT', code: 130 },
  { signal: 'SIGTERM', code: 143 },
] as const) {
  test.serial(
    `${signal} ends with ${code}, keeps the finished shard, leaves nothing else and says how to go on`,
    async (t) => {
      const folder = await temporaryFolder(t);
      const [videos, out, whole] = ['videos', 'out', 'whole'].map((name) => join(folder, name)) as [
        string,
        string,
        string,
      ];
      await writeQuickAndSlow(videos);
      const running = startCli(['convert', videos, '--out', out, ...FLAGS]);
      await until(() => hasShard(out));
      const workers = hasProc ? descendantsOf(running.pid) : [];
      running.child.kill(signal);
      const ended = await running.ended;
      t.is(ended.code, code, ended.stderr);
      t.regex(ended.stderr, /1 of 2 shards .* Run the same command again/);
      t.is(ended.stdout, '');
      t.deepEqual((await readdir(out)).toSorted(), [
        'failures.jsonl',
        'plan.json',
        'train-000000.json',
        'train-000000.tar',
      ]);
      t.false(workers.some(isRunning));
      const again = await runCli('convert', videos, '--out', out, ...FLAGS);
      t.is(again.code, 0, again.stderr);
      await runCli('convert', videos, '--out', whole, ...FLAGS);
      t.deepEqual(await hashFiles(out), await hashFiles(whole));
    },
  );
}

test.serial(
  'a second conversion into the same folder is refused while the first runs',
  async (t) => {
    const folder = await temporaryFolder(t);
    const [videos, out] = [join(folder, 'videos'), join(folder, 'out')];
    await writeQuickAndSlow(videos);
    const running = startCli(['convert', videos, '--out', out, ...FLAGS]);
    await until(() => hasShard(out));
    running.child.kill('SIGSTOP');
    const second = await runCli('convert', videos, '--out', out, ...FLAGS, '--overwrite');
    t.is(second.code, 1);
    t.regex(second.stderr, /TUBE_OUT_LOCKED/);
    await t.throwsAsync(convert(videos, { out }), { code: 'TUBE_OUT_LOCKED' });
    running.child.kill('SIGCONT');
    t.is((await running.ended).code, 0);
  },
);

test('two conversions in one process exclude each other too', async (t) => {
  const folder = await temporaryFolder(t);
  const [videos, out] = [join(folder, 'videos'), join(folder, 'out')];
  await writeGreyFolder(videos, 4);
  const results = await Promise.allSettled([
    convert(videos, { out, workers: 1 }),
    convert(videos, { out, workers: 1 }),
  ]);
  t.deepEqual(results.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
  const refused = results.find(({ status }) => status === 'rejected') as PromiseRejectedResult;
  t.like(refused.reason, { code: 'TUBE_OUT_LOCKED' });
});

const gone = { pid: 4_194_305, host: hostname(), began: '1' };

for (const { title, owner, isTaken } of [
  { title: 'an empty lock', owner: null, isTaken: true },
  { title: 'the lock of a process that is gone', owner: gone, isTaken: true },
  // As after the restart of a container, where numbers of processes start anew.
  {
    title: 'the lock of an earlier process of the same number',
    owner: { ...gone, pid: process.pid },
    isTaken: hasProc,
  },
  { title: 'the lock of another machine', owner: { ...gone, host: 'elsewhere' }, isTaken: false },
]) {
  test(`${title} is ${isTaken ? 'taken over' : 'respected'}`, async (t) => {
    const folder = await temporaryFolder(t);
    const [videos, out] = [join(folder, 'videos'), join(folder, 'out')];
    await writeGreyFolder(videos, 2);
    await convert(videos, { out });
    await writeFile(join(out, '.tubelet.lock'), owner === null ? '' : JSON.stringify(owner));
    if (isTaken) {
      t.is((await convert(videos, { out })).videos, 2);
      t.false((await readdir(out)).includes('.tubelet.lock'));
    } else {
      await t.throwsAsync(convert(videos, { out }), { code: 'TUBE_OUT_LOCKED' });
      t.is(await readFile(join(out, '.tubelet.lock'), 'utf8'), JSON.stringify(owner));
    }
  });
}

test('an abort rejects with its reason, keeps finished shards and closes everything', async (t) => {
  const folder = await temporaryFolder(t);
  const [videos, out] = [join(folder, 'videos'), join(folder, 'out')];
  await writeQuickAndSlow(videos);
  const controller = new AbortController();
  const reason = new Error('enough');
  const options = { out, videosPerShard: 4, stride: 1, shortSide: 480, shuffle: false } as const;
  let last: ConvertProgress | null = null;
  const onProgress = (progress: ConvertProgress): void => {
    last = progress;
    if (progress.shardsDone === 1) controller.abort(reason);
  };
  const running = convert(videos, { ...options, signal: controller.signal, onProgress });
  t.is(await t.throwsAsync(running), reason);
  t.like(last, { videosDone: 4, videosTotal: 6, shardsDone: 1, shardsTotal: 2, failures: 0 });
  t.deepEqual((await readdir(out)).toSorted(), [
    'failures.jsonl',
    'plan.json',
    'train-000000.json',
    'train-000000.tar',
  ]);
  t.like(await convert(videos, options), { isComplete: true, videos: 6 });
});

test.serial('an abort while the run is being prepared starts no worker', async (t) => {
  const folder = await temporaryFolder(t);
  await writeGreyFolder(join(folder, 'videos'), 2);
  const controller = new AbortController();
  const reason = new Error('in between');
  let started = 0;
  const count = (): void => void started++;
  subscribe('child_process', count);
  t.teardown(() => unsubscribe('child_process', count));
  const running = convert(join(folder, 'videos'), {
    out: join(folder, 'out'),
    signal: controller.signal,
    onProgress: () => queueMicrotask(() => controller.abort(reason)),
  });
  t.is(await t.throwsAsync(running), reason);
  t.is(started, 0);
});

(hasProc ? test.serial : test.serial.skip)(
  'while one video hangs, the other worker goes on with what comes after',
  async (t) => {
    const folder = await temporaryFolder(t);
    const [videos, out] = [join(folder, 'videos'), join(folder, 'out')];
    await writeGreyVideo(join(videos, 'a.mp4'), { frames: 3000 });
    for (let i = 0; i < 40; i++) await writeGreyVideo(join(videos, `b${i}.mp4`), { frames: 2 });
    const running = startCli(['convert', videos, '--out', out, ...FLAGS, '--stall', '60']);
    let hanging: number | undefined;
    await until(() => {
      hanging = descendantsOf(running.pid).find((pid) => hasOpen(pid, join(videos, 'a.mp4')));
      return hanging !== undefined;
    });
    process.kill(hanging!, 'SIGSTOP');
    t.teardown(() => isRunning(hanging!) && process.kill(hanging!, 'SIGKILL'));
    await until(async () => (await readdir(join(out, '.work')).catch(() => [])).length > 30);
    process.kill(hanging!, 'SIGCONT');
    const ended = await running.ended;
    t.is(ended.code, 0, ended.stderr);
  },
);

test('a signal that is aborted before the start rejects at once', async (t) => {
  const folder = await temporaryFolder(t);
  await writeGreyFolder(join(folder, 'videos'), 2);
  const reason = new Error('before');
  const out = join(folder, 'out');
  const running = convert(join(folder, 'videos'), { out, signal: AbortSignal.abort(reason) });
  t.is(await t.throwsAsync(running), reason);
  t.deepEqual(await readdir(out).catch(() => []), []);
});

test('progress counts up to the totals', async (t) => {
  const folder = await temporaryFolder(t);
  const [videos, out] = [join(folder, 'videos'), join(folder, 'out')];
  await writeGreyFolder(videos, 7);
  await writeFile(join(videos, 'odd', 'bad.mp4'), '');
  const states: ConvertProgress[] = [];
  const options = { out, videosPerShard: 3, maxFailures: 1, shortSide: 16 };
  const summary = await convert(videos, { ...options, onProgress: (state) => states.push(state) });
  const counts = states.map(({ videosDone }) => videosDone);
  t.deepEqual(
    counts,
    counts.toSorted((a, b) => a - b),
  );
  t.deepEqual(
    { ...states[0]!, secondsElapsed: 0 },
    {
      videosBefore: 0,
      videosDone: 0,
      videosTotal: 8,
      shardsDone: 0,
      shardsTotal: 3,
      frames: 0,
      bytes: 0,
      failures: 0,
      secondsElapsed: 0,
    },
  );
  t.like(states.at(-1), { videosDone: 8, shardsDone: 3, frames: summary.frames, failures: 1 });
});
