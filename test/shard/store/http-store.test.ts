import type { IncomingMessage, ServerResponse } from 'node:http';
import test from 'ava';
import { until } from '../../helpers/folder-state.ts';
import { rangeOf, refuse, serve, startServer } from './file-server.ts';
import type { FileServer } from './file-server.ts';
import { equalBytes, failsWith, openQuick, patternBytes, readSpan } from './read-store.ts';

const BYTES = patternBytes(300_000);
const SPAN = [1000, 250_000] as const;
const WANTED = BYTES.subarray(...SPAN);

test('bytes arrive in all parts, shared memory included, over one range request', async (t) => {
  const server = await startServer(t, { 'data/a.tar': BYTES });
  const store = openQuick(t, `${server.url}/data/`);
  t.is(store.location, `${server.url}/data`);
  const shared = new Uint8Array(new SharedArrayBuffer(100_000));
  const parts = [new Uint8Array(10), shared, new Uint8Array(0), new Uint8Array(50_000)];
  await store.read('a.tar', 1234, parts, { fileBytes: BYTES.length });
  equalBytes(t, Buffer.concat(parts), BYTES.subarray(1234, 151_244));
  t.deepEqual(
    server.requests.map(({ range }) => range),
    ['bytes=1234-151243'],
  );
  await store.read('a.tar', 0, []);
  t.is(server.requests.length, 1);
});

test('connections are used again', async (t) => {
  const server = await startServer(t, { 'a.tar': BYTES });
  const ports = new Set<number | undefined>();
  server.behave = ({ socket }) => {
    ports.add(socket.remotePort);
    return false;
  };
  const store = openQuick(t, server.url);
  for (let i = 0; i < 10; i++) await readSpan(store, 'a.tar', SPAN);
  t.true(ports.size < 5, `${ports.size} connections`);
});

test('small files and the state of files', async (t) => {
  const server = await startServer(t, { 'dataset.json': BYTES, 'empty.tar': new Uint8Array(0) });
  server.files.set('/dated.tar', { content: BYTES, modified: 'Thu, 01 Jan 2026 00:00:00 GMT' });
  const store = openQuick(t, server.url);
  equalBytes(t, await store.readFile('dataset.json'), BYTES);
  t.deepEqual(await store.describe('dataset.json'), { bytes: 300_000, version: '"1"' });
  t.deepEqual(await store.describe('empty.tar'), { bytes: 0, version: '"1"' });
  t.is((await store.describe('dated.tar')).version, 'Thu, 01 Jan 2026 00:00:00 GMT');
});

test('no more requests at once than allowed', async (t) => {
  const server = await startServer(t, { 'a.tar': BYTES });
  let running = 0;
  let most = 0;
  server.behave = (request, response) => {
    most = Math.max(most, ++running);
    setTimeout(() => {
      running -= 1;
      serve(server, request, response);
    }, 10);
    return true;
  };
  const store = openQuick(t, server.url, { maxRequests: 3 });
  await Promise.all(
    Array.from({ length: 20 }, async (_, i) => {
      t.deepEqual(await readSpan(store, 'a.tar', [i, i + 9]), BYTES.subarray(i, i + 9));
    }),
  );
  t.is(most, 3);
});

test('user name, password and query are sent and never shown', async (t) => {
  const server = await startServer(t, { 'data/a.tar': BYTES });
  const location = `http://me:p%40ss@127.0.0.1:${server.port}/data?token=secret`;
  const store = openQuick(t, location);
  t.is(store.location, `${server.url}/data`);
  await readSpan(store, 'a.tar', SPAN);
  const basic = `Basic ${Buffer.from('me:p@ss').toString('base64')}`;
  t.like(server.requests[0], { path: '/data/a.tar?token=secret', authorization: basic });
  const { message } = await failsWith(t, 'TUBE_SHARD_NOT_FOUND', () =>
    readSpan(store, 'b.tar', SPAN),
  );
  t.notRegex(message, /me:|p@ss|p%40ss|secret/);
  const own = openQuick(t, location, { headers: { authorization: 'Bearer x' } });
  await readSpan(own, 'a.tar', SPAN);
  t.is(server.requests.at(-1)?.authorization, 'Bearer x');
});

test('redirects are followed', async (t) => {
  const server = await startServer(t, { 'there/a.tar': BYTES });
  server.behave = ({ url = '' }, response) =>
    url.startsWith('/here/') && refuse(response, 302, { location: url.replace('here', 'there') });
  equalBytes(t, await readSpan(openQuick(t, `${server.url}/here`), 'a.tar', SPAN), WANTED);
});

/** Faults of the first answers after which the read must succeed. */
const PASSING: Record<string, (request: IncomingMessage, response: ServerResponse) => boolean> = {
  'HTTP 503': (_request, response) => refuse(response, 503),
  'HTTP 429 with Retry-After 0': (_request, response) =>
    refuse(response, 429, { 'retry-after': '0' }),
  'HTTP 408': (_request, response) => refuse(response, 408),
  'a reset before the answer': ({ socket }) => socket.resetAndDestroy() !== null,
  'a reset in the body': (request, response) => sendPart(request, response, 'reset'),
  'a body that ends early': (request, response) => sendPart(request, response, 'end'),
  'a body that stands still': (request, response) => sendPart(request, response, 'stand'),
  'no answer at all': () => true,
};

/** Sends 60,000 of the bytes asked for. */
function sendPart(
  request: IncomingMessage,
  response: ServerResponse,
  then: 'reset' | 'end' | 'stand',
): true {
  const { start, end } = rangeOf(request);
  response.writeHead(206, { etag: '"1"', 'content-range': `bytes ${start}-${end - 1}/300000` });
  response.write(BYTES.subarray(start, start + 60_000), () => {
    if (then === 'end') response.end();
    if (then === 'reset') setTimeout(() => request.socket.resetAndDestroy(), 20);
  });
  return true;
}

for (const [title, fault] of Object.entries(PASSING)) {
  test.serial(`tried again: ${title}`, async (t) => {
    const server = await startServer(t, { 'a.tar': BYTES });
    server.behave = (request, response, number) => number <= 2 && fault(request, response);
    const store = openQuick(t, server.url, { stallSeconds: 0.4 });
    equalBytes(t, await readSpan(store, 'a.tar', SPAN), WANTED);
    t.is(server.requests.length, 3);
  });
}

test('what has arrived is not asked for again', async (t) => {
  const server = await startServer(t, { 'a.tar': BYTES });
  server.behave = (request, response, number) => number <= 3 && sendPart(request, response, 'end');
  equalBytes(t, await readSpan(openQuick(t, server.url), 'a.tar', SPAN), WANTED);
  t.deepEqual(
    server.requests.map(({ range }) => range),
    [1000, 61_000, 121_000, 181_000].map((start) => `bytes=${start}-249999`),
  );
});

/** Faults that end the read: what comes out, and after how many requests with two retries. */
const FINAL: [
  title: string,
  code:
    'TUBE_SHARD_NOT_FOUND' | 'TUBE_REMOTE_FAILED' | 'TUBE_SHARD_DAMAGED' | 'TUBE_SAMPLE_DAMAGED',
  requests: number,
  fault: (request: IncomingMessage, response: ServerResponse) => boolean,
][] = [
  ['HTTP 404', 'TUBE_SHARD_NOT_FOUND', 1, (_request, response) => refuse(response, 404)],
  ['HTTP 403', 'TUBE_REMOTE_FAILED', 1, (_request, response) => refuse(response, 403)],
  ['HTTP 500 for ever', 'TUBE_REMOTE_FAILED', 3, (_request, response) => refuse(response, 500)],
  ['silence for ever', 'TUBE_REMOTE_FAILED', 3, () => true],
  [
    'HTTP 416',
    'TUBE_SAMPLE_DAMAGED',
    1,
    (_request, response) => refuse(response, 416, { 'content-range': 'bytes */2000' }),
  ],
  [
    'HTTP 416 without a size',
    'TUBE_REMOTE_FAILED',
    1,
    (_request, response) => refuse(response, 416),
  ],
  [
    'another range',
    'TUBE_REMOTE_FAILED',
    1,
    (_request, response) => refuse(response, 206, { 'content-range': 'bytes 0-248999/300000' }),
  ],
  ['no range', 'TUBE_REMOTE_FAILED', 1, (_request, response) => refuse(response, 206)],
  [
    'a compressed body',
    'TUBE_REMOTE_FAILED',
    1,
    (_request, response) => {
      const headers = { 'content-encoding': 'gzip', 'content-range': 'bytes 1000-249999/300000' };
      return refuse(response, 206, headers);
    },
  ],
  [
    'a huge file without ranges',
    'TUBE_REMOTE_FAILED',
    1,
    (_request, response) => {
      response.writeHead(200, { 'content-length': 2 ** 40 }).flushHeaders();
      return true;
    },
  ],
  [
    'no ranges and no size',
    'TUBE_REMOTE_FAILED',
    1,
    (_request, response) => {
      response.writeHead(200).write(BYTES);
      return true;
    },
  ],
];

for (const [title, code, requests, fault] of FINAL) {
  test.serial(`final: ${title}`, async (t) => {
    const server = await startServer(t, { 'a.tar': BYTES });
    server.behave = (request, response) => fault(request, response);
    const store = openQuick(t, server.url, { maxRetries: 2, stallSeconds: 0.4 });
    await failsWith(t, code, () => readSpan(store, 'a.tar', SPAN));
    t.is(server.requests.length, requests);
  });
}

test('a server that is not there, and files that are not there', async (t) => {
  const server = await startServer(t);
  const store = openQuick(t, server.url, { maxRetries: 1 });
  await failsWith(t, 'TUBE_DATASET_NOT_FOUND', () => store.readFile('dataset.json'));
  await failsWith(t, 'TUBE_DATASET_DAMAGED', () => store.readFile('a.json'));
  await failsWith(t, 'TUBE_SHARD_NOT_FOUND', () => store.describe('a.tar'));
  const nowhere = openQuick(t, 'http://127.0.0.1:1', { maxRetries: 1 });
  const { details } = await failsWith(t, 'TUBE_REMOTE_FAILED', () => nowhere.readFile('a.json'));
  t.is(details['path'], 'http://127.0.0.1:1/a.json');
});

test('a read beyond the end', async (t) => {
  const server = await startServer(t, { 'a.tar': BYTES });
  const store = openQuick(t, server.url);
  await failsWith(t, 'TUBE_SAMPLE_DAMAGED', () => readSpan(store, 'a.tar', [299_000, 300_001]));
  await failsWith(t, 'TUBE_SAMPLE_DAMAGED', () => readSpan(store, 'a.tar', [299_000, 300_001]));
  t.is(server.requests.length, 1);
});

test('a server without ranges: the body is cut', async (t) => {
  const server = await startServer(t, { 'a.tar': BYTES });
  server.behave = (request) => {
    delete request.headers.range;
    return false;
  };
  const store = openQuick(t, server.url);
  equalBytes(t, await readSpan(store, 'a.tar', SPAN), WANTED);
  t.deepEqual(await readSpan(store, 'a.tar', [0, 10]), BYTES.subarray(0, 10));
  t.is((await store.describe('a.tar')).bytes, BYTES.length);
  await failsWith(t, 'TUBE_SAMPLE_DAMAGED', () => readSpan(store, 'a.tar', [0, 300_001]));
});

const CHANGES: Record<string, (server: FileServer) => void> = {
  'another tag': ({ files }) => files.set('/a.tar', { content: BYTES, etag: '"2"' }),
  'another size': ({ files }) => files.set('/a.tar', { content: patternBytes(299_999) }),
  'another tag while the file is shorter': ({ files }) =>
    files.set('/a.tar', { content: patternBytes(10), etag: '"2"' }),
};

for (const [title, change] of Object.entries(CHANGES)) {
  test(`a shard that changes between reads is noticed: ${title}`, async (t) => {
    const server = await startServer(t, { 'a.tar': BYTES });
    const store = openQuick(t, server.url);
    await readSpan(store, 'a.tar', SPAN);
    change(server);
    await failsWith(t, 'TUBE_SHARD_DAMAGED', () => readSpan(store, 'a.tar', SPAN));
  });
}

test('a shard that changes within a read is noticed', async (t) => {
  const server = await startServer(t, { 'a.tar': BYTES });
  server.files.set('/a.tar', { content: patternBytes(300_000, 2), etag: '"2"' });
  server.behave = (request, response, number) => number === 1 && sendPart(request, response, 'end');
  await failsWith(t, 'TUBE_SHARD_DAMAGED', () => readSpan(openQuick(t, server.url), 'a.tar', SPAN));
});

test('weak tags and dates tell changes too; equal ones do not', async (t) => {
  const server = await startServer(t);
  const set = (etag: string | null, modified: string): void => {
    server.files.set('/a.tar', { content: BYTES, modified, ...(etag === null ? {} : { etag }) });
  };
  set('W/"1"', 'Thu, 01 Jan 2026 00:00:00 GMT');
  const store = openQuick(t, server.url);
  await readSpan(store, 'a.tar', SPAN);
  set('"1"', 'Fri, 02 Jan 2026 00:00:00 GMT');
  equalBytes(t, await readSpan(store, 'a.tar', SPAN), WANTED);
  set(null, 'Fri, 02 Jan 2026 00:00:00 GMT');
  await failsWith(t, 'TUBE_SHARD_DAMAGED', () => readSpan(store, 'a.tar', SPAN));
});

test('a shard that has not the expected size is refused', async (t) => {
  const server = await startServer(t, { 'a.tar': BYTES });
  const store = openQuick(t, server.url);
  const read = () => readSpan(store, 'a.tar', SPAN, { fileBytes: 300_512 });
  await failsWith(t, 'TUBE_SHARD_DAMAGED', read);
  await failsWith(t, 'TUBE_SHARD_DAMAGED', read);
  t.is(server.requests.length, 1);
});

test('closing breaks off requests, those that wait and pauses before retries', async (t) => {
  const server = await startServer(t, { 'a.tar': BYTES });
  server.behave = (_request, response, number) => number > 1 || refuse(response, 503);
  const store = openQuick(t, server.url, { maxRequests: 2, retryDelaySeconds: 1000 });
  const reads = Array.from({ length: 5 }, () => readSpan(store, 'a.tar', SPAN));
  const settled = Promise.allSettled(reads);
  await until(() => server.requests.length === 2);
  await store[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
  for (const result of await settled) {
    t.true(result.status === 'rejected' && result.reason instanceof TypeError);
  }
  await t.throwsAsync(() => store.readFile('a.json'), { instanceOf: TypeError });
  t.is(server.requests.length, 2);
});
