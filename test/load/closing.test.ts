import test from 'ava';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openLoader } from '../../lib/load/index.ts';
import { filesOf } from '../helpers/folder-state.ts';
import { writeClips } from '../helpers/make-clips.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';
import { projectFile } from '../helpers/project.ts';
import { startServer } from '../shard/store/file-server.ts';

const OPTIONS = { batchSize: 2, seed: 0, epochs: Infinity, workers: 3 } as const;

/** Worker threads that are alive in this process; tests of this file run one after the other. */
function numWorkers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Worker').length;
}

async function makeFolder(t: Parameters<typeof temporaryFolder>[0]): Promise<string> {
  const folder = await temporaryFolder(t);
  await writeClips(folder, { layout: 'tubelets', shape: [4, 8, 12, 3], sizes: [9] });
  return folder;
}

test.serial('leaving the loop, throwing and aborting end all workers', async (t) => {
  const folder = await makeFolder(t);
  for await (const batch of await openLoader(folder, OPTIONS)) if (batch.step === 3) break;
  t.is(numWorkers(), 0);
  await t.throwsAsync(
    (async () => {
      for await (const batch of await openLoader(folder, OPTIONS)) {
        if (batch.step === 2) throw new Error('enough');
      }
    })(),
    { message: 'enough' },
  );
  t.is(numWorkers(), 0);
  const controller = new AbortController();
  const reason = new Error('stop it');
  const error = await t.throwsAsync(
    (async () => {
      for await (const batch of await openLoader(folder, {
        ...OPTIONS,
        signal: controller.signal,
      })) {
        if (batch.step === 2) controller.abort(reason);
      }
    })(),
  );
  t.is(error, reason);
  t.is(numWorkers(), 0);
});

test.serial('closing twice, at once and in the middle of everything is safe', async (t) => {
  const folder = await makeFolder(t);
  for (let delay = 0; delay < 60; delay += 6) {
    const loader = await openLoader(folder, OPTIONS);
    await new Promise((resolve) => setTimeout(resolve, delay));
    const pending = loader.next().catch(() => null);
    await Promise.all([loader[Symbol.asyncDispose](), loader[Symbol.asyncDispose]()]);
    await pending;
    t.is(numWorkers(), 0);
    await t.throwsAsync(
      (async () => {
        while ((await loader.next()) !== null);
      })(),
      { message: 'The loader is closed.' },
    );
  }
});

test.serial('a server that never answers does not keep a closed loader', async (t) => {
  const folder = await makeFolder(t);
  const server = await startServer(t, await filesOf(folder));
  await using loader = await openLoader(server.url, OPTIONS);
  server.behave = ({ url }) => url?.endsWith('.tar') === true;
  const pending = t.throwsAsync(
    (async () => {
      while ((await loader.next()) !== null);
    })(),
  );
  await new Promise((resolve) => setTimeout(resolve, 200));
  await loader[Symbol.asyncDispose]();
  await pending;
  t.is(numWorkers(), 0);
});

test.serial('an abort while the dataset is opened gives up, whoever is silent', async (t) => {
  const folder = await makeFolder(t);
  const server = await startServer(t, await filesOf(folder));
  for (const silent of ['/dataset.json', '/train-000000.json', '/train-000000.tar']) {
    const controller = new AbortController();
    const reason = new Error('stop it');
    server.behave = ({ url }) => {
      if (url !== silent) return false;
      setTimeout(() => controller.abort(reason), 20);
      return true;
    };
    const error = await t.throwsAsync(
      openLoader(server.url, { ...OPTIONS, signal: controller.signal }),
    );
    t.is(error, reason);
    t.is(numWorkers(), 0);
  }
});

test.serial(
  'workers that wait for a silent server while they open the dataset end as well',
  async (t) => {
    const folder = await makeFolder(t);
    const server = await startServer(t, await filesOf(folder));
    let numOpened = 0;
    const isWaiting = new Promise<void>((resolve) => {
      server.behave = ({ url }) => {
        if (url !== '/dataset.json' || ++numOpened === 1) return false;
        resolve();
        return true;
      };
    });
    const loader = await openLoader(server.url, OPTIONS);
    await isWaiting;
    await loader[Symbol.asyncDispose]();
    t.is(numWorkers(), 0);
  },
);

test.serial('a loader that is closed gives nothing, not even what was made ahead', async (t) => {
  const folder = await makeFolder(t);
  const loader = await openLoader(folder, OPTIONS);
  await loader.next();
  await loader[Symbol.asyncDispose]();
  await t.throwsAsync(loader.next(), { message: 'The loader is closed.' });
});

test.serial('a loader that was forgotten does not keep the process alive', async (t) => {
  const folder = await makeFolder(t);
  const script = `
    import { openLoader } from ${JSON.stringify(projectFile('build/lib/index.js'))};
    const loader = await openLoader(${JSON.stringify(folder)}, ${JSON.stringify({ batchSize: 2, seed: 0, epochs: 1000 })});
    await loader.next();
    console.log('done');
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  const [code] = await once(child, 'exit');
  t.is(code, 0);
  t.is(output.trim(), 'done');
});
