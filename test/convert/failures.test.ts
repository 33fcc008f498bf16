import { access, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { convert } from '../../lib/convert/index.ts';
import { readSidecar } from '../../lib/shard/index.ts';
import { runCli, startCli } from '../helpers/cli.ts';
import { changeTimes, hashFiles, until } from '../helpers/folder-state.ts';
import { writeGreyFolder, writeGreyVideo } from '../helpers/grey-videos.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';
import { descendantsOf, hasProc } from '../helpers/processes.ts';

const SMALL = { videosPerShard: 4, shortSide: 16, workers: 2 } as const;
const FLAGS = ['--videos-per-shard', '4', '--short-side', '16', '--no-shuffle'];

/** The lines of `failures.jsonl`, in the order of their paths. */
async function failuresIn(out: string): Promise<Record<string, unknown>[]> {
  const text = await readFile(join(out, 'failures.jsonl'), 'utf8');
  const lines = text.split('\n').filter((line) => line !== '');
  return lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .sort((a, b) => (String(a['path']) < String(b['path']) ? -1 : 1));
}

test.serial(
  'every bad video is listed with path, stage, code and message, in sidecar and failures.jsonl',
  async (t) => {
    const folder = await temporaryFolder(t);
    const [videos, out] = [join(folder, 'videos'), join(folder, 'out')];
    await writeGreyFolder(videos, 4);
    await writeFile(join(videos, 'empty.mp4'), '');
    await writeFile(join(videos, 'page.mp4'), '<html>not found</html>');
    await writeGreyVideo(join(videos, 'cut.mp4'), { frames: 20 });
    await truncate(join(videos, 'cut.mp4'), 60);
    const rows = ['even/00.mp4', 'empty.mp4', 'page.mp4', 'cut.mp4', 'gone.mp4', 'odd/01.mp4'];
    await writeFile(join(videos, 'list.csv'), `path\n${rows.join('\n')}\n`);
    const summary = await convert(join(videos, 'list.csv'), { ...SMALL, out, maxFailures: '100%' });
    t.like(summary, { videos: 2, clips: 2, isComplete: true, hasTooManyFailures: false });
    t.deepEqual(summary.failures, { TUBE_FILE_NOT_FOUND: 1, TUBE_NOT_VIDEO: 3 });
    const failures = await failuresIn(out);
    t.deepEqual(
      failures.map(({ path, stage, code }) => [path, stage, code]),
      [
        ['cut.mp4', 'open', 'TUBE_NOT_VIDEO'],
        ['empty.mp4', 'open', 'TUBE_NOT_VIDEO'],
        ['gone.mp4', 'open', 'TUBE_FILE_NOT_FOUND'],
        ['page.mp4', 'open', 'TUBE_NOT_VIDEO'],
      ],
    );
    for (const { shard, message, ...rest } of failures) {
      t.true(typeof message === 'string' && message.length > 5);
      const { failures: listed } = await readSidecar(out, String(shard));
      t.true(listed.some(({ id }) => id === rest['id']));
    }
  },
);

for (const { flags, code } of [
  { flags: [], code: 1 },
  { flags: ['--strict'], code: 1 },
  { flags: ['--max-failures', '0'], code: 1 },
  { flags: ['--max-failures', '1'], code: 0 },
  { flags: ['--max-failures', '9%'], code: 1 },
  { flags: ['--max-failures', '10%'], code: 0 },
  { flags: ['--max-failures', '100%'], code: 0 },
]) {
  test.serial(
    `one bad video of ten: exit code ${code} with ${flags.join(' ') || 'no flags'}`,
    async (t) => {
      const folder = await temporaryFolder(t);
      const [videos, out] = [join(folder, 'videos'), join(folder, 'out')];
      await writeGreyFolder(videos, 9);
      await writeFile(join(videos, 'odd', 'bad.mp4'), 'bad');
      const ended = await runCli('convert', videos, '--out', out, '--short-side', '16', ...flags);
      t.is(ended.code, code, ended.stderr);
      t.is(ended.stderr.includes('TUBE_TOO_MANY_FAILURES'), code === 1);
      t.like(await readSidecar(out, 'train-000000'), { videos: 9 });
    },
  );
}

test.serial(
  'too many failures end the run after the shard that holds them; good shards are kept',
  async (t) => {
    const folder = await temporaryFolder(t);
    const [videos, out] = [join(folder, 'videos'), join(folder, 'out')];
    await writeGreyFolder(videos, 12);
    await writeFile(join(videos, 'even', '05.mp4'), 'bad');
    const options = { ...SMALL, out, shuffle: false } as const;
    const ended = await convert(videos, { ...options, maxFailures: 0 });
    t.like(ended, { isComplete: false, hasTooManyFailures: true, shards: 1, videos: 3 });
    t.deepEqual(ended.failures, { TUBE_NOT_VIDEO: 1 });
    await t.throwsAsync(access(join(out, 'dataset.json')));
    t.is((await failuresIn(out)).length, 1);
    const times = await changeTimes(out);
    const finished = await convert(videos, { ...options, maxFailures: 1 });
    t.like(finished, { isComplete: true, hasTooManyFailures: false, shards: 4, videos: 12 });
    t.is((await changeTimes(out))['train-000000.tar'], times['train-000000.tar']);
  },
);

test.serial(
  'retry tries just the failures of that kind and rewrites just their shards',
  async (t) => {
    const folder = await temporaryFolder(t);
    const [videos, out] = [join(folder, 'videos'), join(folder, 'out')];
    await writeGreyFolder(videos, 12);
    await writeFile(join(videos, 'even', 'bad.mp4'), 'bad');
    const paths = Array.from(
      { length: 12 },
      (_, i) => `${i % 2 ? 'odd' : 'even'}/${String(i).padStart(2, '0')}.mp4`,
    );
    await writeFile(join(videos, 'list.csv'), `path\n${[...paths, 'even/bad.mp4'].join('\n')}\n`);
    const options = { ...SMALL, maxFailures: '100%', stride: 2 } as const;
    const source = join(videos, 'list.csv');
    await convert(source, { ...options, out: join(folder, 'whole') });
    const wanted = await hashFiles(join(folder, 'whole'));

    const gone = await readFile(join(videos, 'odd', '05.mp4'));
    await rm(join(videos, 'odd', '05.mp4'));
    t.deepEqual((await convert(source, { ...options, out })).failures, {
      TUBE_FILE_NOT_FOUND: 1,
      TUBE_NOT_VIDEO: 1,
    });
    const times = await changeTimes(out);
    await writeFile(join(videos, 'odd', '05.mp4'), gone);
    const without = await convert(source, { ...options, out });
    t.is(without.failures['TUBE_FILE_NOT_FOUND'], 1);
    const other = await convert(source, { ...options, out, retry: ['timeout', 'crash'] });
    t.is(other.failures['TUBE_FILE_NOT_FOUND'], 1);
    t.deepEqual(await changeTimes(out), times);

    const retried = await convert(source, { ...options, out, retry: ['missing'] });
    t.deepEqual(retried.failures, { TUBE_NOT_VIDEO: 1 });
    t.deepEqual(await hashFiles(out), wanted);
    const after = await changeTimes(out);
    const rewritten = Object.keys(times).filter((name) => after[name] !== times[name]);
    t.is(rewritten.filter((name) => name.endsWith('.tar')).length, 1);
  },
);

test.serial('a dataset.json that an interrupted retry left stale is put right', async (t) => {
  const folder = await temporaryFolder(t);
  const [videos, out] = [join(folder, 'videos'), join(folder, 'out')];
  await writeGreyFolder(videos, 4);
  await writeFile(join(videos, 'list.csv'), 'path\neven/00.mp4\nodd/01.mp4\nlate.mp4\n');
  const options = { ...SMALL, out, maxFailures: 1 } as const;
  const source = join(videos, 'list.csv');
  await convert(source, options);
  const stale = await readFile(join(out, 'dataset.json'));
  await writeGreyVideo(join(videos, 'late.mp4'), { frames: 20 });
  await convert(source, { ...options, retry: ['missing'] });
  const state = await hashFiles(out);
  await writeFile(join(out, 'dataset.json'), stale);
  await convert(source, options);
  t.deepEqual(await hashFiles(out), state);
});

/** Runs a conversion and does something to the worker process while it works. */
async function convertWith(
  videos: string,
  flags: readonly string[],
  act: (worker: number) => void,
): Promise<{ code: number | null; failures: Record<string, number> }> {
  const args = ['convert', videos, ...flags, ...FLAGS, '--workers', '1', '--json'];
  const running = startCli([...args, '--max-failures', '1']);
  let workers: number[] = [];
  await until(async () => {
    workers = descendantsOf(running.pid);
    return (
      workers.length > 0 &&
      (await access(join(flags[1]!, 'train-000000.json')).then(
        () => true,
        () => false,
      ))
    );
  });
  act(workers[0]!);
  const { code, stdout } = await running.ended;
  const { failures } = JSON.parse(stdout) as { failures: Record<string, number> };
  return { code, failures };
}

for (const { signal, flags, failure, retry } of [
  { signal: 'SIGKILL', flags: [], failure: 'TUBE_DECODE_CRASH', retry: 'crash' },
  { signal: 'SIGSTOP', flags: ['--stall', '4'], failure: 'TUBE_DECODE_TIMEOUT', retry: 'timeout' },
] as const) {
  (hasProc ? test.serial : test.serial.skip)(
    `a worker that gets ${signal} costs its video only, and --retry ${retry} brings it back`,
    async (t) => {
      const folder = await temporaryFolder(t);
      const [videos, out, whole] = ['videos', 'out', 'whole'].map((name) => join(folder, name)) as [
        string,
        string,
        string,
      ];
      await writeGreyFolder(videos, 16);
      for (const name of ['x', 'y', 'z']) {
        await writeGreyVideo(join(videos, 'odd', `${name}.mp4`), { frames: 3000 });
      }
      await runCli('convert', videos, '--out', whole, ...FLAGS);
      const ended = await convertWith(videos, ['--out', out, ...flags], (worker) =>
        process.kill(worker, signal),
      );
      t.deepEqual(ended, { code: 0, failures: { [failure]: 1 } });
      t.like((await failuresIn(out))[0]!, { stage: 'decode', code: failure });
      const times = await changeTimes(out);
      const again = await runCli('convert', videos, '--out', out, ...FLAGS, '--retry', retry);
      t.is(again.code, 0, again.stderr);
      t.deepEqual(await hashFiles(out), await hashFiles(whole));
      const after = await changeTimes(out);
      t.is(
        Object.keys(times).filter((name) => name.endsWith('.tar') && after[name] !== times[name])
          .length,
        1,
      );
    },
  );
}

test.serial('a deadline that is too short is a timeout that names it', async (t) => {
  const folder = await temporaryFolder(t);
  const [videos, out] = [join(folder, 'videos'), join(folder, 'out')];
  await writeGreyVideo(join(videos, 'short.mp4'), { frames: 1 });
  await writeGreyVideo(join(videos, 'long.mp4'), { frames: 1000 });
  const options = {
    out,
    stride: 1,
    shortSide: 1024,
    quality: 100,
    workers: 1,
    maxFailures: 1,
  } as const;
  const summary = await convert(videos, { ...options, timeoutSeconds: 1.5 });
  t.deepEqual(summary.failures, { TUBE_DECODE_TIMEOUT: 1 });
  const [failure] = await failuresIn(out);
  t.like(failure, { path: 'long.mp4', stage: 'decode' });
  t.regex(String(failure!['message']), /not done after 1.5 s/);
});
