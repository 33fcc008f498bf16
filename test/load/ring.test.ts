import test from 'ava';
import { Ring, createRing, placeBytes } from '../../lib/load/ring.ts';
import type { RingLayout } from '../../lib/load/ring.ts';

const LAYOUT: RingLayout = {
  numPlaces: 3,
  numUnits: 2,
  repeats: 2,
  noteBytes: 64,
  tensors: [
    { name: 'visible', dtype: 'uint8', shape: [5], clipBytes: 5 },
    { name: 'target', dtype: 'float32', shape: [3], clipBytes: 12 },
    { name: 'visibleTokens', dtype: 'int32', shape: [1], clipBytes: 4 },
  ],
};

test('units are taken once each, batch by batch, from any side', (t) => {
  const memory = createRing(LAYOUT);
  const [a, b] = [new Ring(LAYOUT, memory), new Ring(LAYOUT, memory)];
  const taken = [a, b, b, a, b].map((ring) => ring.takeUnit());
  t.deepEqual(taken, [
    { batch: 0, unit: 0 },
    { batch: 0, unit: 1 },
    { batch: 1, unit: 0 },
    { batch: 1, unit: 1 },
    { batch: 2, unit: 0 },
  ]);
});

test('a batch is whole after its last unit, and its place is given on after a release', (t) => {
  const memory = createRing(LAYOUT);
  const [host, worker] = [new Ring(LAYOUT, memory), new Ring(LAYOUT, memory)];
  host.expect(0, 2);
  t.false(worker.finishUnit(0));
  t.true(worker.finishUnit(0));
  t.false(host.isWhole(0));
  worker.markWhole(0);
  t.true(host.isWhole(0));
  t.false(host.isWhole(3)); // The same place, another batch.
  t.deepEqual(
    [2, 3].map((batch) => worker.hasPlace(batch)),
    [true, false],
  );
  host.expect(3, 1);
  host.release();
  t.true(worker.hasPlace(3));
  t.true(worker.finishUnit(3));
  host.stop();
  t.true(worker.isStopped());
});

test('slots lie one after the other in their tensors, and nowhere else', (t) => {
  const ring = new Ring(LAYOUT, createRing(LAYOUT));
  for (let batch = 0; batch < 3; batch++) {
    for (let unit = 0; unit < 2; unit++) {
      for (const [repeat, slot] of ring.slots(batch, unit).entries()) {
        const value = batch * 100 + unit * 10 + repeat;
        slot.visible!.fill(value);
        slot.target!.fill(value + 0.5);
        slot.visibleTokens!.fill(-1 - value);
      }
      ring.writeNote(batch, unit, { text: `ä ${batch} ${unit}` });
    }
  }
  for (let batch = 0; batch < 3; batch++) {
    const values = [0, 1, 10, 11].map((value) => batch * 100 + value);
    const { visible, target, visibleTokens } = ring.tensors(batch, 4);
    t.deepEqual(
      [...visible!],
      values.flatMap((value) => [value, value, value, value, value]),
    );
    t.deepEqual(
      [...target!],
      values.flatMap((value) => [value + 0.5, value + 0.5, value + 0.5]),
    );
    t.deepEqual(
      [...visibleTokens!],
      values.map((value) => -1 - value),
    );
    t.deepEqual(ring.tensors(batch, 3).visibleTokens!.length, 3);
    for (let unit = 0; unit < 2; unit++) {
      t.deepEqual(ring.readNote(batch, unit), { text: `ä ${batch} ${unit}` });
    }
  }
  t.is(placeBytes(LAYOUT), 64 + 64 + 64 + 2 * 64);
  t.throws(() => ring.writeNote(0, 0, 'x'.repeat(59)), { instanceOf: RangeError });
});
