import { fork } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { ProcessPool } from '../../lib/decode/index.ts';
import type { PoolOptions } from '../../lib/decode/index.ts';
import { residentBytes } from '../../lib/decode/process-memory.ts';
import type { PoolTask } from '../helpers/pool-child.ts';

const CHILD = new URL('../helpers/pool-child.js', import.meta.url);

/** Wide limits: a test that wants one to bite narrows that one. */
const WIDE = { timeoutSeconds: 60, stallSeconds: 60, memoryBytes: 2 ** 40 };

type Pool = ProcessPool<PoolTask, unknown>;

function makePool(t: ExecutionContext, options: Partial<PoolOptions> = {}): Pool {
  const pool: Pool = new ProcessPool({ module: CHILD, workers: 1, ...WIDE, ...options });
  t.teardown(() => pool[Symbol.asyncDispose]());
  return pool;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Waits until a process is gone; a test that waits in vain runs into AVA's limit. */
async function isGone(pid: number): Promise<true> {
  while (isAlive(pid)) await setTimeout(20);
  return true;
}

test('a result comes back as it was: text, numbers, bytes, dates, nothing', async (t) => {
  const pool = makePool(t);
  const value = {
    text: 'ä🎬',
    big: 2n ** 70n,
    bytes: Uint8Array.of(1, 2, 255),
    floats: Float64Array.of(0.1, Number.NaN),
    map: new Map([[1, { deep: [null, undefined, -0] }]]),
  };
  t.deepEqual(await pool.run({ kind: 'echo', value }), value);
  t.is(await pool.run({ kind: 'echo', value: undefined }), undefined);
});

test('an error with a code keeps code and details', async (t) => {
  const error = await t.throwsAsync(makePool(t).run({ kind: 'coded' }), { code: 'TUBE_NOT_VIDEO' });
  t.like(error, { details: { message: 'no', frame: 7 } });
});

test('an error without a code is ours', async (t) => {
  const error = await t.throwsAsync(makePool(t).run({ kind: 'uncoded' }), {
    code: 'TUBE_INTERNAL',
  });
  t.like(error, { details: { message: 'wrong' } });
});

test('a failed task leaves its process to the next', async (t) => {
  const pool = makePool(t);
  const pid = await pool.run({ kind: 'pid' });
  await t.throwsAsync(pool.run({ kind: 'coded' }));
  t.is(await pool.run({ kind: 'pid' }), pid);
});

test('a crash costs one task, and says how the process ended', async (t) => {
  const pool = makePool(t);
  const first = await pool.run({ kind: 'pid' });
  const killed = await t.throwsAsync(pool.run({ kind: 'crash' }), { code: 'TUBE_DECODE_CRASH' });
  t.like(killed, { details: { message: 'signal SIGSEGV' } });
  const left = await t.throwsAsync(pool.run({ kind: 'exit' }), { code: 'TUBE_DECODE_CRASH' });
  t.like(left, { details: { message: 'exit code 3' } }); // last words differ from run to run
  t.not(await pool.run({ kind: 'pid' }), first);
});

test('a process that died between two tasks is not given the next', async (t) => {
  const pool = makePool(t);
  const pid = (await pool.run({ kind: 'pid' })) as number;
  process.kill(pid, 'SIGKILL');
  await isGone(pid);
  t.is(await pool.run({ kind: 'echo', value: 1 }), 1);
});

test('a task that hangs is ended at its deadline, and the pool goes on', async (t) => {
  const pool = makePool(t, { timeoutSeconds: 0.5 });
  const pid = (await pool.run({ kind: 'pid' })) as number;
  for (const kind of ['spin', 'sleep'] as const) {
    const error = await t.throwsAsync(pool.run({ kind }), { code: 'TUBE_DECODE_TIMEOUT' }, kind);
    t.like(error, { details: { message: 'not done after 0.5 s' } });
  }
  t.true(await isGone(pid));
  t.is(await pool.run({ kind: 'echo', value: 'next' }), 'next');
});

test('a task that stands still is ended, one that goes on is not', async (t) => {
  const pool = makePool(t, { stallSeconds: 2 });
  for (const kind of ['sleep', 'repeat'] as const) {
    const error = await t.throwsAsync(pool.run({ kind }), { code: 'TUBE_DECODE_TIMEOUT' }, kind);
    t.like(error, { details: { message: 'no progress for 2 s' } });
  }
  const done: number[] = [];
  t.is(await pool.run({ kind: 'work' }, (count) => done.push(count)), 25);
  t.deepEqual(
    done,
    Array.from({ length: 25 }, (_, i) => i + 1),
  );
});

test('a task that swells is ended', async (t) => {
  if (process.platform !== 'linux') {
    t.pass('memory of others is known on Linux only');
    return;
  }
  const pool = makePool(t, { memoryBytes: 400 * 2 ** 20 });
  const pid = (await pool.run({ kind: 'pid' })) as number;
  t.true(residentBytes(pid) > 10 * 2 ** 20);
  await t.throwsAsync(pool.run({ kind: 'swell' }), { code: 'TUBE_DECODE_MEMORY' });
  t.true(await isGone(pid));
  t.is(residentBytes(pid), 0);
  t.is(residentBytes(undefined), 0);
  t.is(await pool.run({ kind: 'echo', value: 1 }), 1);
});

test('many tasks over few processes: each gets its own answer, no more processes than allowed', async (t) => {
  const pool = makePool(t, { workers: 2 });
  const values = Array.from({ length: 300 }, (_, i) => i);
  const answers = await Promise.all(values.map((value) => pool.run({ kind: 'echo', value })));
  t.deepEqual(answers, values);
  const pids = await Promise.all(values.map(() => pool.run({ kind: 'pid' })));
  t.is(new Set(pids).size, 2);
});

test('crashes among many tasks do not touch the others', async (t) => {
  const pool = makePool(t, { workers: 2 });
  const outcomes = await Promise.allSettled(
    Array.from({ length: 24 }, (_, i) =>
      pool.run(i % 8 === 3 ? { kind: 'exit' } : { kind: 'echo', value: i }),
    ),
  );
  outcomes.forEach((outcome, i) => {
    if (i % 8 === 3) t.like(outcome, { status: 'rejected', reason: { code: 'TUBE_DECODE_CRASH' } });
    else t.like(outcome, { status: 'fulfilled', value: i });
  });
});

test('a task that cannot be sent fails alone', async (t) => {
  const pool = makePool(t, { timeoutSeconds: 20 });
  const task = { kind: 'echo', value: () => 'functions do not travel' } as const;
  await t.throwsAsync(pool.run(task));
  t.is(await pool.run({ kind: 'echo', value: 1 }), 1);
});

test.serial('a start that is slow is not tried again, one that dies is', async (t) => {
  let started = 0;
  const count = (): void => void started++;
  subscribe('child_process', count);
  t.teardown(() => unsubscribe('child_process', count));
  const slow = new URL('../helpers/never-ready.js', import.meta.url);
  const dying = new URL('../helpers/no-such-module.js', import.meta.url);
  for (const { starts, ...options } of [
    { module: slow, startSeconds: 0.3, starts: 1 },
    { module: dying, starts: 3 },
  ]) {
    started = 0;
    const pool = makePool(t, options);
    await t.throwsAsync(pool.run({ kind: 'pid' }), { code: 'TUBE_WORKER_START' });
    t.is(started, starts, options.module.pathname);
  }
});

test('where memory runs out, the system is to end a worker first', async (t) => {
  if (process.platform !== 'linux') {
    t.pass('told on Linux only');
    return;
  }
  const pid = (await makePool(t).run({ kind: 'pid' })) as number;
  t.is(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8').trim(), '1000');
});

test('closing ends idle and busy processes, running and waiting tasks', async (t) => {
  const pool = makePool(t, { workers: 2 });
  const pids = await Promise.all([pool.run({ kind: 'pid' }), pool.run({ kind: 'pid' })]);
  const tasks = ['spin', 'echo', 'spin', 'sleep', 'echo'] as const;
  const running = tasks.map((kind) => pool.run({ kind, value: kind }));
  const outcomes = Promise.allSettled(running);
  t.is(await running[1], 'echo');
  await Promise.all([pool[Symbol.asyncDispose](), pool[Symbol.asyncDispose]()]);
  for (const pid of pids as number[]) t.false(isAlive(pid));
  const ends = (await outcomes).map(({ status }) => status);
  t.deepEqual(ends, ['rejected', 'fulfilled', 'rejected', 'rejected', 'rejected']);
  await t.throwsAsync(pool.run({ kind: 'pid' }), { code: 'TUBE_INTERNAL' });
  await pool[Symbol.asyncDispose]();
});

test('processes end with their parent, however it dies', async (t) => {
  const parent = fork(new URL('../helpers/pool-parent.js', import.meta.url), {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const [pids] = (await once(parent, 'message')) as [number[]];
  t.is(new Set(pids).size, 2);
  t.true(pids.every(isAlive));
  parent.kill('SIGKILL');
  for (const pid of pids) t.true(await isGone(pid));
});
