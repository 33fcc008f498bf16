import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { createRng } from '../../lib/core/index.ts';
import { METRICS_FILE, MetricsLog, TIMING_FILE, readMetrics } from '../../lib/records/index.ts';
import type { MetricsRecord } from '../../lib/records/index.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';
import { logStep } from '../helpers/metrics-child.ts';

const NUM_STEPS = 30;
const CHILD = fileURLToPath(new URL('../helpers/metrics-child.js', import.meta.url));

async function logSteps(folder: string, lastStep: number | null, to: number): Promise<void> {
  await using log = await MetricsLog.open(folder, { lastStep });
  for (let step = (lastStep ?? 0) + 1; step <= to; step++) await logStep(log, step);
}

function readLog(folder: string, file: string = METRICS_FILE): Promise<string> {
  return readFile(join(folder, file), 'utf8');
}

/** Steps of the timing file: its values are the clock's. */
async function timedSteps(folder: string): Promise<number[]> {
  const steps: number[] = [];
  for await (const { step } of readMetrics(join(folder, TIMING_FILE))) steps.push(step);
  return steps;
}

test('lines are JSON in the order of the caller, and are read as they were written', async (t) => {
  const folder = await temporaryFolder(t);
  const records: MetricsRecord[] = [
    { step: 0, kind: 'train', values: { loss: 0.1, lr: 1e-7, 'grad norm': -0 } },
    { step: 0, kind: 'train', values: {} },
    { step: 7, kind: 'vali"d\n', values: { loss: Number.NaN, a: Infinity, b: -Infinity } },
  ];
  await using log = await MetricsLog.open(folder, { lastStep: null });
  for (const record of records) await log.append(record);
  await log.flush();
  t.is(
    await readLog(folder),
    '{"step":0,"kind":"train","loss":0.1,"lr":1e-7,"grad norm":0}\n' +
      '{"step":0,"kind":"train"}\n' +
      String.raw`{"step":7,"kind":"vali\"d\n","loss":"NaN","a":"Infinity","b":"-Infinity"}` +
      '\n',
  );
  const read: MetricsRecord[] = [];
  for await (const record of readMetrics(join(folder, METRICS_FILE))) read.push(record);
  t.deepEqual(read.slice(1), records.slice(1));
  t.is(await readLog(folder, TIMING_FILE), '');
});

test('a log cut at any byte goes on as if nothing had happened', async (t) => {
  const folder = await temporaryFolder(t);
  await logSteps(folder, null, NUM_STEPS);
  const whole = await readLog(folder);
  const steps = await timedSteps(folder);
  const lastStep = 20;
  const minimum = whole.indexOf('{"step":21,');
  for (let length = minimum; length <= whole.length; length += 7) {
    await writeFile(join(folder, METRICS_FILE), whole.slice(0, length));
    await logSteps(folder, lastStep, NUM_STEPS);
    t.is(await readLog(folder), whole);
    t.deepEqual(await timedSteps(folder), steps);
  }
});

test('a run that is killed again and again leaves the log of one that is not', async (t) => {
  const [folder, killed] = [await temporaryFolder(t), await temporaryFolder(t)];
  await logSteps(folder, null, 200);
  const rng = createRng(0, 'kills');
  let lastStep = 0;
  for (const checkpoint of [7, 60, 61, 143, 180]) {
    // It logs until it is killed, which may be long after the checkpoint.
    const child = spawn(process.execPath, [CHILD, killed, String(lastStep + 1), '1000000']);
    const until = checkpoint + rng.integer(0, 20);
    child.stdout.on('data', (bytes: Buffer) => {
      const done = Number(bytes.toString().trim().split('\n').at(-1));
      if (done >= until) child.kill('SIGKILL');
    });
    const signal = await new Promise<NodeJS.Signals | null>((resolve) =>
      child.on('close', (_, name) => resolve(name)),
    );
    t.is(signal, 'SIGKILL');
    lastStep = checkpoint;
  }
  await logSteps(killed, lastStep, 200);
  t.is(await readLog(killed), await readLog(folder));
  t.deepEqual(await timedSteps(killed), await timedSteps(folder));
});

test('a new run empties the log; a resumed one of a folder without a log begins it', async (t) => {
  const folder = await temporaryFolder(t);
  await logSteps(folder, null, 3);
  await logSteps(folder, null, 1);
  t.regex(await readLog(folder), /^{"step":1,.*}\n$/);
  const empty = await temporaryFolder(t);
  await logSteps(empty, 4, 5);
  t.regex(await readLog(empty), /^{"step":5,.*}\n.*validation.*\n$/);
});

test('wrong steps and names are the mistake of the caller', async (t) => {
  const folder = await temporaryFolder(t);
  await using log = await MetricsLog.open(folder, { lastStep: 4 });
  for (const [step, values] of [
    [3, {}],
    [4.5, {}],
    [-1, {}],
    [Number.NaN, {}],
    [5, { step: 1 }],
    [5, { kind: 1 }],
  ] as const) {
    await t.throwsAsync(log.append({ step, kind: 'train', values }), { instanceOf: RangeError });
  }
  t.is(await readLog(folder), '');
});

for (const line of [
  '{"step":1}',
  'nonsense',
  '[]',
  '{"step":-1,"kind":"a"}',
  '{"step":1,"kind":"a","b":"c"}',
  '{"step":1,"kind":"a","b":null}',
  '',
]) {
  test(`the line ${line} in the middle is damage, with its number`, async (t) => {
    const folder = await temporaryFolder(t);
    const path = join(folder, METRICS_FILE);
    await writeFile(path, `{"step":1,"kind":"a"}\n${line}\n{"step":2,"kind":"a"}\n`);
    const error = await t.throwsAsync(MetricsLog.open(folder, { lastStep: 2 }));
    t.like(error, { code: 'TUBE_RECORDS_DAMAGED', details: { line: 2 } });
  });
}

test('a log that cannot be read or written has a code', async (t) => {
  const folder = await temporaryFolder(t);
  await t.throwsAsync(readMetrics(join(folder, 'none')).next(), { code: 'TUBE_RECORDS_NOT_FOUND' });
  await t.throwsAsync(MetricsLog.open(join(folder, 'none'), { lastStep: null }), {
    code: 'TUBE_OUT_NOT_WRITABLE',
  });
  await mkdir(join(folder, TIMING_FILE));
  await t.throwsAsync(MetricsLog.open(folder, { lastStep: null }), {
    code: 'TUBE_OUT_NOT_WRITABLE',
  });
});

test('closing twice is harmless, and nothing is written after', async (t) => {
  const folder = await temporaryFolder(t);
  const log = await MetricsLog.open(folder, { lastStep: null });
  await log[Symbol.asyncDispose]();
  await log[Symbol.asyncDispose]();
  await t.throwsAsync(log.append({ step: 1, kind: 'a', values: {} }), {
    code: 'TUBE_OUT_NOT_WRITABLE',
  });
  t.is(await readLog(folder), '');
});
