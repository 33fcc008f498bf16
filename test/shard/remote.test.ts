import test from 'ava';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openDataset } from '../../lib/shard/index.ts';
import { makeSample, plain, temporaryFolder, writeDataset } from '../helpers/make-dataset.ts';
import { startServer } from './store/file-server.ts';
test('a dataset on a server, with and without cache', async (t) => {
  const folder = await temporaryFolder(t);
  await writeDataset(folder, [3, 4]);
  const files: Record<string, Uint8Array> = {};
  for (const name of await readdir(folder)) files[name] = await readFile(join(folder, name));
  const server = await startServer(t, files);
  for (const options of [{}, { cacheFolder: await temporaryFolder(t) }]) {
    await using dataset = await openDataset(server.url, options);
    let i = 0;
    for await (const sample of dataset.samples())
      t.deepEqual(plain(sample), plain(makeSample(i++)));
    t.is(i, 7);
  }
});
