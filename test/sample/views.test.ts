import test from 'ava';
import { listViews, mergeViews } from '../../lib/sample/index.ts';
import type { ViewScore } from '../../lib/sample/index.ts';
import { largestDifference } from '../helpers/random-clip.ts';
import { readGoldenJson, readGoldenTensor } from '../helpers/safetensors.ts';

const FILE = 'h6_view_merge.safetensors';

test('views go crop by crop, then segment by segment', (t) => {
  const views = listViews(5, 3);
  t.is(views.length, 15);
  t.deepEqual(views[0], { segment: 0, crop: 0 });
  t.deepEqual(views[7], { segment: 2, crop: 1 });
  t.deepEqual(listViews(1, 1), [{ segment: 0, crop: 0 }]);
});

test('golden h6: merged scores, the second result of a view dropped', async (t) => {
  const { data } = await readGoldenTensor(FILE, 'logits');
  const { data: duplicate } = await readGoldenTensor(FILE, 'duplicate_view_logits');
  const { data: golden } = await readGoldenTensor(FILE, 'mean_probability');
  const { per_video: perVideo } = (await readGoldenJson('h6_view_merge.json')) as {
    per_video: { prediction: number }[];
  };
  const scores: ViewScore[] = ['0', '1', '2'].flatMap((key, video) =>
    listViews(2, 3).map((view, index) => {
      const at = (video * 6 + index) * 8;
      const { segment, crop } = view;
      return { key, segment, crop, logits: data.subarray(at, at + 8) };
    }),
  );
  const extra = { key: '2', segment: 0, crop: 0, logits: duplicate };
  const merged = mergeViews([...scores, extra]);
  t.deepEqual(
    merged.map(({ key, numViews }) => [key, numViews]),
    [
      ['0', 6],
      ['1', 6],
      ['2', 6],
    ],
  );
  for (const [video, { probabilities }] of merged.entries()) {
    const expected = golden.subarray(video * 8, (video + 1) * 8);
    t.true(largestDifference(probabilities, expected) <= 1e-6);
    const best = probabilities.indexOf(Math.max(...probabilities));
    t.is(best, perVideo[video]!.prediction);
  }
});

test('scores may come in any order of views, and huge logits do no harm', (t) => {
  const a = { key: 'a', segment: 0, crop: 0, logits: [1000, 0] };
  const b = { key: 'a', segment: 0, crop: 1, logits: [-5000, 0] };
  const c = { key: 'c', segment: 0, crop: 0, logits: [0, 0] };
  const merged = mergeViews([a, c, b]);
  t.deepEqual(merged, mergeViews([b, c, a]));
  t.deepEqual(merged, [
    { key: 'a', probabilities: Float32Array.of(0.5, 0.5), numViews: 2 },
    { key: 'c', probabilities: Float32Array.of(0.5, 0.5), numViews: 1 },
  ]);
  t.deepEqual(mergeViews([]), []);
});

test('wrong arguments are refused', (t) => {
  const range = { instanceOf: RangeError };
  t.throws(() => listViews(0, 3), range);
  t.throws(() => listViews(5, 1.5), range);
  const view = { key: 'a', segment: 0, crop: 0 };
  t.throws(() => mergeViews([{ ...view, logits: [] }]), range);
  t.throws(() => mergeViews([{ ...view, logits: [1, Number.NaN] }]), range);
  t.throws(
    () =>
      mergeViews([
        { ...view, logits: [1, 2] },
        { ...view, crop: 1, logits: [1, 2, 3] },
      ]),
    range,
  );
});
