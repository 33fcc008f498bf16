import { mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { TubeletError, toWriteError, writeFileAtomic } from '../../lib/core/index.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';

test('a file is replaced whole, and leftovers are overwritten', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'a.json');
  await writeFile(`${path}.tmp`, 'what a killed process left, longer than the new content');
  await writeFileAtomic(path, 'one');
  await writeFileAtomic(path, Uint8Array.of(0x32));
  t.is(await readFile(path, 'utf8'), '2');
  t.deepEqual(await readdir(folder), ['a.json']);
});

test('failed writes have codes and leave the old file', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'a.json');
  await writeFile(path, 'old');
  await symlink('/dev/full', `${path}.tmp`);
  await t.throwsAsync(writeFileAtomic(path, 'new'), { code: 'TUBE_DISK_FULL' });
  t.is(await readFile(path, 'utf8'), 'old');
  await mkdir(join(folder, 'b'));
  const code = 'TUBE_OUT_NOT_WRITABLE';
  await t.throwsAsync(writeFileAtomic(join(folder, 'b'), 'x'), { code });
  await t.throwsAsync(writeFileAtomic(join(folder, 'none', 'c'), 'x'), { code });
  t.deepEqual(await readdir(folder), ['a.json', 'b']);
});

test('only errors of the system become errors of writing', (t) => {
  const coded = new TubeletError('TUBE_INTERNAL');
  const abort = new DOMException('stop', 'AbortError');
  const node = Object.assign(new Error('bad'), { code: 'ERR_INVALID_ARG_TYPE' });
  for (const error of [coded, abort, node, new RangeError('x'), 'text']) {
    t.is(toWriteError(error, 'p'), error);
  }
  const full = toWriteError(Object.assign(new Error('no space'), { code: 'EDQUOT' }), 'p');
  t.true(full instanceof TubeletError && full.code === 'TUBE_DISK_FULL');
});
