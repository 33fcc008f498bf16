import test from 'ava';
import { createRng } from '../../../lib/core/index.ts';
import { createMix } from '../../../lib/load/index.ts';
import type { MixPart } from '../../../lib/load/index.ts';

const range = { instanceOf: RangeError };

function toParts(weights: Readonly<Record<string, number>>): MixPart[] {
  return Object.entries(weights).map(([name, weight]) => ({ name, weight }));
}

/** Largest error of any dataset's count before any place, and whether each gives its samples one by one. */
function walk(parts: readonly MixPart[], numPlaces: number) {
  const total = parts.reduce((sum, { weight }) => sum + weight, 0);
  const mix = createMix(parts);
  const counts = new Map(parts.map(({ name }) => [name, 0]));
  let isInOrder = true;
  let worst = 0;
  let excess = -Infinity;
  for (let place = 0; place < numPlaces; place++) {
    const { part, index } = mix(place);
    isInOrder &&= index === counts.get(part.name);
    counts.set(part.name, index + 1);
    for (const { name, weight } of parts) {
      const share = weight / total;
      const error = Math.abs(counts.get(name)! - share * (place + 1));
      worst = Math.max(worst, error);
      excess = Math.max(excess, error - (0.5 + (share * Math.max(0, parts.length - 2)) / 2));
    }
  }
  return { isInOrder, worst, excess };
}

function randomParts(number: number, maxParts: number): MixPart[] {
  const rng = createRng(number, 'mix-test');
  return Array.from({ length: rng.integer(1, maxParts + 1) }, (_, i) => ({
    name: `set${i}`,
    weight: rng.integer(0, 2) === 0 ? rng.integer(1, 10) : 10 ** (4 * rng.uniform() - 2),
  }));
}

test('up to three datasets keep their shares with an error below 1 in every prefix: 1000 mixtures', (t) => {
  for (let number = 0; number < 1000; number++) {
    const { isInOrder, worst } = walk(randomParts(number, 3), 200);
    if (!isInOrder || worst >= 1) t.fail(`mixture ${number}: error ${worst}`);
  }
  t.pass();
});

test('any number of datasets keep their shares within the stated error: 500 mixtures', (t) => {
  for (let number = 0; number < 500; number++) {
    const { isInOrder, excess } = walk(randomParts(number, 12), 200);
    if (!isInOrder || excess > 1e-9) t.fail(`mixture ${number}: error ${excess} above the bound`);
  }
  t.pass();
});

test('a mixture looks the same whatever the order of its parts', (t) => {
  for (let number = 0; number < 200; number++) {
    const parts = randomParts(number, 6);
    const [mix, other] = [createMix(parts), createMix(parts.toReversed())];
    for (let place = 0; place < 50; place++) {
      const [a, b] = [mix(place), other(place)];
      if (a.part.name !== b.part.name || a.index !== b.index) t.fail(`mixture ${number}`);
    }
  }
  t.pass();
});

test('the mixture 0.7 to 0.3 stays as it is', (t) => {
  const mix = createMix(toParts({ a: 0.7, b: 0.3 }));
  // Pinned: cursors in the wild rely on it.
  const names = Array.from({ length: 20 }, (_, place) => mix(place).part.name).join('');
  t.is(names, 'abaaabaabaabaabaaaba');
});

test('far places are as exact as near ones', (t) => {
  const parts = toParts({ a: 0.7, b: 0.2, c: 0.1 });
  const mix = createMix(parts);
  for (const start of [1e6, 1e9, 1e12]) {
    const seen = new Map<string, number>();
    for (let place = start; place < start + 100; place++) {
      const { part, index } = mix(place);
      const last = seen.get(part.name);
      if (last !== undefined) t.is(index, last + 1);
      t.true(Math.abs(index - place * part.weight) < 1.001);
      seen.set(part.name, index);
    }
  }
});

test('wrong parts are refused', (t) => {
  for (const weight of [0, -1, Number.NaN, Infinity]) {
    t.throws(() => createMix(toParts({ a: 1, b: weight })), range);
  }
  t.throws(() => createMix([]), range);
  t.throws(() => createMix([...toParts({ a: 1 }), ...toParts({ a: 2 })]), range);
  t.throws(() => createMix(toParts({ a: 1 }))(-1), range);
});
