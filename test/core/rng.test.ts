import test from 'ava';
import { createPermutation, createRng } from '../../lib/core/index.ts';

test('the same parts give the same numbers on every machine', (t) => {
  const rng = createRng(0, 'shard-order', 1, 'key');
  // Pinned: shards in the wild depend on these numbers.
  t.deepEqual(
    Array.from({ length: 4 }, () => rng.integer(0, 1000)),
    PINNED_INTEGERS,
  );
  t.is(createRng(7, 'x').uniform(), createRng(7, 'x').uniform());
});

test('parts are mixed, not added', (t) => {
  const first = (...parts: [number, string, ...(string | number)[]]) =>
    createRng(...parts).uniform();
  const all = [
    first(0, 'order', 1),
    first(1, 'order', 0),
    first(0, 'order', '1'),
    first(0, 'order1'),
    first(0, 'order'),
    first(0, 'orde', 'r', 1),
  ];
  t.is(new Set(all).size, all.length);
});

test('uniform numbers are even and in [0, 1)', (t) => {
  const rng = createRng(3, 'even');
  const counts = Array.from({ length: 10 }, () => 0);
  for (let i = 0; i < 100_000; i++) {
    const value = rng.uniform();
    t.true(value >= 0 && value < 1);
    counts[Math.floor(value * 10)]! += 1;
  }
  for (const count of counts) t.true(Math.abs(count - 10_000) < 500, String(count));
});

test('integers stay within their bounds and reach both ends', (t) => {
  const rng = createRng(4, 'bounds');
  const seen = new Set(Array.from({ length: 1000 }, () => rng.integer(-2, 3)));
  t.deepEqual(
    [...seen].sort((a, b) => a - b),
    [-2, -1, 0, 1, 2],
  );
  t.is(rng.integer(5, 6), 5);
  t.throws(() => rng.integer(5, 5), { instanceOf: RangeError });
});

for (const length of [1, 2, 3, 7, 64, 1000, 4097]) {
  test(`a permutation of ${length} holds every element once`, (t) => {
    const at = createPermutation(length, 0, 'order');
    const all = Array.from({ length }, (_, position) => at(position));
    t.deepEqual(
      [...all].sort((a, b) => a - b),
      Array.from({ length }, (_, i) => i),
    );
  });
}

test('permutations of other seeds differ, and of large lengths need no memory', (t) => {
  const a = createPermutation(1000, 0, 'order');
  const b = createPermutation(1000, 1, 'order');
  const moved = Array.from({ length: 1000 }, (_, i) => i).filter((i) => a(i) !== b(i));
  t.true(moved.length > 980);
  const huge = createPermutation(2 ** 40, 0, 'order');
  t.true(huge(123_456_789_012) < 2 ** 40);
  t.not(huge(0), 0);
});

test('neighbours do not stay neighbours', (t) => {
  const at = createPermutation(10_000, 5, 'order');
  let close = 0;
  for (let i = 1; i < 10_000; i++) if (Math.abs(at(i) - at(i - 1)) < 100) close++;
  t.true(close < 300, String(close)); // about 200 by chance
});

test('wrong arguments are refused', (t) => {
  t.throws(() => createRng(-1, 'x'), { instanceOf: RangeError });
  t.throws(() => createRng(0.5, 'x'), { instanceOf: RangeError });
  t.throws(() => createPermutation(0, 0, 'x'), { instanceOf: RangeError });
  t.throws(() => createPermutation(5, 0, 'x')(5), { instanceOf: RangeError });
});

const PINNED_INTEGERS = [382, 570, 799, 972];
