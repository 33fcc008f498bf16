import test from 'ava';
import { createRng } from '../../../lib/core/index.ts';
import { SHUFFLES, createOrder, measureMixing } from '../../../lib/load/index.ts';
import type { Order, OrderOptions } from '../../../lib/load/index.ts';

const range = { instanceOf: RangeError };

function all({ length, at }: Order): number[] {
  return Array.from({ length }, (_, position) => at(position));
}

function ascending(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}

function sorted(numbers: readonly number[]): number[] {
  return numbers.toSorted((a, b) => a - b);
}

/** Which shard a sample belongs to. */
function shardOf(shardSamples: readonly number[], sample: number): number {
  let end = 0;
  return shardSamples.findIndex((samples) => sample < (end += samples));
}

/** Any configuration, small enough to look at every position. */
function randomOptions(number: number): OrderOptions {
  const rng = createRng(number, 'order-test');
  const windowShards = rng.integer(1, 7);
  return {
    shardSamples: Array.from({ length: rng.integer(0, 20) }, () =>
      Math.max(0, rng.integer(-2, 12)),
    ),
    seed: rng.integer(0, 1000),
    epoch: rng.integer(0, 5),
    shuffle: SHUFFLES[rng.integer(0, SHUFFLES.length)]!,
    name: ['', 'a'][rng.integer(0, 2)]!,
    windowShards,
    windowSamples: windowShards + rng.integer(0, 30),
  };
}

test('an order holds every sample once, and is the same whatever was asked before: 2000 configurations', (t) => {
  const wrong = ascending(2000).filter((number) => {
    const options = randomOptions(number);
    const samples = all(createOrder(options));
    const again = createOrder(options);
    const backwards = ascending(samples.length)
      .reverse()
      .map((position) => again.at(position));
    return (
      sorted(samples).some((sample, i) => sample !== i) ||
      samples.length !== options.shardSamples.reduce((sum, n) => sum + n, 0) ||
      backwards.reverse().some((sample, i) => sample !== samples[i])
    );
  });
  t.deepEqual(wrong, []);
});

for (const [shuffle, samples] of Object.entries({
  global: [6, 5, 11, 10, 4, 2, 3, 1, 8, 9, 0, 7],
  window: [4, 0, 5, 6, 1, 2, 7, 8, 3, 10, 9, 11],
  none: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
}) as [OrderOptions['shuffle'], number[]][]) {
  // Pinned: cursors in the wild rely on these orders.
  test(`the order of seed 0, epoch 0, shuffle ${shuffle} stays as it is`, (t) => {
    const shardSamples = [3, 1, 5, 3];
    const window = { windowShards: 2, windowSamples: 4 };
    t.deepEqual(all(createOrder({ shardSamples, shuffle, seed: 0, epoch: 0, ...window })), samples);
  });
}

for (const shuffle of ['global', 'window'] as const) {
  test(`${shuffle}: seeds, epochs and names give other orders, mixed and not added`, (t) => {
    const orders = [
      [0, 0, ''],
      [0, 1, ''],
      [1, 0, ''],
      [1, 1, ''],
      [0, 0, 'a'],
      [0, 1, 'a'],
    ] as const;
    const texts = orders.map(([seed, epoch, name]) =>
      all(createOrder({ shardSamples: [40, 40, 40], shuffle, seed, epoch, name })).join(),
    );
    t.is(new Set(texts).size, orders.length);
  });
}

test('window: shards are read side by side, each in stretches from front to back', (t) => {
  const shardSamples = Array.from({ length: 12 }, (_, i) => 50 + i);
  const samples = all(
    createOrder({
      shardSamples,
      shuffle: 'window',
      seed: 0,
      epoch: 0,
      windowShards: 3,
      windowSamples: 30,
    }),
  );
  const shards = samples.map((sample) => shardOf(shardSamples, sample));
  const open = new Set<number>();
  const next = new Map<number, number>();
  for (const [position, shard] of shards.entries()) {
    open.add(shard);
    t.true(open.size <= 3, `position ${position}`);
    // No sample comes more than a stretch (10 samples) before those ahead of it in its shard.
    const read = next.get(shard) ?? 0;
    const place = samples[position]! - shardSamples.slice(0, shard).reduce((sum, n) => sum + n, 0);
    t.true(Math.abs(place - read) <= 10, `position ${position}`);
    next.set(shard, read + 1);
    if (read + 1 === shardSamples[shard]) open.delete(shard);
  }
  t.notDeepEqual([...new Set(shards)], ascending(12));
  t.is(new Set(shards.slice(0, 10)).size, 3);
});

test('window: a window as large as the dataset is a global shuffle of it', (t) => {
  const shardSamples = Array.from({ length: 8 }, () => 100);
  const { variety, spread } = measureMixing(
    createOrder({ shardSamples, shuffle: 'window', seed: 0, epoch: 0, windowSamples: 800 }),
  );
  t.true(variety > 0.95, String(variety));
  t.is(spread, 1);
});

test('mixing tells orders apart', (t) => {
  const shardSamples = Array.from({ length: 100 }, () => 1000);
  const mix = (options: Partial<OrderOptions>) =>
    measureMixing(createOrder({ shardSamples, shuffle: 'window', seed: 0, epoch: 0, ...options }));
  t.deepEqual(mix({ shuffle: 'none' }), { variety: 1 / (100_001 / 3), spread: 1e-5 });
  const global = mix({ shuffle: 'global' });
  t.true(global.variety > 0.95, String(global.variety));
  t.is(global.spread, 1);
  const four = mix({ windowShards: 4, windowSamples: 4000 });
  t.true(Math.abs(four.variety - 0.75) < 0.06, String(four.variety));
  t.is(four.spread, 0.04);
  const one = mix({ windowShards: 1, windowSamples: 1000 });
  t.true(one.variety < 0.02, String(one.variety));
  t.is(one.spread, 0.01);
  t.deepEqual(mix({ shardSamples: [1] }), { variety: 1, spread: 1 });
});

test('an order of a dataset of any size is made without it', (t) => {
  const huge = createOrder({ shardSamples: [2 ** 47], shuffle: 'global', seed: 0, epoch: 0 });
  t.true(huge.at(2 ** 47 - 1) < 2 ** 47);
  const shardSamples = Array.from({ length: 4000 }, () => 2 ** 22);
  const window = createOrder({ shardSamples, shuffle: 'window', seed: 0, epoch: 0 });
  const places = Array.from({ length: 100 }, (_, i) => window.at(window.length - 1 - i));
  t.is(new Set(places).size, 100);
  t.true(places.every((sample) => sample >= 0 && sample < window.length));
});

test('wrong options are refused', (t) => {
  const options = { shardSamples: [4, 4], shuffle: 'window', seed: 0, epoch: 0 } as const;
  for (const wrong of [
    { seed: undefined },
    { seed: -1 },
    { seed: undefined, shuffle: 'global' },
    { epoch: -1 },
    { epoch: 0.5 },
    { shuffle: 'shards' },
    { shardSamples: [-1] },
    { shardSamples: [2 ** 22 + 1] },
    { windowShards: 0 },
    { windowSamples: 7 },
    { windowShards: 513, windowSamples: 1000 },
    { shardSamples: [2 ** 48, 1], shuffle: 'global' },
  ]) {
    t.throws(
      () => createOrder({ ...options, ...wrong } as OrderOptions),
      range,
      JSON.stringify(wrong),
    );
  }
  for (const shuffle of SHUFFLES) {
    const order = createOrder({ ...options, shuffle });
    for (const position of [-1, 8, 0.5, Number.NaN]) t.throws(() => order.at(position), range);
    t.throws(() => createOrder({ ...options, shuffle, shardSamples: [] }).at(0), range);
  }
  t.is(createOrder({ shardSamples: [2], shuffle: 'none', epoch: 3 }).at(1), 1);
});
