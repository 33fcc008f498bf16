import test from 'ava';
import { createRng } from '../../lib/core/index.ts';
import { applyRandAugment, parseRandAugment, planRandAugment } from '../../lib/sample/index.ts';
import type { AugmentOperation, ClipShape } from '../../lib/sample/index.ts';
import { largestDifference, randomClip, randomShape } from '../helpers/random-clip.ts';
import { readGoldenJson, readGoldenTensor } from '../helpers/safetensors.ts';
import { scriptRng } from '../helpers/scripted-rng.ts';

interface Row {
  readonly tensor: string;
  readonly op: string;
  readonly magnitude: number;
  readonly sign: 1 | -1 | null;
  readonly argument?: [number];
}

const FILE = 'k1_randaugment_ops.safetensors';
const SHAPE: ClipShape = [1, 20, 28, 3];

/** The golden names carry the name of the variant. */
const nameOf = ({ op }: Row): AugmentOperation =>
  op.replace(/(Increasing|Rel)$/, '') as AugmentOperation;

async function readGolden(): Promise<{ rows: Row[]; order: string[]; image: Uint8Array }> {
  const json = (await readGoldenJson('k1_randaugment_ops.json')) as {
    rows: Row[];
    order: string[];
  };
  return { ...json, image: (await readGoldenTensor(FILE, 'image')).data as Uint8Array };
}

test('golden k1: every operation gives the pixels of the reference', async (t) => {
  const { rows, image } = await readGolden();
  t.is(rows.length, 66);
  for (const row of rows) {
    const golden = (await readGoldenTensor(FILE, row.tensor)).data;
    const step = { operation: nameOf(row), argument: row.argument?.[0] ?? 0 };
    const found = applyRandAugment(image, SHAPE, [step]);
    const numDifferent = found.filter((value, i) => value !== golden[i]).length;
    t.true(largestDifference(found, golden) <= 1, row.tensor);
    t.true(numDifferent <= 0.005 * golden.length, `${row.tensor}: ${numDifferent} differ`);
  }
});

test('golden k1: a magnitude and a sign give the argument of the reference', async (t) => {
  const { rows, order } = await readGolden();
  for (const row of rows) {
    const choice = (order.indexOf(row.op) + 0.5) / 15;
    const rng = scriptRng([choice, 0, ...(row.sign === null ? [] : [row.sign === 1 ? 0.4 : 0.6])]);
    const config = { numOperations: 1, magnitude: row.magnitude, magnitudeStd: 0 };
    const [step] = planRandAugment(config, rng);
    t.is(step?.operation, nameOf(row));
    t.true(Math.abs(step!.argument - (row.argument?.[0] ?? 0)) < 1e-12, row.tensor);
    t.is(rng.left(), 0);
  }
});

test('a configuration is read strictly', (t) => {
  const expected = { numOperations: 4, magnitude: 7, magnitudeStd: 0.5 };
  t.deepEqual(parseRandAugment('rand-m7-n4-mstd0.5-inc1'), expected);
  t.deepEqual(parseRandAugment('rand-n4-inc1-mstd0.5-m7'), expected);
  t.is(parseRandAugment('rand-m7-n4-inc1').magnitudeStd, 0);
  for (const text of [
    '',
    'rand',
    'rand-m7-n4-mstd0.5',
    'rand-m7-n4-mstd0.5-inc0',
    'rand-m7-mstd0.5-inc1',
    'rand-n4-mstd0.5-inc1',
    'rand-m7-m8-n4-inc1',
    'rand-m11-n4-inc1',
    'rand-m7-n0-inc1',
    'rand-m7-n2.5-inc1',
    'rand-m7-n4-inc1-',
    'rand-m7-n4-inc1-w0',
    'augmix-m7-n4-inc1',
    'rand-m-7-n4-inc1',
  ]) {
    t.throws(() => parseRandAugment(text), { instanceOf: RangeError }, text);
  }
});

test('plans: half of the operations are kept, all come, magnitudes spread around the mean', (t) => {
  const rng = createRng(11, 'plans');
  const config = parseRandAugment('rand-m7-n4-mstd0.5-inc1');
  const plans = Array.from({ length: 4000 }, () => planRandAugment(config, rng));
  const steps = plans.flat();
  t.true(Math.abs(steps.length / 16_000 - 0.5) < 0.016); // four standard errors
  t.is(new Set(steps.map(({ operation }) => operation)).size, 15);
  const angles = steps.filter((s) => s.operation === 'Rotate').map((s) => s.argument / 3);
  const mean = angles.reduce((sum, angle) => sum + Math.abs(angle), 0) / angles.length;
  const square = angles.reduce((sum, angle) => sum + (Math.abs(angle) - mean) ** 2, 0);
  t.true(Math.abs(mean - 7) < 0.09);
  t.true(Math.abs(Math.sqrt(square / angles.length) - 0.5) < 0.07);
  const positive = angles.filter((angle) => angle > 0).length / angles.length;
  t.true(Math.abs(positive - 0.5) < 0.09);
  t.deepEqual(
    planRandAugment(config, createRng(1, 'same')),
    planRandAugment(config, createRng(1, 'same')),
  );
});

test('property: a clip is treated frame by frame, in place or not', (t) => {
  const rng = createRng(12, 'clips');
  const config = { numOperations: 8, magnitude: 6, magnitudeStd: 2 };
  for (let round = 0; round < 60; round++) {
    const shape = randomShape(rng);
    const [numFrames, height, width] = shape;
    const clip = randomClip(shape, rng);
    const before = clip.slice();
    const plan = planRandAugment(config, rng);
    const found = applyRandAugment(clip, shape, plan);
    t.deepEqual(clip, before);
    const frameBytes = height * width * 3;
    for (let at = 0; at < numFrames * frameBytes; at += frameBytes) {
      const frame = clip.slice(at, at + frameBytes);
      t.deepEqual(
        applyRandAugment(frame, [1, height, width, 3], plan),
        found.slice(at, at + frameBytes),
      );
    }
    t.is(applyRandAugment(clip, shape, plan, clip), clip);
    t.deepEqual(clip, found);
  }
});

test('operations at rest change nothing', (t) => {
  const rng = createRng(13, 'rest');
  const shape: ClipShape = [2, 9, 13, 3];
  const clip = randomClip(shape, rng);
  for (const [operation, argument] of [
    ['Rotate', 0],
    ['Posterize', 8],
    ['Solarize', 256],
    ['SolarizeAdd', 0],
    ['Color', 1],
    ['Contrast', 1],
    ['Brightness', 1],
    ['Sharpness', 1],
    ['ShearX', 0],
    ['ShearY', 0],
    ['TranslateX', 0],
    ['TranslateY', 0],
  ] as const) {
    t.deepEqual(applyRandAugment(clip, shape, [{ operation, argument }]), clip, operation);
  }
  const twice = { operation: 'Invert', argument: 0 } as const;
  t.deepEqual(applyRandAugment(clip, shape, [twice, twice]), clip);
});

test('a plain grey stays grey under any warp, with no level lost', (t) => {
  const shape: ClipShape = [1, 17, 23, 3];
  const clip = new Uint8Array(17 * 23 * 3).fill(128);
  for (let degrees = -30; degrees <= 30; degrees += 1.7) {
    const step = { operation: 'Rotate', argument: degrees } as const;
    t.deepEqual(applyRandAugment(clip, shape, [step]), clip);
  }
});

test('wrong arguments are refused', (t) => {
  const range = { instanceOf: RangeError };
  const rng = createRng(0, 'wrong');
  t.throws(() => applyRandAugment(new Uint8Array(11), [1, 2, 2, 3], []), range);
  t.throws(() => applyRandAugment(new Uint8Array(12), [1, 2, 2, 3], [], new Uint8Array(9)), range);
  const config = { numOperations: 4, magnitude: 7, magnitudeStd: 0.5 };
  t.throws(() => planRandAugment({ ...config, numOperations: 0 }, rng), range);
  t.throws(() => planRandAugment({ ...config, magnitude: 10.5 }, rng), range);
  t.throws(() => planRandAugment({ ...config, magnitudeStd: -1 }, rng), range);
});
