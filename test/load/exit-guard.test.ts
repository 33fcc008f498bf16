import test from 'ava';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import { ExitGuard, createExitGuard } from '../../lib/load/exit-guard.ts';
import { projectFile } from '../helpers/project.ts';

const MODULE = JSON.stringify(pathToFileURL(projectFile('build/lib/load/exit-guard.js')).href);

/** A program whose worker computes for a while as native code does, without turning its event loop, while the program ends. */
function program({ isGuarded, ending }: { isGuarded: boolean; ending: string }): string {
  const worker = `
    import { writeSync } from 'node:fs';
    import { parentPort, workerData } from 'node:worker_threads';
    import { ExitGuard } from ${MODULE};
    const guard = new ExitGuard(workerData, 0);
    guard.leave();
    const work = () => {
      parentPort.postMessage('inside');
      const end = Date.now() + 500;
      while (Date.now() < end);
      writeSync(1, 'finished');
    };
    ${isGuarded ? 'guard.within(work)' : 'work()'};
    setInterval(() => {}, 1000);
  `;
  return `
    import { once } from 'node:events';
    import { Worker } from 'node:worker_threads';
    import { createExitGuard, watchExit } from ${MODULE};
    const memory = createExitGuard(1);
    watchExit(memory);
    const url = new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(worker)}));
    const worker = new Worker(url, { workerData: memory, execArgv: [] });
    await once(worker, 'message');
    worker.unref();
    ${ending}
  `;
}

async function outcome(script: string): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

for (const ending of ['process.exit(3);', 'process.exitCode = 3;']) {
  test(`the end of a process waits for native code: ${ending}`, async (t) => {
    const guarded = await outcome(program({ isGuarded: true, ending }));
    t.deepEqual(guarded, { code: 3, output: 'finished' });
    const unguarded = await outcome(program({ isGuarded: false, ending }));
    t.deepEqual(unguarded, { code: 3, output: '' });
  });
}

test('workers that are gone are not waited for, and nothing listens without a guard', async (t) => {
  const script = `
    import { createExitGuard, watchExit, ExitGuard } from ${MODULE};
    const before = process.listenerCount('exit');
    const memory = createExitGuard(2);
    const unwatch = watchExit(memory);
    new ExitGuard(memory, 0).leave();
    new ExitGuard(memory, 1).leave();
    const silent = watchExit(createExitGuard(1));
    silent();
    console.log(process.listenerCount('exit') - before);
    unwatch();
    console.log(process.listenerCount('exit') - before);
  `;
  t.deepEqual(await outcome(script), { code: 0, output: '1\n0\n' });
});

test('what comes after the end is refused, and the worker counts as outside', (t) => {
  const memory = createExitGuard(1);
  const guard = new ExitGuard(memory, 0);
  const words = new Int32Array(memory);
  t.deepEqual([...words], [0, 1]);
  t.is(
    guard.within(() => words[1]),
    1,
  );
  t.deepEqual([...words], [0, 0]);
  words[0] = 1;
  t.throws(() => guard.within(() => t.fail()), { message: 'The process is ending.' });
  t.deepEqual([...words], [1, 0]);
});
