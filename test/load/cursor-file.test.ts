import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { loadCursor, openLoader, saveCursor } from '../../lib/load/index.ts';
import { writeClips } from '../helpers/make-clips.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';

test('a cursor comes back from its file and is replaced as a whole', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'cursor.json');
  t.is(await loadCursor(path), undefined);
  await writeClips(join(folder), { layout: 'raw', shape: [4, 8, 12, 3], sizes: [6] });
  const options = { batchSize: 2, numFrames: 4, size: 8, tubelet: [2, 4, 4], seed: 0 } as const;
  await using loader = await openLoader(folder, options);
  const before = (await readdir(folder)).length;
  for (let batch = 0; batch < 2; batch++) {
    await loader.next();
    await saveCursor(path, loader.cursor());
    t.deepEqual(await loadCursor(path), loader.cursor());
  }
  t.is((await readdir(folder)).length, before + 1);
  await using rest = await openLoader(folder, { ...options, cursor: await loadCursor(path) });
  t.is((await rest.next())!.step, 2);
});

test('a file that is no cursor is refused by name', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'cursor.json');
  for (const content of ['', '{"v":1', 'x'.repeat(2 ** 16 + 1)]) {
    await writeFile(path, content);
    const error = await t.throwsAsync(loadCursor(path), { code: 'TUBE_CURSOR_MISMATCH' });
    t.true(error.message.includes(path));
  }
  await t.throwsAsync(loadCursor(folder), { code: 'TUBE_CURSOR_MISMATCH' });
  await t.throwsAsync(saveCursor(join(folder, 'no', 'c.json'), {} as never), {
    code: 'TUBE_OUT_NOT_WRITABLE',
  });
});
