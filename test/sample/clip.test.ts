import test from 'ava';
import { TubeletError } from '../../lib/core/index.ts';
import { clipFrames, clipSpan, clipStarts } from '../../lib/sample/index.ts';
import type { ShortVideoPolicy } from '../../lib/sample/index.ts';

test('the span counts the first and the last frame', (t) => {
  t.is(clipSpan(4, 2), 7);
  t.is(clipSpan(16, 4), 61);
  t.is(clipSpan(1, 9), 1);
  t.throws(() => clipSpan(0, 2), { instanceOf: RangeError });
  t.throws(() => clipSpan(4, 1.5), { instanceOf: RangeError });
});

const starts = test.macro({
  title: (_, length: number, clips: 'all' | number) => `clips ${clips} of ${length} frames, span 7`,
  exec(t, length: number, clips: 'all' | number, expected: number[]) {
    t.deepEqual(clipStarts(length, { numFrames: 4, stride: 2, clips }), expected);
  },
});

test(starts, 1, 'all', [0]);
test(starts, 6, 'all', [0]);
test(starts, 7, 'all', [0]);
test(starts, 13, 'all', [0]);
test(starts, 14, 'all', [0, 7]);
test(starts, 27, 'all', [0, 7, 14]);
test(starts, 27, 1, [10]);
test(starts, 28, 1, [10]);
test(starts, 27, 2, [0, 20]);
test(starts, 27, 3, [0, 10, 20]);
test(starts, 27, 4, [0, 6, 13, 20]);
test(starts, 8, 4, [0, 0, 0, 1]);
test(starts, 5, 3, [0, 0, 0]);
test(starts, 5, 1, [0]);

test('a start needs a video and at least one clip', (t) => {
  const clip = { numFrames: 4, stride: 2 };
  t.throws(() => clipStarts(0, { ...clip, clips: 'all' }), { instanceOf: RangeError });
  t.throws(() => clipStarts(9, { ...clip, clips: 0 }), { instanceOf: RangeError });
});

for (const { start, length, shortVideo, expected } of [
  { start: 0, length: 7, shortVideo: 'error', expected: [0, 2, 4, 6] },
  { start: 3, length: 10, shortVideo: 'error', expected: [3, 5, 7, 9] },
  { start: 0, length: 7, shortVideo: 'loop', expected: [0, 2, 4, 6] },
  { start: 0, length: 7, shortVideo: 'repeat-last', expected: [0, 2, 4, 6] },
  { start: 0, length: 6, shortVideo: 'repeat-last', expected: [0, 2, 4, 4] },
  { start: 4, length: 5, shortVideo: 'repeat-last', expected: [4, 4, 4, 4] },
  { start: 0, length: 1, shortVideo: 'repeat-last', expected: [0, 0, 0, 0] },
  { start: 0, length: 5, shortVideo: 'loop', expected: [0, 2, 4, 1] },
  { start: 2, length: 5, shortVideo: 'loop', expected: [2, 4, 1, 3] },
  { start: 0, length: 1, shortVideo: 'loop', expected: [0, 0, 0, 0] },
] as const) {
  test(`frames from ${start} of ${length}, ${shortVideo}`, (t) => {
    const frames = clipFrames(start, length, { numFrames: 4, stride: 2, shortVideo });
    t.deepEqual(frames, [...expected]);
  });
}

test('a short video can be refused', (t) => {
  const options = { numFrames: 4, stride: 2, shortVideo: 'error' } as const;
  const error = t.throws(() => clipFrames(0, 6, options), { instanceOf: TubeletError });
  t.is(error.code, 'TUBE_VIDEO_TOO_SHORT');
  t.deepEqual(error.details, { frames: 6, start: 0, span: 7 });
});

test('an unknown policy is refused even where it would not be needed', (t) => {
  const options = { numFrames: 4, stride: 2, shortVideo: 'pad' as ShortVideoPolicy };
  t.throws(() => clipFrames(0, 100, options), {
    instanceOf: RangeError,
    message: /repeat-last, loop, error/,
  });
});

test('the start lies in the video', (t) => {
  const options = { numFrames: 4, stride: 2, shortVideo: 'loop' } as const;
  t.throws(() => clipFrames(-1, 9, options), { instanceOf: RangeError });
  t.throws(() => clipFrames(9, 9, options), { instanceOf: RangeError });
});
