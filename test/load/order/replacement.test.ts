import test from 'ava';
import { replaceSample } from '../../../lib/load/index.ts';

const range = { instanceOf: RangeError };
const place = { seed: 0, epoch: 0, position: 0, attempt: 1 };

test('attempts at one place give every other sample once, then none', (t) => {
  for (let numSamples = 1; numSamples < 20; numSamples++) {
    for (let bad = 0; bad < numSamples; bad++) {
      const others = Array.from({ length: numSamples - 1 }, (_, i) =>
        replaceSample(bad, numSamples, { ...place, position: bad, attempt: i + 1 }),
      );
      const wanted = Array.from({ length: numSamples }, (_, i) => i).filter((i) => i !== bad);
      t.deepEqual(
        others.toSorted((a, b) => a! - b!),
        wanted,
      );
      t.is(replaceSample(bad, numSamples, { ...place, attempt: numSamples }), null);
    }
  }
});

function replaceAt(change: object): number | null {
  return replaceSample(500, 1e6, { ...place, ...change });
}

test('a replacement is fixed by its place', (t) => {
  t.is(replaceAt({}), 314_039); // Pinned: it is the same on every machine.
  const all = [{}, { seed: 1 }, { epoch: 1 }, { position: 1 }, { attempt: 2 }].map(replaceAt);
  t.is(new Set(all).size, all.length);
});

test('replacements come evenly from the dataset', (t) => {
  const counts = Array.from({ length: 10 }, () => 0);
  for (let position = 0; position < 9000; position++) {
    counts[replaceSample(3, 10, { ...place, position })!]! += 1;
  }
  t.is(counts[3], 0);
  for (const [sample, count] of counts.entries()) {
    if (sample !== 3) t.true(Math.abs(count - 1000) < 150, `${sample}: ${count}`);
  }
});

test('wrong arguments are refused', (t) => {
  t.throws(() => replaceSample(4, 4, place), range);
  t.throws(() => replaceSample(-1, 4, place), range);
  t.throws(() => replaceSample(0, 0, place), range);
  for (const wrong of [{ seed: -1 }, { epoch: -1 }, { position: -1 }, { attempt: 0 }]) {
    t.throws(() => replaceSample(0, 4, { ...place, ...wrong }), range, JSON.stringify(wrong));
  }
});
