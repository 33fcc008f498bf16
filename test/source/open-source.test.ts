import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { openSource } from '../../lib/source/index.ts';
import { createSeenTable } from '../../lib/source/seen-table.ts';
import { makeFolder, readListText } from './temp-folder.ts';

const run = promisify(execFile);

test('reads any range, calls may overlap, the end cuts', async (t) => {
  const lines = Array.from({ length: 5000 }, (_, n) => `é${n}.mp4 ${n % 7}\n`);
  const { source, videos } = await readListText(t, lines.join(''));
  t.is(source.numVideos, 5000);
  t.deepEqual(
    videos.map(({ path }) => path),
    lines.map((_, n) => `é${n}.mp4`),
  );
  const [a, b, c, d] = await Promise.all([
    source.read(4998, 10),
    source.read(0, 1),
    source.read(1024, 3),
    source.read(5000, 1),
  ]);
  t.deepEqual([a, b, c, d], [videos.slice(4998), videos.slice(0, 1), videos.slice(1024, 1027), []]);
});

test('the id is a hash of path and span', async (t) => {
  const { videos } = await readListText(t, 'path,start,end\na/b.mp4,1.5,2\na/b.mp4,,\n');
  t.deepEqual(
    videos.map(({ id }) => id),
    [idOf(['a/b.mp4', 1.5, 2].join('\0')), idOf('a/b.mp4\0\0')],
  );
});

test('the fingerprint follows entries and their order, not comments or the place', async (t) => {
  const fingerprintOf = async (text: string): Promise<string> =>
    (await readListText(t, text)).source.fingerprint;
  const base = await fingerprintOf('a.mp4 1\nb.mp4 2\n');
  t.regex(base, /^[0-9a-f]{64}$/);
  t.is(await fingerprintOf('# comment\n\npath,label\na.mp4,1\n./b.mp4,2\n'), base);
  for (const other of [
    'b.mp4 2\na.mp4 1\n',
    'a.mp4 1\nb.mp4 3\n',
    'a.mp4 1\n',
    'a.mp4 1\nc.mp4 2\n',
  ]) {
    t.not(await fingerprintOf(other), base);
  }
});

test('the spool has no name while open, closing twice is fine, reading after it is not', async (t) => {
  const folder = await makeFolder(t, { list: 'a.mp4\n' });
  const workDir = await makeFolder(t);
  const source = await openSource(join(folder, 'list'), { workDir });
  if (process.platform !== 'win32') t.deepEqual(await readdir(workDir), []);
  await source[Symbol.asyncDispose]();
  await source[Symbol.asyncDispose]();
  t.deepEqual(await readdir(workDir), []);
  await t.throwsAsync(source.read(0, 1), { instanceOf: TypeError });
});

test('a failed opening leaves no spool', async (t) => {
  const folder = await makeFolder(t, { list: '{"path":1}\n{' });
  const workDir = await makeFolder(t);
  await t.throwsAsync(openSource(join(folder, 'list'), { workDir }), { code: 'TUBE_LIST_SYNTAX' });
  t.deepEqual(await readdir(workDir), []);
  await t.throwsAsync(openSource(folder, { workDir: join(workDir, 'none') }), {
    code: 'TUBE_OUT_NOT_WRITABLE',
  });
});

test('arguments of read are checked', async (t) => {
  const { source } = await readListText(t, 'a.mp4\n');
  for (const [start, count] of [
    [-1, 1],
    [2, 1],
    [0, -1],
    [0.5, 1],
    [0, NaN],
  ] as const) {
    await t.throwsAsync(source.read(start, count), { instanceOf: RangeError });
  }
});

test('an abort rejects with its reason, before and on the way', async (t) => {
  const folder = await makeFolder(t, { list: 'a.mp4\n'.repeat(50_000), 'a/b.mp4': '' });
  const reason = new Error('enough');
  for (const path of [folder, join(folder, 'list')]) {
    await t.throwsAsync(openSource(path, { signal: AbortSignal.abort(reason) }), { is: reason });
    const controller = new AbortController();
    const opening = openSource(path, { signal: controller.signal });
    controller.abort(reason);
    await t.throwsAsync(opening, { is: reason });
  }
});

test('the table of seen rows finds every repetition', (t) => {
  const seen = createSeenTable();
  for (let n = 1; n <= 5000; n++) t.is(seen.remember(idOf(`${n}`), 'x', n), undefined);
  for (let n = 1; n <= 5000; n++) {
    t.deepEqual(seen.remember(idOf(`${n}`), n % 2 === 0 ? 'x' : 'y', 9), {
      line: n,
      isSame: n % 2 === 0,
    });
  }
});

test('memory hardly grows from 20 thousand to 400 thousand entries', async (t) => {
  const small = await measureBytes(t, 20_000);
  const large = await measureBytes(t, 400_000);
  t.true(large - small < 60e6, `${small} bytes, then ${large}`);
});

function idOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** Resident memory of a process that has opened a list of so many rows. */
async function measureBytes(t: ExecutionContext, numRows: number): Promise<number> {
  const rows = Array.from({ length: numRows }, (_, n) => `class_${n % 400}/${n}.mp4,${n % 400}\n`);
  const folder = await makeFolder(t, { 'list.csv': rows.join('') });
  const door = new URL('../../lib/source/index.js', import.meta.url).href;
  const script = `
    import { openSource } from ${JSON.stringify(door)};
    const source = await openSource(${JSON.stringify(join(folder, 'list.csv'))});
    if (source.numVideos !== ${numRows}) throw new Error('rows are missing');
    globalThis.gc();
    console.log(process.memoryUsage().rss);
    await source[Symbol.asyncDispose]();`;
  const args = ['--expose-gc', '--input-type=module', '--eval', script];
  return Number((await run(process.execPath, args)).stdout);
}
