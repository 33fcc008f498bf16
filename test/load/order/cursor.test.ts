import test from 'ava';
import { createRng } from '../../../lib/core/index.ts';
import {
  REMAINDERS,
  batchPositions,
  checkCursor,
  countBatches,
  createSequence,
  fingerprintDatasets,
  makeCursor,
  orderPosition,
  planEpoch,
  resumeAt,
} from '../../../lib/load/index.ts';
import type {
  Cursor,
  CursorOwner,
  EpochPlan,
  ResumePoint,
  Sequence,
} from '../../../lib/load/index.ts';

const range = { instanceOf: RangeError };
const differs = { code: 'TUBE_CURSOR_MISMATCH' };
const owner: CursorOwner = { data: 'd'.repeat(32), options: { seed: 0, shuffle: 'global' } };
const start: ResumePoint = { epoch: 0, batchIndex: 0 };

/** What every rank gets from a point to the end of an epoch, batch after batch; with pads marked. */
function run(sequence: Sequence, plan: EpochPlan, from: ResumePoint, numEpochs: number): string[] {
  const batches: string[] = [];
  for (let { epoch, batchIndex } = from; epoch < numEpochs; epoch++, batchIndex = 0) {
    for (; batchIndex < plan.numBatches; batchIndex++) {
      for (let rank = 0; rank < plan.worldSize; rank++) {
        if (batchIndex >= countBatches(plan, rank)) continue;
        const clips = batchPositions(plan, rank, batchIndex).map((slot) => {
          const { position, isPad } = orderPosition(plan, slot);
          const { dataset, sample } = sequence.at(epoch, position);
          return `${dataset}${sample}${isPad ? '*' : ''}`;
        });
        batches.push(clips.join());
      }
    }
  }
  return batches;
}

function store(cursor: Cursor): unknown {
  return JSON.parse(JSON.stringify(cursor));
}

test('a run that stops after any batch goes on as if it had not: 150 configurations', (t) => {
  for (let number = 0; number < 150; number++) {
    const rng = createRng(number, 'resume-test');
    const options = {
      datasets: Array.from({ length: rng.integer(1, 4) }, (_, i) => ({
        name: `${i}-`,
        weight: rng.integer(1, 5),
        shardSamples: Array.from({ length: rng.integer(1, 4) }, () => rng.integer(1, 12)),
      })),
      shuffle: (['global', 'window', 'none'] as const)[rng.integer(0, 3)]!,
      seed: number,
      windowShards: 2,
      windowSamples: 5,
    };
    const sequence = createSequence(options);
    const plan = planEpoch({
      numSamples: sequence.epochSamples,
      batchSize: rng.integer(1, 4),
      worldSize: rng.integer(1, 4),
      remainder: REMAINDERS[rng.integer(0, 3)]!,
      repeats: rng.integer(1, 3),
    });
    const whole = run(sequence, plan, start, 3);
    const perEpoch = whole.length / 3;
    for (let epoch = 0; epoch < 3; epoch++) {
      for (let numBatches = 0; numBatches <= plan.numBatches; numBatches++) {
        const cursor = checkCursor(store(makeCursor(owner, plan, { epoch, numBatches })), owner);
        const rest = run(createSequence(options), plan, resumeAt(cursor, plan), 3);
        const isLast = numBatches === plan.numBatches;
        const done = epoch * perEpoch + (isLast ? perEpoch : numBatches * plan.worldSize);
        t.deepEqual(rest, whole.slice(done), `configuration ${number}`);
      }
    }
  }
});

function split(batchSize: number, worldSize: number): EpochPlan {
  return planEpoch({ numSamples: 97, batchSize, worldSize, remainder: 'uneven' });
}

function samplesOf(batches: readonly string[]): string[] {
  return batches.flatMap((batch) => batch.split(',')).sort();
}

test('another world size goes on where whole batches are done, and is refused elsewhere', (t) => {
  const sequence = createSequence({
    datasets: [{ shardSamples: [97] }],
    shuffle: 'global',
    seed: 0,
  });
  const plan = split(2, 3);
  const epoch = run(sequence, plan, start, 1);
  const order = Array.from({ length: 97 }, (_, position) => `${sequence.at(0, position).sample}`);
  for (let numBatches = 0; numBatches < plan.numBatches; numBatches++) {
    const cursor = makeCursor(owner, plan, { epoch: 0, numBatches });
    for (const other of [
      split(2, 1),
      split(2, 2),
      split(2, 4),
      split(6, 1),
      split(3, 8),
      split(1, 5),
    ]) {
      if (cursor.position % other.worldBatchSize !== 0) {
        t.throws(() => resumeAt(cursor, other), differs);
        continue;
      }
      const rest = run(sequence, other, resumeAt(cursor, other), 1);
      const done = epoch.slice(0, numBatches * 3);
      t.deepEqual(samplesOf([...done, ...rest]), order.toSorted());
    }
  }
});

test('a cursor at the remainder of another split starts the next epoch', (t) => {
  const plan = planEpoch({ numSamples: 10, batchSize: 2 });
  const cursor = makeCursor(owner, plan, { epoch: 4, numBatches: 4 });
  const other = planEpoch({ numSamples: 10, batchSize: 2, worldSize: 2, remainder: 'drop' });
  t.deepEqual(resumeAt(cursor, plan), { epoch: 4, batchIndex: 4 });
  t.deepEqual(resumeAt(cursor, other), { epoch: 5, batchIndex: 0 });
});

test('a cursor is small plain JSON, and stays as it is', (t) => {
  const plan = planEpoch({ numSamples: 1e6, batchSize: 32, worldSize: 16, remainder: 'drop' });
  const options = {
    seed: 0,
    shuffle: 'window',
    windowShards: 8,
    epochSamples: undefined,
    weights: { b: 0.3, a: 0.7 },
    note: 'x'.repeat(5000),
  };
  const data = fingerprintDatasets([]);
  const cursor = makeCursor({ data, options }, plan, { epoch: 3, numBatches: 100 });
  t.deepEqual(store(cursor), {
    v: 1,
    data: '4f53cda18c2baa0c0354bb5f9a3ecbe5',
    options: {
      seed: 0,
      shuffle: 'window',
      windowShards: 8,
      weights: '{"a":0.7,"b":0.3}',
      note: '#f6aded27d686',
    },
    epoch: 3,
    position: 51_200,
  });
  const swapped = { ...options, weights: { a: 0.7, b: 0.3 } };
  t.deepEqual(checkCursor(store(cursor), { data, options: swapped }), cursor);
  const many = Object.fromEntries(
    Array.from({ length: 60 }, (_, i) => [`option${i}`, 'value'.repeat(4)]),
  );
  t.throws(() => makeCursor({ data, options: many }, plan, { epoch: 0, numBatches: 0 }), range);
});

test('a cursor of other data or options is refused, naming what differs', (t) => {
  const plan = planEpoch({ numSamples: 10, batchSize: 2 });
  const cursor = store(makeCursor(owner, plan, { epoch: 0, numBatches: 1 }));
  const refusal = (change: Partial<CursorOwner>): string =>
    t.throws(() => checkCursor(cursor, { ...owner, ...change }), differs).message;
  t.regex(refusal({ data: 'e' }), /shards/);
  const message = refusal({ options: { seed: 1, weights: { a: 1 } } });
  for (const name of [
    /seed was 0, now 1/,
    /shuffle was "global", now not set/,
    /weights was not set/,
  ]) {
    t.regex(message, name);
  }
});

const SOUND: Cursor = { v: 1, ...owner, options: {}, epoch: 0, position: 4 };

for (const value of [
  null,
  [],
  'cursor',
  7,
  {},
  { v: 1 },
  { ...SOUND, v: 0 },
  { ...SOUND, epoch: -1 },
  { ...SOUND, epoch: 0.5 },
  { ...SOUND, position: '4' },
  { ...SOUND, data: 4 },
  { ...SOUND, options: null },
  { ...SOUND, options: 'none' },
]) {
  test(`${JSON.stringify(value)} is no cursor`, (t) => {
    t.deepEqual(checkCursor(SOUND, { ...owner, options: {} }), SOUND);
    t.throws(() => checkCursor(value, { ...owner, options: {} }), differs);
  });
}

test('a newer cursor and positions beyond the epoch are refused', (t) => {
  const plan = planEpoch({ numSamples: 10, batchSize: 2 });
  const cursor = makeCursor(owner, plan, { epoch: 0, numBatches: 1 });
  t.throws(() => checkCursor({ ...cursor, v: 2 }, owner), { code: 'TUBE_VERSION_UNSUPPORTED' });
  t.throws(() => resumeAt({ ...cursor, position: 12 }, plan), differs);
  t.throws(() => resumeAt({ ...cursor, position: 3 }, plan), differs);
  t.throws(() => makeCursor(owner, plan, { epoch: -1, numBatches: 0 }), range);
  t.throws(() => makeCursor(owner, plan, { epoch: 0, numBatches: 6 }), range);
});

test('the fingerprint depends on every fact of the shards, not on the order of datasets', (t) => {
  const shard = { name: 's-000000', bytes: 10, samples: 2, sha256: 'a'.repeat(64) };
  const print = (name: string, ...shards: (typeof shard)[]) =>
    fingerprintDatasets([{ name, shards }]);
  const all = [
    print('a', shard),
    print('b', shard),
    print('a', shard, shard),
    print('a', { ...shard, name: 's-000001' }),
    print('a', { ...shard, samples: 3 }),
    print('a', { ...shard, sha256: 'b'.repeat(64) }),
  ];
  t.is(new Set(all).size, all.length);
  t.regex(all[0]!, /^[0-9a-f]{32}$/);
  const [a, b] = [
    { name: 'a', shards: [shard] },
    { name: 'b', shards: [] },
  ];
  t.is(fingerprintDatasets([a, b]), fingerprintDatasets([b, a]));
});
