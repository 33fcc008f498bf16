import { readFile, readdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { FolderLock } from '../../lib/convert/folder-lock.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';

/** What a process has left that is gone. */
const STALE = JSON.stringify({ pid: 4_194_304, host: hostname(), began: '1' });

for (const names of [['.tubelet.lock'], ['.tubelet.lock', '.tubelet.lock.takeover'], []]) {
  test(`of many starters just one gets the lock, with ${names.join(' and ') || 'nothing'} left over`, async (t) => {
    for (let round = 0; round < 20; round++) {
      const folder = await temporaryFolder(t);
      for (const name of names) await writeFile(join(folder, name), STALE);
      const starts = await Promise.allSettled(
        Array.from({ length: 12 }, () => FolderLock.take(folder)),
      );
      const held = starts.filter((start) => start.status === 'fulfilled');
      t.is(held.length, 1);
      for (const start of starts) {
        if (start.status === 'rejected') t.like(start.reason, { code: 'TUBE_OUT_LOCKED' });
      }
      await held[0]!.value[Symbol.asyncDispose]();
      t.deepEqual(await readdir(folder), []);
    }
  });
}

test('a lock that another process has taken since is not released', async (t) => {
  const folder = await temporaryFolder(t);
  const lock = await FolderLock.take(folder);
  await writeFile(join(folder, '.tubelet.lock'), STALE);
  await lock[Symbol.asyncDispose]();
  t.is(await readFile(join(folder, '.tubelet.lock'), 'utf8'), STALE);
});
