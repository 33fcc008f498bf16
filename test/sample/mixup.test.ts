import test from 'ava';
import { createRng } from '../../lib/core/index.ts';
import { drawMix, mixBatch, placeCutmix, softTargets } from '../../lib/sample/index.ts';
import type { ClipShape, Mix } from '../../lib/sample/index.ts';
import { drawBeta } from '../../lib/sample/distributions.ts';
import { channelsLast, largestDifference } from '../helpers/random-clip.ts';
import { readGoldenJson, readGoldenTensor } from '../helpers/safetensors.ts';
import { scriptRng } from '../helpers/scripted-rng.ts';

interface TargetRow {
  readonly tensor: string;
  readonly labels: number[];
  readonly classes: number;
  readonly smoothing: number;
  readonly lambda: number;
}

interface BoxRow {
  readonly height: number;
  readonly width: number;
  readonly lambda: number;
  readonly cy: number;
  readonly cx: number;
  readonly yl: number;
  readonly yh: number;
  readonly xl: number;
  readonly xh: number;
  readonly lambda_corrected: number;
}

interface BatchRow {
  readonly index: number;
  readonly labels: number[];
  readonly classes: number;
  readonly smoothing: number;
  readonly draws: { rand: [number, number]; beta: number; randint: [number, number] };
}

interface Golden {
  readonly targets: TargetRow[];
  readonly boxes: BoxRow[];
  readonly batches: BatchRow[];
}

const FILE = 'h4_mixup_cutmix.safetensors';
const readJson = async (): Promise<Golden> =>
  (await readGoldenJson('h4_mixup_cutmix.json')) as Golden;
const readTensor = async (name: string): Promise<Float32Array> =>
  (await readGoldenTensor(FILE, name)).data as Float32Array;
/** Uniform draws that make the given pixel the centre of the box. */
const center = (cy: number, cx: number, [height, width]: [number, number]): number[] => [
  (cy + 0.5) / height,
  (cx + 0.5) / width,
];

test('golden h4: soft targets', async (t) => {
  const { targets } = await readJson();
  t.is(targets.length, 4);
  for (const { tensor, labels, classes: numClasses, smoothing, lambda } of targets) {
    const found = softTargets(labels, { numClasses, smoothing, lambda });
    t.true(largestDifference(found, await readTensor(tensor)) <= 1e-7);
  }
});

test('golden h4: boxes are met exactly', async (t) => {
  const { boxes } = await readJson();
  t.is(boxes.length, 6);
  for (const row of boxes) {
    const rng = scriptRng(center(row.cy, row.cx, [row.height, row.width]));
    const width = row.xh - row.xl;
    const box = { left: row.xl, top: row.yl, width, height: row.yh - row.yl };
    const mix = placeCutmix(row, row.lambda, rng);
    t.deepEqual(mix, { kind: 'cutmix', lambda: row.lambda_corrected, box });
  }
});

test('golden h4: mixed batches', async (t) => {
  const { batches } = await readJson();
  t.is(batches.length, 2);
  for (const { index, draws, labels, classes: numClasses, smoothing } of batches) {
    const rng = scriptRng(center(...draws.randint, [8, 8]));
    const isCutmix = draws.rand[1] < 0.5;
    const mix: Mix = isCutmix
      ? placeCutmix({ width: 8, height: 8 }, draws.beta, rng)
      : { kind: 'mixup', lambda: draws.beta };
    const batch = channelsLast(await readTensor(`x_${index}`), 4);
    mixBatch(batch, [2, 8, 8, 3], mix);
    t.true(largestDifference(batch, channelsLast(await readTensor(`y_${index}`), 4)) <= 1e-6);
    const found = softTargets(labels, { numClasses, smoothing, lambda: mix.lambda });
    t.true(largestDifference(found, await readTensor(`t_${index}`)) <= 1e-6);
  }
});

test('property: soft targets sum to 1, and boxes lie inside', (t) => {
  const rng = createRng(8, 'mix');
  for (let round = 0; round < 2000; round++) {
    const frame = { width: rng.integer(1, 300), height: rng.integer(1, 300) };
    const mix = drawMix(frame, rng)!;
    t.true(mix.lambda >= 0 && mix.lambda <= 1);
    if (mix.kind === 'cutmix') {
      const { left, top, width, height } = mix.box;
      t.true(left >= 0 && top >= 0 && width >= 0 && height >= 0);
      t.true(left + width <= frame.width && top + height <= frame.height);
    }
    const numClasses = rng.integer(1, 30);
    const labels = Array.from({ length: rng.integer(1, 5) }, () => rng.integer(0, numClasses));
    const targets = softTargets(labels, { numClasses, smoothing: 0.1, lambda: mix.lambda });
    for (let row = 0; row < labels.length; row++) {
      const slice = targets.subarray(row * numClasses, (row + 1) * numClasses);
      t.true(Math.abs(slice.reduce((sum, value) => sum + value, 0) - 1) < 1e-5);
    }
  }
});

test('kinds and probabilities are drawn as asked', (t) => {
  const frame = { width: 20, height: 10 };
  const options = { mixupAlpha: 0.8, cutmixAlpha: 1, probability: 0.6, switchProbability: 0.3 };
  const draw = (): (Mix | undefined)[] => {
    const rng = createRng(9, 'mix');
    return Array.from({ length: 6000 }, () => drawMix(frame, rng, options));
  };
  const drawn = draw();
  t.deepEqual(draw(), drawn);
  const mixed = drawn.filter((mix) => mix !== undefined);
  t.true(Math.abs(mixed.length / 6000 - 0.6) < 0.026); // four standard errors
  const numCutmix = mixed.filter(({ kind }) => kind === 'cutmix').length;
  t.true(Math.abs(numCutmix / mixed.length - 0.3) < 0.031);
  const rng = createRng(1, 'one kind');
  for (let round = 0; round < 20; round++) {
    t.is(drawMix(frame, rng, { ...options, probability: 1, cutmixAlpha: 0 })?.kind, 'mixup');
    t.is(drawMix(frame, rng, { ...options, probability: 1, mixupAlpha: 0 })?.kind, 'cutmix');
    t.is(drawMix(frame, rng, { ...options, probability: 0 }), undefined);
  }
});

for (const alpha of [0.05, 0.8, 1, 3]) {
  test(`beta draws of ${alpha} have the right mean, variance and ends`, (t) => {
    const rng = createRng(10, 'beta', alpha);
    const draws = Array.from({ length: 20_000 }, () => drawBeta(alpha, rng));
    t.true(draws.every((value) => value >= 0 && value <= 1));
    const mean = draws.reduce((sum, value) => sum + value, 0) / draws.length;
    const variance = draws.reduce((sum, value) => sum + (value - mean) ** 2, 0) / draws.length;
    t.true(Math.abs(mean - 0.5) < 0.015);
    t.true(Math.abs(variance * 4 * (2 * alpha + 1) - 1) < 0.05);
    if (alpha === 1) {
      const sorted = draws.toSorted((a, b) => a - b);
      const gap = sorted.map((value, i) => Math.abs(value - (i + 0.5) / sorted.length));
      t.true(Math.max(...gap) < 0.0138); // Kolmogorov-Smirnov at 0.001
    }
  });
}

test('mixing with lambda 1 or an empty box changes nothing; a full box swaps partners', (t) => {
  const shape: ClipShape = [1, 2, 3, 3];
  const batch = Float32Array.from({ length: 36 }, (_, i) => i);
  const before = batch.slice();
  mixBatch(batch, shape, { kind: 'mixup', lambda: 1 });
  const empty = { left: 3, top: 0, width: 0, height: 0 };
  mixBatch(batch, shape, { kind: 'cutmix', lambda: 1, box: empty });
  t.deepEqual(batch, before);
  const full = { left: 0, top: 0, width: 3, height: 2 };
  mixBatch(batch, shape, { kind: 'cutmix', lambda: 0, box: full });
  t.deepEqual(
    batch,
    Float32Array.from({ length: 36 }, (_, i) => (i + 18) % 36),
  );
});

test('the middle clip of an odd number is its own partner', (t) => {
  const batch = Float32Array.from({ length: 36 }, (_, i) => i);
  mixBatch(batch, [1, 2, 2, 3], { kind: 'mixup', lambda: 0.25 });
  const mixed = Array.from({ length: 36 }, (_, i) => i + [18, 0, -18][Math.floor(i / 12)]!);
  t.deepEqual([...batch], mixed);
});

test('wrong arguments are refused', (t) => {
  const range = { instanceOf: RangeError };
  const rng = createRng(0, 'wrong');
  const frame = { width: 4, height: 4 };
  const options = { mixupAlpha: 1, cutmixAlpha: 1, probability: 1, switchProbability: 0.5 };
  t.throws(() => drawMix(frame, rng, { ...options, mixupAlpha: 0, cutmixAlpha: 0 }), range);
  t.throws(() => drawMix(frame, rng, { ...options, mixupAlpha: -1 }), range);
  t.throws(() => drawMix(frame, rng, { ...options, probability: 1.5 }), range);
  t.throws(() => placeCutmix(frame, 1.1, rng), range);
  t.throws(() => placeCutmix({ width: 0, height: 4 }, 0.5, rng), range);
  t.throws(() => drawBeta(0, rng), range);
  const mixup = { kind: 'mixup', lambda: 0.5 } as const;
  t.throws(() => mixBatch(new Float32Array(30), [1, 2, 2, 3], mixup), range);
  t.throws(() => mixBatch(new Float32Array(24), [1, 2, 2, 3], { ...mixup, lambda: 2 }), range);
  const box = { left: 1, top: 0, width: 2, height: 1 };
  const cutmix = { kind: 'cutmix', lambda: 0.5, box } as const;
  t.throws(() => mixBatch(new Float32Array(24), [1, 2, 2, 3], cutmix), range);
  t.throws(() => softTargets([3], { numClasses: 3, smoothing: 0.1 }), range);
  t.throws(() => softTargets([0], { numClasses: 3, smoothing: 1.1 }), range);
  t.throws(() => softTargets([0], { numClasses: 3, smoothing: 0, lambda: -0.1 }), range);
});
