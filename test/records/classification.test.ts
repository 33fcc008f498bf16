import test from 'ava';
import { createRng } from '../../lib/core/index.ts';
import { recordClassification } from '../../lib/records/index.ts';
import type { ScoredVideo } from '../../lib/records/index.ts';
import { mergeViews } from '../../lib/sample/index.ts';
import { readGoldenJson, readGoldenTensor } from '../helpers/safetensors.ts';

const FILE = 'h6_view_merge';

interface Golden {
  readonly top1: number;
  readonly top5: number;
  readonly per_video: readonly { readonly prediction: number; readonly top1: number }[];
}

test('golden h6: merged views give the top-1 and top-5 of the reference', async (t) => {
  const golden = (await readGoldenJson(`${FILE}.json`)) as Golden;
  const { data: logits } = await readGoldenTensor(`${FILE}.safetensors`, 'logits'); // [3, 6, 8]
  const { data: labels } = await readGoldenTensor(`${FILE}.safetensors`, 'labels');
  const { data: again } = await readGoldenTensor(`${FILE}.safetensors`, 'duplicate_view_logits');
  const views = Array.from({ length: 18 }, (_, i) => ({
    key: `video-${Math.floor(i / 6)}`,
    segment: Math.floor((i % 6) / 3),
    crop: i % 3,
    logits: logits.subarray(i * 8, (i + 1) * 8),
  }));
  const scores = mergeViews([...views, { key: 'video-2', segment: 0, crop: 0, logits: again }]);
  const record = recordClassification(
    Array.from(labels, (label, i) => ({ key: `video-${i}`, label })),
    scores,
    { classNames: Array.from('abcdefgh'), plannedViews: 6 },
  );
  t.true(Math.abs(record.top1 * 100 - golden.top1) < 1e-9);
  t.true(Math.abs(record.top5 * 100 - golden.top5) < 1e-9);
  for (const [i, { prediction, top1 }] of golden.per_video.entries()) {
    const label = labels[i]!;
    t.true(record.confusion[label]![prediction]! > 0);
    t.is(prediction === label, top1 === 1);
  }
  t.deepEqual([record.missing, record.incomplete], [[], []]);
});

const score = (key: string, ...probabilities: number[]): ScoredVideo => ({
  key,
  probabilities,
  numViews: 2,
});

test('missing videos are named and count as wrong; the rest by hand', (t) => {
  const videos = [
    { key: 'a', label: 0 },
    { key: 'b', label: 0 },
    { key: 'c', label: 1 },
    { key: 'd', label: 1 },
    { key: 'e', label: 1 },
  ];
  const record = recordClassification(
    videos,
    [score('e', 0.6, 0.4, 0), score('a', 1, 0, 0), { ...score('c', 0, 1, 0), numViews: 1 }],
    { classNames: ['left', 'right', 'up'], plannedViews: 2 },
  );
  t.deepEqual(record, {
    numVideos: 5,
    top1: 2 / 5,
    top5: 3 / 5,
    meanPerClass: (1 / 2 + 1 / 3) / 2,
    classes: [
      { label: 0, name: 'left', numVideos: 2, numCorrect: 1, numMissing: 1, accuracy: 1 / 2 },
      { label: 1, name: 'right', numVideos: 3, numCorrect: 1, numMissing: 1, accuracy: 1 / 3 },
      { label: 2, name: 'up', numVideos: 0, numCorrect: 0, numMissing: 0, accuracy: null },
    ],
    confusion: [
      [1, 0, 0],
      [1, 1, 0],
      [0, 0, 0],
    ],
    missing: ['b', 'd'],
    incomplete: [{ key: 'c', numViews: 1 }],
  });
});

test('of equal scores the class with the lower number comes first', (t) => {
  const classNames = Array.from('abcdefg');
  const videos = classNames.map((key, label) => ({ key, label }));
  const scores = classNames.map((key) => score(key, ...classNames.map(() => 0.25)));
  const { top1, top5, confusion } = recordClassification(videos, scores, { classNames });
  t.is(top1, 1 / 7);
  t.is(top5, 5 / 7);
  t.true(confusion.every((row) => row[0] === 1 && row.slice(1).every((count) => count === 0)));
});

test('on random scores: rates, rows and columns agree with a slow count', (t) => {
  const rng = createRng(0, 'classification');
  const numClasses = 9;
  const classNames = Array.from({ length: numClasses }, (_, i) => `class ${i}`);
  const videos = Array.from({ length: 300 }, (_, i) => ({
    key: `v${i}`,
    label: rng.integer(0, numClasses),
  }));
  // Coarse scores: many ties.
  const scores = videos.map(({ key }) =>
    score(key, ...classNames.map(() => rng.integer(0, 6) / 6)),
  );
  const record = recordClassification(videos, scores, { classNames });
  let [top1, top5] = [0, 0];
  for (const [i, { label }] of videos.entries()) {
    const { probabilities } = scores[i]!;
    const order = classNames
      .map((_, other) => other)
      .toSorted((a, b) => probabilities[b]! - probabilities[a]! || a - b);
    if (order[0] === label) top1 += 1;
    if (order.slice(0, 5).includes(label)) top5 += 1;
  }
  t.is(record.top1, top1 / 300);
  t.is(record.top5, top5 / 300);
  for (const { label, numVideos, numCorrect } of record.classes) {
    const row = record.confusion[label]!;
    t.is(
      row.reduce((sum, count) => sum + count, 0),
      numVideos,
    );
    t.is(row[label], numCorrect);
  }
});

test('no videos at all: no rates above nothing', (t) => {
  const record = recordClassification([], [], { classNames: ['a'] });
  t.like(record, { numVideos: 0, top1: 0, top5: 0, meanPerClass: 0 });
});

const one = [{ key: 'a', label: 0 }];

for (const [what, videos, scores, classNames] of [
  ['a key twice', [...one, ...one], [], ['x', 'y']],
  ['a score twice', one, [score('a', 1, 0), score('a', 1, 0)], ['x', 'y']],
  ['a score of no video', one, [score('b', 1, 0)], ['x', 'y']],
  ['a label that is no class', [{ key: 'a', label: 2 }], [], ['x', 'y']],
  ['a label of a half', [{ key: 'a', label: 0.5 }], [], ['x', 'y']],
  ['a score that is no number', one, [score('a', Number.NaN, 0)], ['x', 'y']],
  ['scores of other classes', one, [score('a', 1, 0, 0)], ['x', 'y']],
  ['no classes', [], [], []],
] as const) {
  test(`${what} is refused`, (t) => {
    t.throws(() => recordClassification(videos, scores, { classNames }), {
      instanceOf: RangeError,
    });
  });
}
