import { setImmediate, setTimeout } from 'node:timers/promises';
import test from 'ava';
import { mapOrdered } from '../../lib/core/index.ts';

async function* count(to: number, onPull: (i: number) => void = () => undefined) {
  for (let i = 0; i < to; i++) {
    onPull(i);
    yield i;
  }
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

test('results come in the order of the items, however long each takes', async (t) => {
  const results = await collect(
    mapOrdered(count(20), async (i) => setTimeout((i * 7) % 5, i * i), {
      concurrency: 4,
      window: 8,
    }),
  );
  t.deepEqual(
    results,
    Array.from({ length: 20 }, (_, i) => i * i),
  );
});

test('never more calls at once than allowed, never further ahead than the window', async (t) => {
  let running = 0;
  let most = 0;
  let pulled = 0;
  let taken = 0;
  const results = mapOrdered(
    count(50, () => pulled++),
    async (i) => {
      most = Math.max(most, ++running);
      await setImmediate();
      running--;
      return i;
    },
    { concurrency: 3, window: 5 },
  );
  for await (const _ of results) {
    taken++;
    t.true(pulled - taken <= 5);
  }
  t.is(most, 3);
  t.is(taken, 50);
});

test('an error ends the loop at its place', async (t) => {
  const seen: number[] = [];
  const failing = mapOrdered(
    count(10),
    async (i) => {
      await setImmediate();
      if (i === 3) throw new Error('three');
      return i;
    },
    { concurrency: 4, window: 4 },
  );
  await t.throwsAsync(
    async () => {
      for await (const i of failing) seen.push(i);
    },
    { message: 'three' },
  );
  t.deepEqual(seen, [0, 1, 2]);
});

test('leaving early starts nothing more and closes the source', async (t) => {
  let started = 0;
  let isClosed = false;
  async function* source() {
    try {
      for (let i = 0; ; i++) yield i;
    } finally {
      isClosed = true;
    }
  }
  for await (const i of mapOrdered(
    source(),
    async (n) => {
      started++;
      await setTimeout(5);
      return n;
    },
    { concurrency: 2, window: 10 },
  )) {
    if (i === 1) break;
  }
  const before = started;
  await setTimeout(30);
  t.is(started, before);
  t.true(isClosed);
});

test('an error of the source comes out', async (t) => {
  async function* broken() {
    yield 1;
    throw new Error('source');
  }
  await t.throwsAsync(
    collect(mapOrdered(broken(), async (i) => i, { concurrency: 1, window: 1 })),
    {
      message: 'source',
    },
  );
});

test('bounds are checked', async (t) => {
  const tooSmall = mapOrdered(count(1), async (i) => i, { concurrency: 2, window: 1 });
  await t.throwsAsync(collect(tooSmall), { instanceOf: RangeError });
});
