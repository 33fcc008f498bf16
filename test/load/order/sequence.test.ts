import test from 'ava';
import { createOrder, createSequence } from '../../../lib/load/index.ts';
import type { Sequence, SequenceOptions, SequencePlace } from '../../../lib/load/index.ts';

const range = { instanceOf: RangeError };

/** Places of the first epochs, one list. */
function walk(options: SequenceOptions, numEpochs: number): SequencePlace[] {
  const { epochSamples, at } = createSequence(options);
  return Array.from({ length: numEpochs * epochSamples }, (_, place) =>
    at(Math.floor(place / epochSamples), place % epochSamples),
  );
}

test('one dataset comes in the order of its epochs', (t) => {
  for (const shuffle of ['global', 'window', 'none'] as const) {
    const options = { shuffle, seed: 5, windowShards: 1, windowSamples: 2 } as const;
    const shardSamples = [3, 4];
    const expected = [0, 1, 2].flatMap((epoch) => {
      const { length, at } = createOrder({ ...options, shardSamples, epoch });
      return Array.from({ length }, (_, i) => ({ dataset: '', round: epoch, sample: at(i) }));
    });
    t.deepEqual(walk({ ...options, datasets: [{ shardSamples }] }, 3), expected);
  }
});

test('each dataset gives every sample once per round, across epochs', (t) => {
  const datasets = [
    { name: 'a', weight: 0.7, shardSamples: [20, 15] },
    { name: 'b', weight: 0.2, shardSamples: [33] },
    { name: 'c', weight: 0.1, shardSamples: [4] },
  ];
  const options: SequenceOptions = { datasets, shuffle: 'global', seed: 0 };
  t.is(createSequence(options).epochSamples, 40); // c has 4 samples at a tenth
  const places = walk(options, 20);
  for (const { name, shardSamples } of datasets) {
    const size = shardSamples.reduce((sum, n) => sum + n, 0);
    const given = places.filter(({ dataset }) => dataset === name);
    for (let start = 0; start + size <= given.length; start += size) {
      const round = given.slice(start, start + size);
      t.is(new Set(round.map(({ sample }) => sample)).size, size);
      t.true(round.every((place) => place.round === start / size));
    }
  }
});

test('datasets of one size do not share an order', (t) => {
  const datasets = ['a', 'b'].map((name) => ({ name, shardSamples: [100] }));
  const places = walk({ datasets, shuffle: 'global', seed: 0 }, 1);
  const of = (name: string) =>
    places.filter(({ dataset }) => dataset === name).map(({ sample }) => sample);
  t.is(of('a').length, 100);
  t.notDeepEqual(of('a'), of('b'));
});

for (const { weights, sizes, epochSamples } of [
  { weights: [0.7, 0.3], sizes: [70, 300], epochSamples: 100 },
  { weights: [7, 3], sizes: [700, 30], epochSamples: 100 },
  { weights: [1, 1], sizes: [5, 9], epochSamples: 10 },
  { weights: [0.1, 0.2, 0.7], sizes: [3, 6, 21], epochSamples: 30 },
  { weights: [1000, 1], sizes: [1, 1], epochSamples: 1 },
  { weights: [3], sizes: [2 ** 40], epochSamples: 2 ** 40 },
]) {
  test(`an epoch of sizes ${sizes.join()} with weights ${weights.join()} has ${epochSamples} samples`, (t) => {
    const datasets = sizes.map((size, i) => ({
      name: `${i}`,
      weight: weights[i]!,
      shardSamples: [size],
    }));
    t.is(createSequence({ datasets, shuffle: 'none' }).epochSamples, epochSamples);
    t.is(createSequence({ datasets, shuffle: 'none', epochSamples: 17 }).epochSamples, 17);
  });
}

function make(options: Partial<SequenceOptions>): Sequence {
  return createSequence({ datasets: [{ shardSamples: [4] }], shuffle: 'none', ...options });
}

test('wrong options are refused', (t) => {
  t.throws(() => make({ datasets: [] }), range);
  t.throws(() => make({ datasets: [{ shardSamples: [0] }] }), range);
  t.throws(() => make({ datasets: [{ shardSamples: [1], weight: 0 }] }), range);
  t.throws(() => make({ datasets: [{ shardSamples: [1] }, { shardSamples: [1] }] }), range);
  t.throws(() => make({ epochSamples: 0 }), range);
  t.throws(() => make({ shuffle: 'global' }), range);
  t.throws(() => make({}).at(0, 4), range);
  t.throws(() => make({}).at(-1, 0), range);
});
