/** A worker process for the tests of the pool: does what the task says. */

import { setImmediate, setTimeout } from 'node:timers/promises';
import { TubeletError } from '../../lib/core/index.ts';
import { serveTasks } from '../../lib/decode/index.ts';

/** What a worker is to do. */
export type PoolTask =
  | { readonly kind: 'echo'; readonly value: unknown }
  | { readonly kind: 'pid' }
  | {
      readonly kind:
        'coded' | 'uncoded' | 'crash' | 'exit' | 'spin' | 'sleep' | 'swell' | 'work' | 'repeat';
    };

const TASKS: Readonly<
  Record<PoolTask['kind'], (task: PoolTask, onProgress: (done: number) => void) => unknown>
> = {
  echo: (task) => ('value' in task ? task.value : null),
  pid: () => process.pid,
  coded: () => {
    throw new TubeletError('TUBE_NOT_VIDEO', { message: 'no', frame: 7 });
  },
  uncoded: () => {
    throw new TypeError('wrong');
  },
  crash: () => process.kill(process.pid, 'SIGSEGV'),
  exit: () => {
    process.stderr.write('first words\nlast words\n');
    process.exit(3);
  },
  spin: () => {
    for (;;);
  },
  sleep: () => setTimeout(60_000),
  swell,
  work,
  repeat: (_, onProgress) => work(_, () => onProgress(7)),
};

serveTasks(async (task, onProgress) => {
  const known = task as PoolTask;
  const value = await TASKS[known.kind](known, onProgress);
  if (known.kind === 'crash') await setTimeout(60_000); // the signal needs a moment
  return value;
});

/** Takes memory until it is stopped. */
async function swell(): Promise<void> {
  const held: Buffer[] = [];
  while (held.length < 64) {
    held.push(Buffer.alloc(16 * 2 ** 20, 1));
    await setImmediate();
  }
  await setTimeout(60_000);
}

/** Makes progress for longer than the tests let a task stand still. */
async function work(_task: PoolTask, onProgress: (done: number) => void): Promise<number> {
  for (let done = 1; done <= 25; done++) {
    await setTimeout(100);
    onProgress(done);
  }
  return 25;
}
