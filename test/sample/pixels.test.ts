import test from 'ava';
import { createRng } from '../../lib/core/index.ts';
import {
  IMAGENET_COLOURS,
  cutTubelets,
  eraseBox,
  flipClip,
  makeTargets,
  normalisePixels,
} from '../../lib/sample/index.ts';
import type { ClipShape, TubeletShape } from '../../lib/sample/index.ts';
import { plainPixels, plainTarget } from '../helpers/plain-normalise.ts';
import {
  channelsLast,
  largestDifference,
  randomClip,
  randomShape,
} from '../helpers/random-clip.ts';
import { readGoldenTensor } from '../helpers/safetensors.ts';

for (const { source, golden, shape, tubelet, atol } of [
  {
    source: 'a1_cubes',
    golden: 'a1_targets',
    shape: [8, 32, 32, 3],
    tubelet: [2, 16, 16],
    atol: 2e-5,
  },
  {
    source: 'a2_cubes_patch8',
    golden: 'a2_targets',
    shape: [4, 24, 24, 3],
    tubelet: [2, 8, 8],
    atol: 2e-5,
  },
] as const) {
  test(`golden ${golden}: normalised targets are those of the reference`, async (t) => {
    const { data } = await readGoldenTensor(`${source}.safetensors`, 'clip_u8');
    const expected = await readGoldenTensor(`${golden}.safetensors`, 'cubes_normalised');
    const clip = channelsLast(
      data.slice(
        0,
        shape.reduce((a, b) => a * b, 1),
      ) as Uint8Array,
      1,
    );
    const tokens = cutTubelets(clip, shape, tubelet);
    const tokenBytes = tubelet[0] * tubelet[1] * tubelet[2] * 3;
    t.true(largestDifference(makeTargets(tokens, { tokenBytes }), expected.data) <= atol);
  });
}

test('golden a2: pixels are normalised as in the reference', async (t) => {
  const { data } = await readGoldenTensor('a2_cubes_patch8.safetensors', 'clip_u8');
  const golden = await readGoldenTensor('a2_targets.safetensors', 'input');
  const found = normalisePixels(channelsLast(data as Uint8Array, 1));
  t.true(largestDifference(found, channelsLast(golden.data as Float32Array, 1)) <= 1e-6);
});

test('golden a4: a cube of one colour is 0, one that is off by one is far from it', async (t) => {
  const { data } = await readGoldenTensor('a4_constant_cubes.safetensors', 'clip_u8');
  const golden = await readGoldenTensor('a4_constant_cubes.safetensors', 'cubes_normalised_f64');
  const clip = channelsLast(data as Uint8Array, 1);
  const tokens = cutTubelets(clip, [2, 16, 32, 3], [2, 16, 16]);
  const targets = makeTargets(tokens, { tokenBytes: 1536 });
  t.true(targets.subarray(0, 1536).every((value) => value === 0));
  t.true(largestDifference(targets.subarray(1536), golden.data.subarray(1536)) <= 2e-2);
});

test('targets of chosen tokens, and plain ones', (t) => {
  const shape: ClipShape = [2, 8, 8, 3];
  const tubelet: TubeletShape = [2, 4, 4];
  const tokens = cutTubelets(randomClip(shape, createRng(1, 'targets')), shape, tubelet);
  const all = makeTargets(tokens, { tokenBytes: 96 });
  const some = makeTargets(tokens, { tokenBytes: 96, tokens: Int32Array.of(3, 1) });
  t.deepEqual(some, Float32Array.of(...all.subarray(288, 384), ...all.subarray(96, 192)));
  const plain = makeTargets(tokens, { tokenBytes: 96, isNormalised: false });
  t.deepEqual(
    plain,
    Float32Array.from(tokens, (value) => value / 255),
  );
  t.deepEqual(makeTargets(tokens, { tokenBytes: 96, tokens: [] }), new Float32Array(0));
  const out = new Float32Array(all.length);
  t.is(makeTargets(tokens, { tokenBytes: 96, out }), out);
  t.deepEqual(out, all);
});

function hasSameBits(a: Float32Array, b: Float32Array): boolean {
  return a.length === b.length && a.every((value, i) => Object.is(value, b[i]));
}

/** Lengths around those that the loops take at a time, 12 values and 12,288. */
const LENGTHS = [0, 3, 9, 12, 15, 24, 27, 1536, 12_285, 12_288, 12_291, 30_000] as const;

test('pixels of any number are normalised to the bit, and nothing else is written', (t) => {
  const rng = createRng(3, 'lines');
  const other = { mean: [0.1, 0.9, 0.5], std: [1, 0.01, 3] } as const;
  for (const length of LENGTHS) {
    for (const colours of [IMAGENET_COLOURS, other]) {
      const pixels = Uint8Array.from({ length }, () => rng.integer(0, 256));
      const around = new Float32Array(new SharedArrayBuffer((length + 20) * 4)).fill(7);
      const out = around.subarray(10, 10 + length);
      t.is(normalisePixels(pixels, colours, out), out);
      t.true(hasSameBits(out, plainPixels(pixels, colours)), String(length));
      t.true([...around.subarray(0, 10), ...around.subarray(-10)].every((value) => value === 7));
    }
  }
});

test('targets of tokens of any length are normalised to the bit, and nothing else is written', (t) => {
  const rng = createRng(4, 'targets');
  for (const tokenBytes of [6, 9, 12, 15, 96, 384, 1176, 1536, 12_291, 196_608]) {
    const numTokens = Math.max(1, Math.floor(30_000 / tokenBytes));
    const tokens = Uint8Array.from({ length: numTokens * tokenBytes }, (_, i) =>
      i % 5 === 0 ? 255 : rng.integer(0, 256),
    );
    tokens.fill(255, 0, tokenBytes); // the largest sums
    const chosen = Array.from({ length: numTokens + 3 }, () => rng.integer(0, numTokens));
    chosen[0] = 0;
    const around = new Float32Array(chosen.length * tokenBytes + 20).fill(7);
    const out = around.subarray(10, -10);
    makeTargets(tokens, { tokenBytes, tokens: chosen, out });
    for (const [place, token] of chosen.entries()) {
      const [from, to] = [token * tokenBytes, place * tokenBytes];
      const target = plainTarget(tokens.subarray(from, from + tokenBytes));
      t.true(hasSameBits(out.subarray(to, to + tokenBytes), target), `${token} of ${tokenBytes}`);
    }
    t.true([...around.subarray(0, 10), ...around.subarray(-10)].every((value) => value === 7));
  }
  const large = new Uint8Array(196_611);
  t.throws(() => makeTargets(large, { tokenBytes: 196_611 }), { instanceOf: RangeError });
});

test('property: flipping mirrors each row, and twice changes nothing', (t) => {
  const rng = createRng(2, 'flip');
  for (let round = 0; round < 60; round++) {
    const shape = randomShape(rng);
    const width = shape[2];
    const clip = randomClip(shape, rng);
    const flipped = flipClip(clip, shape);
    const expected = clip.map((_, i) => {
      const row = Math.floor(i / (width * 3));
      const x = Math.floor(i / 3) % width;
      return clip[(row * width + width - 1 - x) * 3 + (i % 3)]!;
    });
    t.deepEqual(flipped, expected);
    t.deepEqual(flipClip(flipped, shape), clip);
    const floats = Float32Array.from(clip);
    t.is(flipClip(floats, shape, floats), floats);
    t.deepEqual(floats, Float32Array.from(flipped));
  }
});

/** Whether a value of the erased clip belongs to its box. */
function isInside(i: number): boolean {
  const x = Math.floor(i / 3) % 50;
  const y = Math.floor(i / 150) % 40;
  return x >= 7 && x < 38 && y >= 5 && y < 35;
}

test('erasing fills its box in each frame with other noise, and nothing else', (t) => {
  const shape: ClipShape = [4, 40, 50, 3];
  const box = { left: 7, top: 5, width: 31, height: 30 };
  const erase = (): Float32Array => {
    const clip = new Float32Array(4 * 40 * 50 * 3).fill(9);
    eraseBox(clip, shape, box, createRng(4, 'noise'));
    return clip;
  };
  const clip = erase();
  t.true(clip.every((value, i) => isInside(i) === (value !== 9)));
  const noise = clip.filter((_, i) => isInside(i));
  t.is(noise.length, 4 * 31 * 30 * 3);
  const mean = noise.reduce((sum, value) => sum + value, 0) / noise.length;
  const variance = noise.reduce((sum, value) => sum + (value - mean) ** 2, 0) / noise.length;
  const fourth = noise.reduce((sum, value) => sum + (value - mean) ** 4, 0) / noise.length;
  t.true(Math.abs(mean) < 0.04 && Math.abs(variance - 1) < 0.06 && Math.abs(fourth - 3) < 0.4);
  t.is(new Set(noise).size > 0.99 * noise.length, true);
  t.deepEqual(erase(), clip);
});

test('wrong arguments are refused', (t) => {
  const range = { instanceOf: RangeError };
  const shape: ClipShape = [1, 2, 2, 3];
  const bytes = new Uint8Array(12);
  t.throws(() => flipClip(bytes.subarray(3), shape), range);
  t.throws(() => flipClip(bytes, shape, new Uint8Array(9)), range);
  t.throws(() => flipClip(bytes, [1, 2, 2, 4] as unknown as ClipShape), range);
  t.throws(() => normalisePixels(bytes.subarray(1)), range);
  t.throws(() => normalisePixels(bytes, { mean: [0, 0, 0], std: [0, 1, 1] }), range);
  t.throws(() => normalisePixels(bytes, undefined, new Float32Array(11)), range);
  t.throws(() => makeTargets(bytes, { tokenBytes: 5 }), range);
  t.throws(() => makeTargets(bytes, { tokenBytes: 3 }), range);
  t.throws(() => makeTargets(bytes, { tokenBytes: 9 }), range);
  t.throws(() => makeTargets(bytes, { tokenBytes: 6, tokens: [2] }), range);
  t.throws(() => makeTargets(bytes, { tokenBytes: 6, out: new Float32Array(6) }), range);
  const box = { left: 1, top: 0, width: 2, height: 1 };
  t.throws(() => eraseBox(new Float32Array(12), shape, box, createRng(0, 'x')), range);
});
