import test from 'ava';
import { createFrameChooser } from '../../lib/sample/index.ts';
import type { FramePolicy } from '../../lib/sample/index.ts';

/** Indices of the frames kept of a stream with these times. */
function keep(policy: FramePolicy, times: readonly number[]): number[] {
  const chooser = createFrameChooser(policy);
  return times.flatMap((pts, index) => (chooser.wants(index, pts) ? [index] : []));
}

/** Times of a steady video, rounded to a time base as containers do. */
function steady(fps: number, length: number, timeBase = 1e-9): number[] {
  return Array.from({ length }, (_, i) => Math.round(i / fps / timeBase) * timeBase);
}

function multiples(stride: number, length: number): number[] {
  return Array.from({ length }, (_, i) => i * stride);
}

test('stride keeps every k-th frame, whatever the times', (t) => {
  t.deepEqual(keep({ kind: 'stride', stride: 3 }, [0, 9, 1, 1, 5, 2, 8]), [0, 3, 6]);
  t.deepEqual(keep({ kind: 'stride', stride: 1 }, [5, 4, 3]), [0, 1, 2]);
});

for (const timeBase of [1e-9, 1 / 90000, 0.001]) {
  test(`30 to 10 fps keeps every third frame, time base ${timeBase}`, (t) => {
    t.deepEqual(keep({ kind: 'fps', fps: 10 }, steady(30, 900, timeBase)), multiples(3, 300));
  });
  for (const rate of [24, 25, 30, 50, 60, 30000 / 1001]) {
    test(`${rate} fps to the same rate keeps all, time base ${timeBase}`, (t) => {
      t.deepEqual(keep({ kind: 'fps', fps: rate }, steady(rate, 900, timeBase)), multiples(1, 900));
    });
  }
}

test('a source slower than the target keeps each frame once', (t) => {
  t.deepEqual(keep({ kind: 'fps', fps: 30 }, steady(25, 500, 0.001)), multiples(1, 500));
  t.deepEqual(keep({ kind: 'fps', fps: 1000 }, steady(1, 5)), multiples(1, 5));
});

for (const { timeBase, steps } of [
  { timeBase: 1 / 24000, steps: [2, 1] },
  { timeBase: 0.001, steps: [2, 1, 3] },
]) {
  test(`23.976 to 12 fps keeps one frame per slot, time base ${timeBase}`, (t) => {
    const kept = keep({ kind: 'fps', fps: 12 }, steady(24000 / 1001, 2400, timeBase));
    t.is(kept.length, 1201);
    t.deepEqual(new Set(kept.slice(1).map((frame, i) => frame - kept[i]!)), new Set(steps));
  });
}

test('variable rate: the first frame of each slot, gaps stay gaps', (t) => {
  const times = [0, 0.02, 0.04, 0.1, 0.11, 0.5, 0.55, 0.58, 0.595, 0.61];
  t.deepEqual(keep({ kind: 'fps', fps: 10 }, times), [0, 3, 5, 8]);
});

test('the clock starts with the first frame, also below zero', (t) => {
  const times = steady(30, 30);
  const shifted = times.map((pts) => pts - 7.3);
  t.deepEqual(keep({ kind: 'fps', fps: 10 }, shifted), keep({ kind: 'fps', fps: 10 }, times));
});

test('times that stand still or go back are never chosen', (t) => {
  const times = [1, 1, 1.1, 1.1, 0.2, 1.05, -4, 1.2, 1.2];
  t.deepEqual(keep({ kind: 'fps', fps: 10 }, times), [0, 2, 7]);
});

test('bad policies and times are refused', (t) => {
  const range = { instanceOf: RangeError };
  t.throws(() => createFrameChooser({ kind: 'stride', stride: 0 }), range);
  t.throws(() => createFrameChooser({ kind: 'fps', fps: 0 }), range);
  t.throws(() => createFrameChooser({ kind: 'fps', fps: Number.NaN }), range);
  t.throws(() => createFrameChooser({ kind: 'seconds' } as unknown as FramePolicy), range);
  t.throws(() => createFrameChooser({ kind: 'fps', fps: 5 }).wants(0, Number.NaN), range);
});
