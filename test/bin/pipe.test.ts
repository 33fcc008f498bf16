import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { UsageError, parseFlags, translateOptions } from '../../bin/flags.ts';
import { pipeCommand } from '../../bin/pipe.ts';
import { encodeBatch, openLoader } from '../../lib/load/index.ts';
import type { BatchFormat, Cursor, LoaderOptions, LoaderSource } from '../../lib/load/index.ts';
import { decodeImage } from '../../lib/sample/index.ts';
import { readMsgpack } from '../helpers/batch-stream.ts';
import { runCli, runJson, startCli } from '../helpers/cli.ts';
import { filesOf } from '../helpers/folder-state.ts';
import { damageClips, writeClips } from '../helpers/make-clips.ts';
import type { ClipsForm } from '../helpers/make-clips.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';
import { hasProc } from '../helpers/processes.ts';
import { projectFile } from '../helpers/project.ts';
import { startServer } from '../shard/store/file-server.ts';

const RAW: ClipsForm = { layout: 'raw', shape: [9, 20, 26, 3], sizes: [4, 6, 5] };
const TUBELETS: ClipsForm = { layout: 'tubelets', shape: [4, 8, 12, 3], sizes: [5, 6, 4] };

async function makeFolder(t: ExecutionContext, form: ClipsForm): Promise<string> {
  const folder = await temporaryFolder(t);
  await writeClips(folder, form);
  return folder;
}

/** What the API makes of a run, batch by batch. */
async function encodeRun(
  source: LoaderSource,
  options: LoaderOptions,
  format: BatchFormat = 'msgpack',
): Promise<Buffer[]> {
  await using loader = await openLoader(source, options);
  const batches: Buffer[] = [];
  for await (const batch of loader)
    batches.push(Buffer.concat(encodeBatch(batch, format, loader.cursor())));
  return batches;
}

async function readCursorFile(path: string): Promise<Cursor> {
  return JSON.parse(await readFile(path, 'utf8')) as Cursor;
}

/** Command lines, and the same for the API. */
const RUNS: readonly (readonly [line: string, form: ClipsForm, options: LoaderOptions])[] = [
  [
    '--batch-size 4 --dtype uint8 --epochs 2 --seed 7',
    TUBELETS,
    { batchSize: 4, dtype: 'uint8', epochs: 2, seed: 7 },
  ],
  [
    '--batch-size 4 --preset pretrain --frames 4 --size 16 --tubelet 2x4x4 --mask-ratio 0.5 --workers 3',
    RAW,
    {
      batchSize: 4,
      frames: 'pretrain',
      crop: 'multi-scale',
      mask: { kind: 'tube', ratio: 0.5 },
      remainder: 'drop',
      seed: 0,
      numFrames: 4,
      size: 16,
      tubelet: [2, 4, 4],
    },
  ],
  [
    '--batch-size 2 --world-size 2 --rank 1 --remainder pad --mixup 0.8 --smoothing 0.1 --shuffle window --form frames --frames 4 --size 16',
    RAW,
    {
      batchSize: 2,
      worldSize: 2,
      rank: 1,
      remainder: 'pad',
      mix: { mixupAlpha: 0.8, cutmixAlpha: 0, probability: 1, switchProbability: 0.5 },
      smoothing: 0.1,
      shuffle: 'window',
      form: 'frames',
      numFrames: 4,
      size: 16,
      seed: 0,
    },
  ],
];

for (const [line, form, options] of RUNS) {
  for (const format of ['msgpack', 'npy'] as const) {
    test.serial(`pipe ${line} --format ${format} is what the loader gives`, async (t) => {
      const folder = await makeFolder(t, form);
      const args = ['pipe', folder, ...line.split(' '), '--format', format, '--quiet'];
      const { code, bytes, stderr } = await runCli(...args);
      t.is(code, 0, stderr);
      t.is(stderr, '');
      const expected = await encodeRun(folder, options, format);
      t.true(expected.length >= 3);
      t.true(bytes.equals(Buffer.concat(expected)));
    });
  }
}

test.serial('datasets with weights are mixed', async (t) => {
  const [a, b] = [
    await makeFolder(t, { ...TUBELETS, name: 'a' }),
    await makeFolder(t, { ...TUBELETS, name: 'b' }),
  ];
  const { code, bytes, stderr } = await runCli(
    'pipe',
    `${a}=0.75`,
    `${b}=.25`,
    '--batch-size',
    '4',
  );
  t.is(code, 0, stderr);
  const expected = await encodeRun({ [a]: 0.75, [b]: 0.25 }, { batchSize: 4, seed: 0 });
  t.true(bytes.equals(Buffer.concat(expected)));
});

test.serial('a server gives what a folder gives, and --cache keeps it', async (t) => {
  const folder = await makeFolder(t, TUBELETS);
  const cache = await temporaryFolder(t);
  const server = await startServer(t, await filesOf(folder));
  const args = ['--batch-size', '4', '--epochs', '2'];
  const local = await runCli('pipe', folder, ...args);
  const remote = await runCli(
    'pipe',
    server.url,
    ...args,
    '--cache',
    cache,
    '--cache-bytes',
    '64M',
  );
  t.is(remote.code, 0, remote.stderr);
  t.true(remote.bytes.equals(local.bytes));
  t.true((await readdir(cache)).length > 0);
});

test.serial('runs of some batches and a cursor are the whole run, byte for byte', async (t) => {
  const folder = await makeFolder(t, RAW);
  const [line, , options] = RUNS[1]!;
  const path = join(folder, 'cursor.json');
  const whole = await encodeRun(folder, { ...options, epochs: 2 });
  const limit = ['--epochs', '2', '--max-batches', '2', '--cursor', path];
  const args = ['pipe', folder, ...line.split(' '), ...limit];
  for (let done = 0; done < whole.length; done += 2) {
    const { code, bytes, stderr } = await runCli(...args, '--workers', String(1 + (done % 3)));
    t.is(code, 0, stderr);
    t.true(bytes.equals(Buffer.concat(whole.slice(done, done + 2))), `batch ${done}`);
  }
  const over = await runCli(...args);
  t.like(over, { code: 0, stdout: '' });
  t.regex(over.stderr, /Nothing is left.*--epochs/);
  t.like(await readCursorFile(path), { epoch: 2, position: 0 });
  t.false((await readdir(folder)).some((name) => name.endsWith('.tmp')));
});

test.serial('every batch carries the cursor to go on behind it', async (t) => {
  const folder = await makeFolder(t, TUBELETS);
  const path = join(folder, 'cursor.json');
  const args = ['pipe', folder, '--batch-size', '4', '--epochs', '2', '--cursor', path];
  const { bytes } = await runCli(...args);
  const whole = await encodeRun(folder, { batchSize: 4, seed: 0, epochs: 2 });
  for (const [i, batch] of readMsgpack(bytes).entries()) {
    if (i % 3 !== 1) continue;
    await writeFile(path, batch['cursor'] as string);
    const rest = await runCli(...args);
    t.true(rest.bytes.equals(Buffer.concat(whole.slice(i + 1))), `behind batch ${i}`);
  }
});

test.serial('a cursor of other options is refused by name, and left as it is', async (t) => {
  const folder = await makeFolder(t, TUBELETS);
  const path = join(folder, 'cursor.json');
  const args = ['pipe', folder, '--batch-size', '4', '--cursor', path];
  await runCli(...args, '--max-batches', '2');
  const before = await readFile(path, 'utf8');
  const { code, stderr, stdout } = await runCli(...args, '--seed', '1');
  t.is(code, 1);
  t.is(stdout, '');
  t.regex(stderr, /^TUBE_CURSOR_MISMATCH: .*cursor\.json.*seed was 0, now 1/);
  t.is(await readFile(path, 'utf8'), before);
});

/** Batches of 4 samples of 9.2 kB each: several fit in a pipe. */
const ENDLESS = ['--batch-size', '4', '--epochs', 'forever', '--dtype', 'uint8'];

test.serial('a reader that goes away ends it quietly, with a right cursor', async (t) => {
  const folder = await makeFolder(t, TUBELETS);
  const path = join(folder, 'cursor.json');
  const running = startCli(['pipe', folder, ...ENDLESS, '--cursor', path], { isUnread: true });
  const [first] = (await once(running.child.stdout!, 'data')) as [Buffer];
  running.child.stdout!.destroy();
  t.like(await running.ended, { code: 0, signal: null, stderr: '' });
  const { epoch, position } = await readCursorFile(path);
  const args = ['pipe', folder, ...ENDLESS, '--cursor', path, '--max-batches', '1'];
  const { bytes } = await runCli(...args);
  const whole = await encodeRun(folder, { batchSize: 4, epochs: 60, dtype: 'uint8', seed: 0 });
  const next = epoch * 4 + position / 4;
  t.true(bytes.equals(whole[next]!));
  // All that was read is of batches before the next one or of that.
  t.true(first.length <= whole.slice(0, next + 1).reduce((sum, { length }) => sum + length, 0));
});

for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test.serial(
    `${signal} ends the stream with a whole batch, the last before the cursor`,
    async (t) => {
      const folder = await makeFolder(t, TUBELETS);
      const path = join(folder, 'cursor.json');
      const running = startCli(['pipe', folder, ...ENDLESS, '--cursor', path, '--json']);
      let length = 0;
      running.child.stdout!.on('data', (bytes: Buffer) => {
        const isFirst = length <= 200_000;
        length += bytes.length;
        if (isFirst && length > 200_000) running.child.kill(signal);
      });
      const { code, bytes, stderr } = await running.ended;
      t.is(code, exitCode, stderr);
      const batches = readMsgpack(bytes);
      t.true(batches.length > 5);
      t.is(batches.at(-1)!['cursor'], JSON.stringify(await readCursorFile(path)));
      const summary = JSON.parse(stderr.trimEnd().split('\n').at(-1)!) as object;
      t.like(summary, { end: 'interrupted', batches: batches.length, bytes: bytes.length });
    },
  );
}

/** Large batches: 32 clips of 196 kB. */
const LARGE: ClipsForm = { layout: 'tubelets', shape: [16, 64, 64, 3], sizes: [32] };

test.serial('a reader that stands still stops the loader and not Ctrl-C', async (t) => {
  const folder = await makeFolder(t, { ...LARGE, tubelet: [2, 16, 16] });
  const path = join(folder, 'cursor.json');
  const line = '--batch-size 32 --epochs forever --dtype uint8 --prefetch 2';
  const args = ['pipe', folder, ...line.split(' '), '--cursor', path];
  const running = startCli(args, { isUnread: true });
  while (!existsSync(path)) await pause(50);
  await pause(2000); // Endless batches of 6 MB, with nobody to take them.
  if (hasProc) {
    const status = await readFile(`/proc/${running.pid}/status`, 'utf8');
    const peak = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)![1]) / 1024;
    t.true(peak < 600, `${peak} MiB`);
  }
  running.child.kill('SIGINT');
  const parts: Buffer[] = [];
  await once(running.child, 'exit');
  running.child.stdout!.on('data', (bytes: Buffer) => parts.push(bytes));
  const { code, stderr } = await running.ended;
  t.is(code, 130, stderr);
  t.regex(stderr, /Interrupted after 0 batches\. Run the same command again to go on/);
  t.like(await readCursorFile(path), { epoch: 0, position: 0 });
  t.true(Buffer.concat(parts).length < 2 ** 20);
});

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

test.serial('a file gets the same bytes as a pipe', async (t) => {
  const folder = await makeFolder(t, TUBELETS);
  const args = ['pipe', folder, '--batch-size', '4', '--epochs', '3'];
  const path = join(folder, 'batches.msgpack');
  const descriptor = openSync(path, 'w');
  const { code } = await startCli(args, { stdout: descriptor }).ended;
  closeSync(descriptor);
  t.is(code, 0);
  t.true((await readFile(path)).equals((await runCli(...args)).bytes));
});

if (existsSync('/dev/full')) {
  test.serial(
    'a full disk fails with its code, and the cursor stays behind what is there',
    async (t) => {
      const folder = await makeFolder(t, TUBELETS);
      const path = join(folder, 'cursor.json');
      const descriptor = openSync('/dev/full', 'w');
      const args = ['pipe', folder, '--batch-size', '4', '--cursor', path, '--json'];
      const { code, stderr } = await startCli(args, { stdout: descriptor }).ended;
      closeSync(descriptor);
      t.is(code, 1);
      t.regex(stderr, /^TUBE_DISK_FULL: .*stdout/);
      t.regex(stderr, /\n{"error":{"code":"TUBE_DISK_FULL".*}\n$/);
      t.like(await readCursorFile(path), { epoch: 0, position: 0 });
    },
  );
}

test.serial(
  'bad samples are named; the cursor stands before the batch of one that ends the run',
  async (t) => {
    const folder = await makeFolder(t, TUBELETS);
    const whole = await encodeRun(folder, { batchSize: 4, seed: 0 });
    const bad = readMsgpack(Buffer.concat(whole)).findIndex((batch) =>
      (batch['samples'] as number[]).includes(3),
    );
    await damageClips(folder, [3]);
    const path = join(folder, 'cursor.json');
    const args = ['pipe', folder, '--batch-size', '4'];
    const failed = await runCli(...args, '--cursor', path);
    t.is(failed.code, 1);
    t.regex(failed.stderr, /^TUBE_SAMPLE_DAMAGED: .*train-clip-00003/m);
    t.true(failed.bytes.equals(Buffer.concat(whole.slice(0, bad))));
    t.like(await readCursorFile(path), { epoch: 0, position: 4 * bad });

    const skipped = await runCli(...args, '--on-error', 'skip', '--json');
    t.is(skipped.code, 0);
    const lines = skipped.stderr.trimEnd().split('\n');
    t.regex(lines[0]!, /^bad sample train-clip-00003: TUBE_SAMPLE_DAMAGED: /);
    t.like(JSON.parse(lines[1]!), {
      batches: 4,
      clips: 15,
      bytes: skipped.bytes.length,
      end: 'done',
      skipped: { TUBE_SAMPLE_DAMAGED: 1 },
      missing: {},
      cursor: null,
    });
    t.is(lines.length, 2);

    const missing = await runCli(...args, '--on-error', 'missing');
    t.regex(missing.stderr, /batches +4\n +clips +15\n[^]*missing +1 TUBE_SAMPLE_DAMAGED/);
    const flags = readMsgpack(missing.bytes).flatMap((batch) => batch['isMissing'] as boolean[]);
    t.is(flags.filter(Boolean).length, 1);
  },
);

test.serial('--sheet draws the first batch and writes none', async (t) => {
  const folder = await makeFolder(t, RAW);
  const path = join(folder, 'sheet.png');
  const line =
    '--preset pretrain --frames 4 --size 16 --tubelet 2x4x4 --mask-ratio 0.5 --batch-size 2';
  const { code, stdout, stderr } = await runCli(
    'pipe',
    folder,
    ...line.split(' '),
    '--sheet',
    path,
  );
  t.is(code, 0, stderr);
  t.is(stdout, '');
  t.true(stderr.includes(path));
  const { width, height } = await decodeImage(await readFile(path));
  t.true(width >= 4 * 16 && height >= 6 * 16); // Two clips, three rows each.
});

if (spawnSync('script', ['--version']).status === 0) {
  test.serial('a terminal gets no binary', async (t) => {
    const folder = await makeFolder(t, TUBELETS);
    const program = projectFile('build', 'bin', 'tubelet.js');
    const command = `${process.execPath} ${program} pipe ${folder} --batch-size 4`;
    const { status, stdout } = spawnSync('script', ['-qec', command, '/dev/null']);
    t.is(status, 2);
    t.regex(stdout.toString(), /stdout is a terminal\. Send them to a program or a file/);
  });
} else {
  test.skip('a terminal gets no binary (no script program)', (t) => t.pass());
}

/** Wrong command lines, on a dataset of raw frames, and what the message must say. */
const WRONG: readonly (readonly [line: string, message: string])[] = [
  ['', '--batch-size N is missing.'],
  ['--batch-size 0', '--batch-size must be'],
  ['--batch-size four', '--batch-size must be a number'],
  ['--batch-size 4 --preset train', '--preset must be one of pretrain, finetune, evaluate'],
  ['--batch-size 4 --format tar', '--format must be one of msgpack, npy'],
  ['--batch-size 4 --max-batches 0', '--max-batches must be'],
  ['--batch-size 4 --epochs all', '--epochs must be a number'],
  ['--batch-size 4 --epochs 0', '--epochs must be'],
  ['--batch-size 4 --world-size 2', '--remainder must be chosen'],
  ['--batch-size 4 --world-size 2 --remainder pad --rank 2', '--rank must be'],
  ['--batch-size 4 --shuffle all', '--shuffle must be one of'],
  ['--batch-size 4 --frame-rule all', '--frame-rule must be one of'],
  ['--batch-size 4 --frames 5', '--frames must be a multiple of 2, as --tubelet says'],
  ['--batch-size 4 --tubelet 2x16', '--tubelet must look like 2x16x16'],
  ['--batch-size 4 --mask cube', '--mask must be one of tube, random, frame'],
  ['--batch-size 4 --mask-ratio 2', '--mask-ratio must be'],
  ['--batch-size 4 --mask tube --form frames', '--mask needs --form tubelets'],
  ['--batch-size 4 --crops 0', '--crops must be'],
  ['--batch-size 4 --segments 0', '--segments must be'],
  ['--batch-size 4 --mean 1,2', '--mean must look like'],
  ['--batch-size 4 --max-bytes lots', '--max-bytes must look like'],
  ['--batch-size 4 --max-bytes 1K', '--max-bytes must hold'],
  ['--batch-size 4 --mix-switch 0.5', '--mix-switch needs --mixup or --cutmix'],
  ['--batch-size 3 --mixup 0.8', '--mixup needs an even number'],
  ['--batch-size 4 --mixup=-1', '--mixup must be a number of at least 0'],
  ['--batch-size 4 --std 1,0,1', '--std must be'],
  ['--batch-size 4 --tubelet 2x16x8', '--tubelet must be as high as it is wide (got 2x16x8)'],
  [
    '--batch-size 4 --smoothing 0.1 --num-classes 2 --frames 4 --size 16',
    '--num-classes must be above all class ids (got 2, and 2 for train-clip-',
  ],
  ['--batch-size 4 --rand-augment much', '--rand-augment must look like'],
  ['--batch-size 4 --on-error ignore', '--on-error must be one of'],
  [
    '--batch-size 16 --size 16 --remainder drop',
    '--batch-size times --world-size must be at most the 15 clips of an epoch with --remainder drop',
  ],
  ['--batch-size 4 --preset finetune --dtype uint8', '--mixup come from --preset finetune.'],
  ['--batch-size 4 --sheet a.png --max-batches 2', '--sheet does not go with --max-batches'],
  ['--batch-size 4 --window-shards 2', '--window-shards, --window-samples need --shuffle window'],
  ['--batch-size 4 --num-classes 3', '--num-classes needs --smoothing or --mixup'],
  ['--batch-size 4 --keep-direction sideways', '--keep-direction must name classes'],
  ['--batch-size 4 --preset evaluate --crop center', '--crop does not go with --segments'],
  ['--batch-size 4 --cache-bytes 1', '--cache-bytes must be'],
  ['--batch-size 4 --nonsense', '--nonsense'],
  ['other --batch-size 4', 'Several datasets need weights'],
];

for (const [line, message] of WRONG) {
  test.serial(`pipe DIR ${line} is wrong use`, async (t) => {
    const folder = await makeFolder(t, RAW);
    const args = line === '' ? [folder] : [folder, ...line.split(' ')];
    const error = await t.throwsAsync(async () =>
      pipeCommand.run(parseFlags(pipeCommand, args), new AbortController().signal),
    );
    // What the command line takes for wrong use.
    t.true(error instanceof UsageError || error.message.startsWith('"'), error.message);
    const text = translateOptions(pipeCommand, error.message);
    t.true(text.includes(message), text);
  });
}

for (const [line, message] of [WRONG[0]!, WRONG[1]!]) {
  test.serial(`tubelet pipe DIR ${line} has exit code 2 and says where to look`, async (t) => {
    const folder = await makeFolder(t, RAW);
    const args = line === '' ? [] : line.split(' ');
    const { code, stdout, stderr } = await runCli('pipe', folder, ...args);
    t.is(code, 2, stderr);
    t.is(stdout, '');
    t.true(stderr.startsWith(message), stderr);
    t.regex(stderr, /\nSee: tubelet pipe --help\n$/);
  });
}

test.serial('pipe without a dataset, and with one that is not there', async (t) => {
  t.like(await runCli('pipe', '--batch-size', '4'), { code: 2 });
  const none = await runCli('pipe', 'nothing-here', '--batch-size', '4', '--json');
  t.like(none, { code: 1, stdout: '' });
  t.regex(
    none.stderr,
    /^TUBE_DATASET_NOT_FOUND: .*\n.*\n{"error":{"code":"TUBE_DATASET_NOT_FOUND"/,
  );
  const twice = await runCli('pipe', 'a=1', 'a=2', '--batch-size', '4');
  t.like(twice, { code: 2 });
  t.regex(twice.stderr, /"a" stands there twice/);
});

test.serial('plan takes the same flags for the order and the split', async (t) => {
  const folder = await makeFolder(t, TUBELETS);
  const line = '--batch-size 2 --world-size 3 --remainder pad --shuffle window --window-shards 2';
  const report = await runJson('plan', folder, ...line.split(' '));
  t.like(report, { numSamples: 15, worldBatchSize: 6, remainderPolicy: 'pad', shuffle: 'window' });
  t.deepEqual(report['batchesPerRank'], [3, 3, 3]);
  const refused = await runCli('plan', folder, '--batch-size', '2', '--world-size', '3');
  t.is(refused.code, 2);
  t.regex(refused.stderr, /^--remainder must be chosen/);
  t.regex((await runCli('plan', folder)).stderr, /^--batch-size N is missing/);
});
