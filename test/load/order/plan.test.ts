import test from 'ava';
import {
  REMAINDERS,
  batchPositions,
  countBatches,
  createOrder,
  orderPosition,
  planEpoch,
  sumBytesPerRank,
  summarizeEpoch,
} from '../../../lib/load/index.ts';

async function* entriesOf(sizes: readonly number[]): AsyncGenerator<{ bytes: number }> {
  for (const bytes of sizes) yield { bytes };
}

for (const { remainder, batchesPerRank, dropped, padded } of [
  { remainder: 'drop', batchesPerRank: [2, 2, 2], dropped: 2, padded: 0 },
  { remainder: 'pad', batchesPerRank: [3, 3, 3], dropped: 0, padded: 10 },
  { remainder: 'uneven', batchesPerRank: [3, 3, 2], dropped: 0, padded: 0 },
] as const) {
  test(`26 samples in batches of 4 on 3 ranks, ${remainder}`, (t) => {
    const plan = planEpoch({ numSamples: 26, batchSize: 4, worldSize: 3, remainder });
    const numbers = { numSamples: 26, worldBatchSize: 12, remainder: 2 };
    t.deepEqual(summarizeEpoch(plan), { ...numbers, batchesPerRank, dropped, padded });
  });
}

for (const remainder of REMAINDERS) {
  test(`bytes per rank are those of the batches, ${remainder}`, async (t) => {
    const sizes = Array.from({ length: 50 }, (_, i) => 1000 + i ** 3);
    const plan = planEpoch({ numSamples: 50, batchSize: 3, worldSize: 4, remainder, repeats: 2 });
    const order = createOrder({ shardSamples: [20, 30], shuffle: 'global', seed: 1, epoch: 2 });
    const expected = Array.from({ length: 4 }, (_, rank) => {
      let sum = 0;
      for (let batch = 0; batch < countBatches(plan, rank); batch++) {
        const positions = batchPositions(plan, rank, batch).filter(
          (_position, slot) => slot % 2 === 0,
        );
        for (const position of positions) {
          sum += sizes[order.at(orderPosition(plan, position).position)]!;
        }
      }
      return sum;
    });
    t.deepEqual(await sumBytesPerRank(plan, entriesOf(sizes), order.at), expected);
  });
}

test('an order that asks for more than there is, is refused', async (t) => {
  const plan = planEpoch({ numSamples: 3, batchSize: 1 });
  await t.throwsAsync(
    sumBytesPerRank(plan, entriesOf([1, 2]), (i) => i),
    { instanceOf: RangeError },
  );
});
