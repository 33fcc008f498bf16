import test from 'ava';
import { readFile } from 'node:fs/promises';
import { openLoader } from '../../lib/load/index.ts';
import type { LoaderOptions } from '../../lib/load/index.ts';
import { hashBatch, runLoader } from '../helpers/batches.ts';
import { filesOf } from '../helpers/folder-state.ts';
import { writeClips } from '../helpers/make-clips.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';
import { startServer } from '../shard/store/file-server.ts';

const OPTIONS: LoaderOptions = { batchSize: 4, seed: 1, dtype: 'uint8', epochs: 2, workers: 2 };
const QUICK = { maxRetries: 4, retryDelaySeconds: 0.01 };

async function makeFolder(t: Parameters<typeof temporaryFolder>[0]): Promise<string> {
  const folder = await temporaryFolder(t);
  await writeClips(folder, { layout: 'tubelets', shape: [4, 8, 12, 3], sizes: [5, 6, 4] });
  return folder;
}

test('a server gives the batches of the folder, also with faults that pass', async (t) => {
  const folder = await makeFolder(t);
  const { batches } = await runLoader(folder, OPTIONS);
  const wanted = batches.map(hashBatch);
  const server = await startServer(t, await filesOf(folder));
  server.behave = (request, response, number) => {
    if (number % 5 === 0) request.socket.destroy();
    else if (number % 7 === 0) response.writeHead(503).end();
    else return false;
    return true;
  };
  const cacheFolder = await temporaryFolder(t);
  for (const store of [QUICK, { ...QUICK, cacheFolder, cacheBlockBytes: 2 ** 16 }]) {
    for (const shuffle of ['global', 'window'] as const) {
      const local = await runLoader(folder, { ...OPTIONS, shuffle });
      const run = await runLoader(server.url, { ...OPTIONS, shuffle, store });
      t.deepEqual(run.batches.map(hashBatch), local.batches.map(hashBatch));
      if (shuffle === 'global') t.deepEqual(run.batches.map(hashBatch), wanted);
    }
  }
  // All is in the cache now: a worker asks for the version of a shard, by its first byte, and for nothing else.
  server.behave = null;
  server.requests.length = 0;
  const store = { ...QUICK, cacheFolder, cacheBlockBytes: 2 ** 16 };
  await runLoader(server.url, { ...OPTIONS, store });
  const asked = server.requests.filter(({ path }) => path.endsWith('.tar'));
  t.true(asked.every(({ range }) => range === 'bytes=0-0'));
  t.true(asked.length <= 9);
});

test('a server that is gone ends the run, whatever the policy for bad samples', async (t) => {
  const folder = await makeFolder(t);
  const server = await startServer(t, await filesOf(folder));
  for (const onError of ['throw', 'skip', 'missing'] as const) {
    server.behave = null;
    await using loader = await openLoader(server.url, {
      ...OPTIONS,
      epochs: Infinity,
      prefetchBatches: 1,
      onError,
      store: { ...QUICK, maxRetries: 1 },
    });
    await loader.next();
    server.behave = (request) => {
      request.socket.destroy();
      return true;
    };
    await t.throwsAsync(
      (async () => {
        while ((await loader.next()) !== null);
      })(),
      { code: 'TUBE_REMOTE_FAILED' },
    );
  }
});

test('a shard that changes on the server in the middle of a run is noticed', async (t) => {
  const folder = await makeFolder(t);
  const server = await startServer(t, await filesOf(folder));
  await using loader = await openLoader(server.url, {
    ...OPTIONS,
    epochs: Infinity,
    prefetchBatches: 1,
    store: QUICK,
  });
  await loader.next();
  for (const [path, file] of server.files) {
    if (!path.endsWith('.tar')) continue;
    const content = await readFile(`${folder}${path}`);
    content.fill(0, 600, 700);
    server.files.set(path, { ...file, content, etag: '"2"' });
  }
  const error = await t.throwsAsync(
    (async () => {
      while ((await loader.next()) !== null);
    })(),
  );
  t.true(
    ['TUBE_SHARD_DAMAGED', 'TUBE_SAMPLE_DAMAGED'].includes((error as { code?: string }).code!),
  );
});

test('datasets that changed since the loader was opened are refused by its workers', async (t) => {
  const folder = await makeFolder(t);
  const files = await filesOf(folder);
  const server = await startServer(t, files);
  let opened = 0;
  server.behave = ({ url }, response) => {
    if (url !== '/dataset.json' || ++opened === 1) return false;
    const info = JSON.parse(Buffer.from(files['dataset.json']!).toString());
    info.shards[0].sha256 = 'f'.repeat(64);
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(info));
    return true;
  };
  await t.throwsAsync(runLoader(server.url, { ...OPTIONS, store: QUICK }), {
    code: 'TUBE_DATASET_DAMAGED',
  });
});
