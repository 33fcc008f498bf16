import test from 'ava';
import { createRng } from '../../../lib/core/index.ts';
import {
  REMAINDERS,
  batchPositions,
  countBatches,
  orderPosition,
  planEpoch,
} from '../../../lib/load/index.ts';
import type { EpochPlan, SplitOptions } from '../../../lib/load/index.ts';

const range = { instanceOf: RangeError };

function ascending(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}

/** Batches of all ranks: `[rank][batch][slot]`. */
function split(plan: EpochPlan): number[][][] {
  return ascending(plan.worldSize).map((rank) =>
    ascending(countBatches(plan, rank)).map((batch) => batchPositions(plan, rank, batch)),
  );
}

function randomPlan(number: number): EpochPlan {
  const rng = createRng(number, 'split-test');
  return planEpoch({
    numSamples: rng.integer(0, 200),
    batchSize: rng.integer(1, 9),
    worldSize: rng.integer(1, 9),
    remainder: REMAINDERS[rng.integer(0, REMAINDERS.length)]!,
    repeats: rng.integer(1, 4),
  });
}

/** What is wrong with a split; empty if nothing is. */
function findFaults(plan: EpochPlan): string[] {
  const { numSamples, batchSize, worldSize, worldBatchSize, remainder, repeats } = plan;
  const faults: string[] = [];
  const ranks = split(plan);
  const count = { drop: Math.floor, pad: Math.ceil, uneven: Math.ceil }[remainder](
    numSamples / worldBatchSize,
  );
  for (const [rank, batches] of ranks.entries()) {
    const isFew = remainder === 'uneven' && batches.length === count - 1;
    if (batches.length !== count && !isFew)
      faults.push(`${batches.length} batches on rank ${rank}`);
    for (const [batch, positions] of batches.entries()) {
      const isLast = batch === count - 1 && remainder === 'uneven';
      const clips = positions.length / repeats;
      if (clips !== batchSize && !(isLast && clips > 0 && clips < batchSize))
        faults.push(`${clips} clips`);
      if (positions.some((position, slot) => position !== positions[slot - (slot % repeats)])) {
        faults.push('a clip is not beside its repeats');
      }
    }
  }
  if (plan.numBatches !== count || ranks[0]!.length !== count) faults.push('numBatches');
  for (const batch of ascending(count)) {
    const together = ranks.flatMap((batches) => batches[batch] ?? []).sort((a, b) => a - b);
    const start = batch * worldBatchSize;
    if (together.some((position, slot) => position !== start + Math.floor(slot / repeats))) {
      faults.push(`batch ${batch} is no stretch of the order`);
    }
    const sizes = ranks.map((batches) => (batches[batch] ?? []).length / repeats);
    if (Math.max(...sizes) - Math.min(...sizes) > 1)
      faults.push('ranks differ by more than one clip');
  }
  const given = ranks.flat(2).length / repeats;
  const wanted = {
    drop: count * batchSize * worldSize,
    pad: count * worldBatchSize,
    uneven: numSamples,
  }[remainder];
  if (given !== wanted) faults.push(`${given} of ${wanted} given out`);
  return faults;
}

test('ranks are disjoint and together everything: 3000 configurations', (t) => {
  const faults = ascending(3000).flatMap((number) => findFaults(randomPlan(number)));
  t.deepEqual(faults, []);
});

const ROWS: readonly { options: SplitOptions; ranks: number[][][] }[] = [
  {
    options: { numSamples: 10, batchSize: 2, worldSize: 2, remainder: 'drop' },
    ranks: [
      [
        [0, 2],
        [4, 6],
      ],
      [
        [1, 3],
        [5, 7],
      ],
    ],
  },
  {
    options: { numSamples: 9, batchSize: 2, worldSize: 2, remainder: 'pad' },
    ranks: [
      [
        [0, 2],
        [4, 6],
        [8, 10],
      ],
      [
        [1, 3],
        [5, 7],
        [9, 11],
      ],
    ],
  },
  {
    options: { numSamples: 9, batchSize: 2, worldSize: 2, remainder: 'uneven' },
    ranks: [
      [[0, 2], [4, 6], [8]],
      [
        [1, 3],
        [5, 7],
      ],
    ],
  },
  { options: { numSamples: 3, batchSize: 2 }, ranks: [[[0, 1], [2]]] },
  { options: { numSamples: 2, batchSize: 2, repeats: 3 }, ranks: [[[0, 0, 0, 1, 1, 1]]] },
  { options: { numSamples: 0, batchSize: 2, worldSize: 1, remainder: 'pad' }, ranks: [[]] },
  { options: { numSamples: 3, batchSize: 4, remainder: 'drop' }, ranks: [[]] },
];

for (const { options, ranks } of ROWS) {
  test(`split of ${JSON.stringify(options)}`, (t) => {
    t.deepEqual(split(planEpoch(options)), ranks);
  });
}

test('pads come from the start of the order, as often as it takes, and are marked', (t) => {
  const plan = planEpoch({ numSamples: 3, batchSize: 8, worldSize: 1, remainder: 'pad' });
  const places = batchPositions(plan, 0, 0).map((position) => orderPosition(plan, position));
  t.deepEqual(
    places.map(({ position }) => position),
    [0, 1, 2, 0, 1, 2, 0, 1],
  );
  t.deepEqual(
    places.map(({ isPad }) => isPad),
    [false, false, false, true, true, true, true, true],
  );
});

test('wrong options are refused', (t) => {
  const options = { numSamples: 10, batchSize: 2, worldSize: 2, remainder: 'drop' } as const;
  for (const wrong of [
    { numSamples: -1 },
    { batchSize: 0 },
    { batchSize: 1.5 },
    { worldSize: 0 },
    { repeats: 0 },
    { remainder: 'keep' },
    { remainder: undefined },
  ]) {
    t.throws(
      () => planEpoch({ ...options, ...wrong } as SplitOptions),
      range,
      JSON.stringify(wrong),
    );
  }
  t.throws(() => planEpoch({ numSamples: 10, batchSize: 2, worldSize: 2 }), {
    ...range,
    message: /"remainder"/,
  });
  const plan = planEpoch(options);
  for (const [rank, batch] of [
    [-1, 0],
    [2, 0],
    [0, -1],
    [0, 2],
    [0, 0.5],
  ] as const) {
    t.throws(() => batchPositions(plan, rank, batch), range);
  }
  t.throws(() => countBatches(plan, 2), range);
});
