import test from 'ava';
import type { Rng } from '../../lib/core/index.ts';
import { createRng } from '../../lib/core/index.ts';
import {
  denseExactFrames,
  denseTestFrames,
  denseTrainFrames,
  pretrainFrames,
  uniformTestFrames,
  uniformTrainFrames,
} from '../../lib/sample/index.ts';
import { readGoldenJson } from '../helpers/safetensors.ts';

interface Draw {
  readonly low: number;
  readonly high: number;
  readonly value: number | readonly number[];
}

interface Row {
  readonly id: number;
  readonly mode: string;
  readonly num_frames: number;
  readonly clip_len: number;
  readonly rate: number;
  readonly num_segment: number;
  readonly new_length: number;
  readonly new_step: number;
  readonly segments: number;
  readonly draws?: readonly Draw[];
  readonly indices: number[] | number[][];
}

/** Gives back recorded draws and insists on the recorded bounds. */
function replay(draws: readonly Draw[]): Rng & { readonly left: () => number } {
  const queue = draws.flatMap(({ low, high, value }) =>
    [value].flat().map((one) => ({ low, high, one })),
  );
  return {
    uniform: () => Number.NaN,
    integer(low, high) {
      const draw = queue.shift();
      if (draw?.low !== low || draw.high !== high) throw new Error(`unexpected ${low}..${high}`);
      return draw.one;
    },
    left: () => queue.length,
  };
}

const CHOOSE: Record<string, (row: Row, rng: Rng) => number[] | number[][]> = {
  pretrain: (row, rng) =>
    pretrainFrames(row.num_frames, { numFrames: row.new_length, stride: row.new_step }, rng),
  dense_train: (row, rng) =>
    denseTrainFrames(row.num_frames, { numFrames: row.clip_len, stride: row.rate }, rng),
  dense_test: (row) =>
    denseTestFrames(row.num_frames, {
      numFrames: row.clip_len,
      stride: row.rate,
      numViews: row.segments,
    }),
  uniform_train: (row, rng) => uniformTrainFrames(row.num_frames, row.num_segment, rng),
  uniform_test: (row) => uniformTestFrames(row.num_frames, row.num_segment),
};

test('every row of golden g1 is met exactly', async (t) => {
  const { rows } = (await readGoldenJson('g1_frame_sampling.json')) as { rows: Row[] };
  t.is(rows.length, 319);
  const wrong = rows.filter((row) => {
    const rng = replay(row.draws ?? []);
    const frames = CHOOSE[row.mode]!(row, rng);
    return JSON.stringify(frames) !== JSON.stringify(row.indices) || rng.left() > 0;
  });
  t.deepEqual(wrong, []);
});

test('every temporal row of golden h1 is met exactly', async (t) => {
  const { temporal } = (await readGoldenJson('h1_multi_view_geometry.json')) as {
    temporal: (Row & { dataset: string; frames_mod_256: number[][] })[];
  };
  t.is(temporal.length, 9);
  for (const row of temporal) {
    const views = CHOOSE[row.dataset === 'dense' ? 'dense_test' : 'uniform_test']!(
      row,
      replay([]),
    ) as number[][];
    t.deepEqual(
      views.map((view) => view.map((frame) => frame % 256)),
      row.frames_mod_256,
    );
  }
});

test('exact dense frames keep the stride and use every start that fits', (t) => {
  const options = { numFrames: 4, stride: 3 };
  const starts = new Set<number>();
  for (let draw = 0; draw < 200; draw++) {
    const frames = denseExactFrames(14, options, createRng(draw, 'test'));
    const start = frames[0]!;
    t.deepEqual(frames, [start, start + 3, start + 6, start + 9]);
    starts.add(start);
  }
  t.deepEqual(
    [...starts].toSorted((a, b) => a - b),
    [0, 1, 2, 3, 4],
  );
  t.deepEqual(denseExactFrames(10, options, replay([{ low: 0, high: 1, value: 0 }])), [0, 3, 6, 9]);
  t.deepEqual(denseExactFrames(7, options, replay([])), [0, 3, 6, 6]);
});

test('one test view is in the middle', (t) => {
  const options = { numFrames: 2, stride: 2, numViews: 1 };
  t.deepEqual(denseTestFrames(12, options), [[4, 6]]);
  t.deepEqual(denseTestFrames(1, options), [[0, 0]]);
});

test('a clip of one frame', (t) => {
  const options = { numFrames: 1, stride: 4 };
  t.deepEqual(denseTrainFrames(10, options, replay([{ low: 4, high: 10, value: 7 }])), [3]);
  t.deepEqual(denseTrainFrames(4, options, replay([])), [0]);
  t.deepEqual(pretrainFrames(10, options, replay([{ low: 0, high: 7, value: 6 }])), [6]);
});

test('numbers that make no sense are refused', (t) => {
  const rng = replay([]);
  const clip = { numFrames: 4, stride: 2 };
  t.throws(() => pretrainFrames(0, clip, rng), { instanceOf: RangeError });
  t.throws(() => denseTrainFrames(9, { numFrames: 0, stride: 2 }, rng), { instanceOf: RangeError });
  t.throws(() => denseExactFrames(9, { numFrames: 4, stride: 0.5 }, rng), {
    instanceOf: RangeError,
  });
  t.throws(() => denseTestFrames(9, { ...clip, numViews: 0 }), { instanceOf: RangeError });
  t.throws(() => uniformTrainFrames(9, 0, rng), { instanceOf: RangeError });
  t.throws(() => uniformTestFrames(-1, 4), { instanceOf: RangeError });
});
