import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, readdir, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { createRng } from '../../../lib/core/index.ts';
import { CachedStore } from '../../../lib/shard/store/cached-store.ts';
import { LocalStore } from '../../../lib/shard/store/local-store.ts';
import type { ShardStore } from '../../../lib/shard/store/store.ts';
import { until } from '../../helpers/folder-state.ts';
import { temporaryFolder } from '../../helpers/make-dataset.ts';
import { refuse, startServer } from './file-server.ts';
import type { FileServer } from './file-server.ts';
import { equalBytes, failsWith, openQuick, patternBytes, readSpan } from './read-store.ts';

const BLOCK = 2 ** 17;
/** Eight blocks; the last has 5 bytes. */
const BYTES = patternBytes(7 * BLOCK + 5);

/** A server with `a.tar`, an empty cache, and a way to open stores on them. */
async function prepare(
  t: ExecutionContext,
  cacheBytes = 2 ** 30,
): Promise<{ server: FileServer; cache: string; open: () => ShardStore }> {
  const server = await startServer(t, { 'a.tar': BYTES });
  const cache = join(await temporaryFolder(t), 'deep', 'cache');
  const options = { cacheFolder: cache, cacheBytes, cacheBlockBytes: BLOCK };
  return { server, cache, open: () => openQuick(t, server.url, options) };
}

async function filesOf(cache: string): Promise<string[]> {
  const entries = await readdir(cache, { recursive: true, withFileTypes: true });
  return entries.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
}

async function bytesOf(cache: string): Promise<number> {
  let sum = 0;
  for (const path of await filesOf(cache)) {
    sum += await stat(path).then(
      ({ size }) => size,
      () => 0, // Another process has just removed it.
    );
  }
  return sum;
}

/** Requests for blocks, without those that ask for the state. */
function fetched({ requests }: FileServer): number {
  return requests.filter(({ range }) => range !== 'bytes=0-0').length;
}

async function checkSpan(t: ExecutionContext, store: ShardStore, start: number, end: number) {
  equalBytes(t, await readSpan(store, 'a.tar', [start, end]), BYTES.subarray(start, end));
}

test('each block is fetched once, by this store and the next ones', async (t) => {
  const { server, cache, open } = await prepare(t);
  const store = open();
  await checkSpan(t, store, 10, 20);
  await checkSpan(t, store, BLOCK - 1, BLOCK + 1);
  t.is(fetched(server), 2);
  await checkSpan(t, store, 0, BYTES.length);
  t.is(fetched(server), 8);
  await store[Symbol.asyncDispose]();
  const again = open();
  const rng = createRng(0, 'test-spans');
  for (let i = 0; i < 200; i++) {
    const start = rng.integer(0, BYTES.length);
    await checkSpan(t, again, start, rng.integer(start, BYTES.length + 1));
  }
  equalBytes(t, await again.readFile('a.tar'), BYTES);
  t.is(fetched(server), 8);
  t.is(server.requests.length, 10);
  t.is((await filesOf(cache)).length, 8);
  await failsWith(t, 'TUBE_SAMPLE_DAMAGED', () => readSpan(again, 'a.tar', [0, BYTES.length + 1]));
});

test('parts and shared memory are filled from the server and from the disk', async (t) => {
  const { open } = await prepare(t);
  for (const store of [open(), open()]) {
    const shared = new Uint8Array(new SharedArrayBuffer(2 * BLOCK));
    const parts = [new Uint8Array(3), shared, new Uint8Array(0), new Uint8Array(BLOCK)];
    await store.read('a.tar', 77, parts, { fileBytes: BYTES.length });
    equalBytes(t, Buffer.concat(parts), BYTES.subarray(77, 80 + 3 * BLOCK));
  }
});

test('reads of one block at the same time share one request', async (t) => {
  const { server, open } = await prepare(t);
  const store = open();
  await Promise.all(Array.from({ length: 30 }, (_, i) => checkSpan(t, store, i, 1000 + i)));
  t.is(server.requests.length, 2);
});

test('damaged and cut files are fetched again and replaced', async (t) => {
  const { server, cache, open } = await prepare(t);
  await checkSpan(t, open(), 0, 2 * BLOCK);
  const [one = '', other = ''] = await filesOf(cache);
  const good = await readFile(one);
  const damages: (() => Promise<void>)[] = [
    () => truncate(one, 1000),
    () => truncate(one, good.length - 1),
    () => truncate(one, 0),
    () => writeFile(one, Buffer.alloc(good.length)),
    () => writeFile(one, Buffer.from(good).fill(good[70_000]! ^ 1, 70_000, 70_001)),
    async () => writeFile(one, await readFile(other)),
  ];
  for (const [i, damage] of damages.entries()) {
    await damage();
    await checkSpan(t, open(), 0, 2 * BLOCK);
    t.is(fetched(server), 3 + i);
    equalBytes(t, await readFile(one), good);
  }
});

test('a file that changed on the server is fetched anew; within a run it is an error', async (t) => {
  const { server, open } = await prepare(t);
  const store = open();
  await checkSpan(t, store, 0, 10);
  const content = patternBytes(BYTES.length, 2);
  server.files.set('/a.tar', { content, etag: '"2"' });
  await checkSpan(t, store, 0, 20);
  await failsWith(t, 'TUBE_SHARD_DAMAGED', () => readSpan(store, 'a.tar', [BLOCK, BLOCK + 1]));
  equalBytes(t, await readSpan(open(), 'a.tar', [0, 10]), content.subarray(0, 10));
  await failsWith(t, 'TUBE_SHARD_DAMAGED', () =>
    readSpan(open(), 'a.tar', [0, 10], { fileBytes: 10 }),
  );
});

test('a file without a version is not kept', async (t) => {
  const { server, cache, open } = await prepare(t);
  server.files.set('/a.tar', { content: BYTES });
  const store = open();
  await checkSpan(t, store, 0, 10);
  await checkSpan(t, store, 0, 10);
  equalBytes(t, await store.readFile('a.tar'), BYTES);
  t.is(fetched(server), 3);
  await t.throwsAsync(() => readdir(cache), { code: 'ENOENT' });
});

test('the budget holds, and the least recently used block goes first', async (t) => {
  const budget = 4 * BLOCK;
  const { server, cache, open } = await prepare(t, budget);
  const store = open();
  const use = (block: number) => checkSpan(t, store, block * BLOCK, block * BLOCK + 9);
  for (const block of [0, 1, 2]) {
    await use(block);
    t.is((await filesOf(cache)).length, block + 1);
  }
  // A day ago, in this order: 0, 1, 2. Then 0 is used again, so 1 is the oldest.
  const named = await filesInOrder(cache);
  for (const [i, path] of named.entries()) await utimes(path, 1e9 + i, 1e9 + i);
  await use(0);
  t.is(fetched(server), 3);
  await use(3);
  t.is((await filesOf(cache)).length, 3);
  for (const block of [0, 2, 3]) await use(block);
  t.is(fetched(server), 4);
  await use(1);
  t.is(fetched(server), 5);
  for (let block = 0; block < 7; block++) {
    await use(block);
    t.true((await bytesOf(cache)) <= budget);
  }
});

async function filesInOrder(cache: string): Promise<string[]> {
  const files = await filesOf(cache);
  const times = new Map<string, number>();
  for (const path of files) times.set(path, (await stat(path)).mtimeMs);
  return files.sort((a, b) => times.get(a)! - times.get(b)!);
}

test('a smaller budget empties the folder, but for what is not of the cache', async (t) => {
  const { server, cache, open } = await prepare(t);
  await checkSpan(t, open(), 0, 6 * BLOCK);
  await mkdir(join(cache, '00'), { recursive: true });
  await writeFile(join(cache, 'notes.txt'), 'mine');
  await writeFile(join(cache, '00', 'notes.txt'), 'mine');
  const options = { cacheFolder: cache, cacheBytes: 2 * BLOCK, cacheBlockBytes: BLOCK };
  const store = openQuick(t, server.url, options);
  await checkSpan(t, store, 6 * BLOCK, 6 * BLOCK + 1);
  await store[Symbol.asyncDispose]();
  const left = await filesOf(cache);
  t.is(left.filter((path) => path.endsWith('notes.txt')).length, 2);
  t.is(left.length, 3);
});

test('files that others remove are fetched again; a folder that cannot be written is passed by', async (t) => {
  const { server, cache, open } = await prepare(t);
  const store = open();
  await checkSpan(t, store, 0, 10);
  await rm(cache, { recursive: true });
  await checkSpan(t, store, 0, 10);
  t.is(fetched(server), 2);
  await rm(cache, { recursive: true });
  await writeFile(cache, 'a file');
  await checkSpan(t, store, 0, 10);
  t.is(fetched(server), 3);
  await failsWith(t, 'TUBE_OUT_NOT_WRITABLE', () => readSpan(open(), 'a.tar', [0, 10]));
});

test('a fetch that fails is not remembered', async (t) => {
  const { server, open } = await prepare(t);
  const store = open();
  server.behave = (_request, response, number) => number <= 2 && refuse(response, 403);
  await failsWith(t, 'TUBE_REMOTE_FAILED', () => readSpan(store, 'a.tar', [0, 10]));
  await failsWith(t, 'TUBE_REMOTE_FAILED', () => readSpan(store, 'a.tar', [0, 10]));
  await checkSpan(t, store, 0, 10);
});

test('closing during reads ends them and leaves no temporary files', async (t) => {
  const { server, cache, open } = await prepare(t);
  server.behave = ({ headers }) => headers.range !== 'bytes=0-0';
  const store = open();
  const read = t.throwsAsync(() => readSpan(store, 'a.tar', [0, BYTES.length]));
  await until(() => fetched(server) > 0);
  await store[Symbol.asyncDispose]();
  await read;
  t.deepEqual(await filesOf(cache), []);
});

test('any store can be behind a cache', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'a.tar'), BYTES);
  const options = { folder: join(folder, 'cache'), maxBytes: 2 ** 30, blockBytes: BLOCK };
  const store = new CachedStore(new LocalStore(folder, { maxOpenShards: 2 }), options);
  t.is(store.location, folder);
  for (let i = 0; i < 2; i++) await checkSpan(t, store, 5, 3 * BLOCK);
  t.is((await filesOf(options.folder)).length, 3);
  await store[Symbol.asyncDispose]();
});

/** Starts a process that reads 200 random spans of `a.tar` and checks them; see cache-child.ts. */
function startChild(server: FileServer, cache: string, cacheBytes: number): ChildProcess {
  const script = fileURLToPath(new URL('cache-child.js', import.meta.url));
  return fork(script, [server.url, cache, String(cacheBytes), String(BLOCK)], { execArgv: [] });
}

test('processes on one cache: right bytes, one budget', async (t) => {
  const budget = 4 * BLOCK;
  const { server, cache } = await prepare(t);
  const children = [1, 2].map(() => startChild(server, cache, budget));
  const ends = children.map((child) => once(child, 'exit'));
  const end = Promise.all(ends).finally(() => watching.abort());
  const watching = new AbortController();
  const watch = (async () => {
    let most = 0;
    for (; !watching.signal.aborted; await new Promise((resolve) => setTimeout(resolve, 5))) {
      most = Math.max(most, await bytesOf(cache).catch(() => 0));
    }
    return most;
  })();
  for (const codes of await end) t.deepEqual(codes, [0, null]);
  // Each child reads at most two blocks at once, which are here as temporary files or as blocks too many.
  t.true((await watch) <= budget + 4 * (BLOCK + 8));
  t.true((await bytesOf(cache)) <= budget);
});

test('processes killed while they write: nothing torn is served, the rest is cleaned', async (t) => {
  const { server, cache, open } = await prepare(t);
  for (let i = 0; i < 5; i++) {
    const child = startChild(server, cache, 2 * BLOCK);
    const seen = server.requests.length;
    const end = once(child, 'exit');
    await until(() => server.requests.length > seen + 3 + 7 * i || child.exitCode !== null);
    child.kill('SIGKILL');
    await end;
  }
  const [first = ''] = await filesOf(cache);
  const torn = `${first.replace(/\.[0-9a-f]+\.tmp$/, '')}.0123456789ab.tmp`;
  await writeFile(torn, BYTES.subarray(0, 1000));
  await checkSpan(t, open(), 0, BYTES.length);
  t.true((await filesOf(cache)).includes(torn), 'it may still be written');
  for (const path of await filesOf(cache)) {
    if (path.endsWith('.tmp')) await utimes(path, 1e9, 1e9);
  }
  await rm((await filesOf(cache)).find((path) => !path.endsWith('.tmp'))!);
  await checkSpan(t, open(), 0, BYTES.length);
  await until(async () => (await filesOf(cache)).length === 8);
  t.pass();
});
