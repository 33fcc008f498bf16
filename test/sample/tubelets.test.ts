import test from 'ava';
import { createRng } from '../../lib/core/index.ts';
import { cutTubelets, joinTubelets, tokenShape } from '../../lib/sample/index.ts';
import type { ClipShape, TubeletShape } from '../../lib/sample/index.ts';
import { readGoldenTensor } from '../helpers/safetensors.ts';

/** Flat index into `[C, T, H, W]` of each byte of a `[T, H, W, C]` clip. */
function channelFirstIndices([numFrames, height, width]: ClipShape): Int32Array {
  const plane = numFrames * height * width;
  return Int32Array.from({ length: plane * 3 }, (_, i) => (i % 3) * plane + Math.floor(i / 3));
}

for (const { name, shape, tubelet, numClips } of [
  { name: 'a1_cubes', shape: [8, 32, 32, 3], tubelet: [2, 16, 16], numClips: 2 },
  { name: 'a2_cubes_patch8', shape: [4, 24, 24, 3], tubelet: [2, 8, 8], numClips: 1 },
] as const) {
  test(`golden ${name}: tokens are those of the reference`, async (t) => {
    const source = await readGoldenTensor(`${name}.safetensors`, 'clip_u8');
    const golden = await readGoldenTensor(`${name}.safetensors`, 'cubes_raw');
    const indices = channelFirstIndices(shape);
    const [numTokens, tokenBytes] = tokenShape(shape, tubelet);
    t.deepEqual(golden.shape, [numClips, numTokens, tokenBytes]);
    for (let b = 0; b < numClips; b++) {
      const clip = Uint8Array.from(indices, (i) => source.data[b * indices.length + i]!);
      const tokens = cutTubelets(clip, shape, tubelet);
      const expected = golden.data.subarray(b * tokens.length, (b + 1) * tokens.length);
      t.true(tokens.every((value, i) => Math.abs(value / 255 - expected[i]!) <= 2e-6));
      t.deepEqual(joinTubelets(tokens, shape, tubelet), clip);
    }
  });
}

test('golden a3: every voxel goes where the reference puts it', async (t) => {
  const { data, shape } = await readGoldenTensor('a3_index_probe.safetensors', 'target_order');
  const clipShape = [4, 32, 32, 3] as const;
  const indices = channelFirstIndices(clipShape);
  t.deepEqual(shape, [...tokenShape(clipShape, [2, 16, 16])]);
  for (const shift of [0, 8]) {
    const bytes = Uint8Array.from(indices, (index) => (index >> shift) & 255);
    const expected = Uint8Array.from(data, (index) => (index >> shift) & 255);
    t.deepEqual(cutTubelets(bytes, clipShape, [2, 16, 16]), expected);
  }
});

test('property: joining undoes cutting, and a window equals a crop', (t) => {
  const rng = createRng(7, 'tubelets');
  for (let round = 0; round < 60; round++) {
    const tubelet: TubeletShape = [rng.integer(1, 4), ...square(rng.integer(1, 20))];
    const shape: ClipShape = [
      tubelet[0] * rng.integer(1, 4),
      tubelet[1] * rng.integer(1, 4),
      tubelet[2] * rng.integer(1, 4),
      3,
    ];
    const [numFrames, height, width] = shape;
    const window = {
      frameWidth: width + rng.integer(0, 6),
      frameHeight: height + rng.integer(0, 6),
      left: 0,
      top: 0,
    };
    window.left = rng.integer(0, window.frameWidth - width + 1);
    window.top = rng.integer(0, window.frameHeight - height + 1);
    const frameBytes = window.frameWidth * window.frameHeight * 3;
    const frames = Uint8Array.from({ length: numFrames * frameBytes }, () => rng.integer(0, 256));
    const clip = Uint8Array.from({ length: numFrames * height * width * 3 }, (_, i) => {
      const column = i % (width * 3);
      const row = Math.floor(i / (width * 3)) % height;
      const frame = Math.floor(i / (width * 3 * height));
      const line = window.top + row;
      return frames[frame * frameBytes + (line * window.frameWidth + window.left) * 3 + column]!;
    });
    const tokens = cutTubelets(clip, shape, tubelet);
    t.deepEqual(joinTubelets(tokens, shape, tubelet), clip);
    t.deepEqual(cutTubelets(frames, shape, tubelet, { window }), tokens);
  }
});

test('buffers may be views, and the given one is filled', (t) => {
  const shape: ClipShape = [2, 4, 4, 3];
  const memory = Uint8Array.from({ length: 300 }, (_, i) => i % 251);
  const clip = memory.subarray(1, 97);
  const expected = cutTubelets(clip.slice(), shape, [1, 2, 2]);
  const out = new Uint8Array(200).fill(9).subarray(3, 99);
  t.is(cutTubelets(clip, shape, [1, 2, 2], { out }), out);
  t.deepEqual(out.slice(), expected);
  t.deepEqual([...new Uint8Array(out.buffer, 0, 3), new Uint8Array(out.buffer)[99]], [9, 9, 9, 9]);
  const back = new Uint8Array(96);
  t.is(joinTubelets(out, shape, [1, 2, 2], back), back);
  t.deepEqual(back, clip.slice());
});

test('shapes that do not fit are refused', (t) => {
  const clip = new Uint8Array(2 * 4 * 6 * 3);
  const range = { instanceOf: RangeError };
  const cut = (shape: readonly number[], tubelet: readonly number[], options = {}) =>
    cutTubelets(clip, shape as unknown as ClipShape, tubelet as unknown as TubeletShape, options);
  t.is(cut([2, 4, 6, 3], [2, 2, 2]).length, clip.length);
  for (const shape of [
    [2, 4, 6, 4],
    [2, 4, 6],
    [3, 4, 6, 3],
    [2, 4, 5, 3],
    [0, 4, 6, 3],
  ]) {
    t.throws(() => cut(shape, [2, 2, 2]), range);
  }
  for (const tubelet of [
    [2, 2, 3],
    [3, 2, 2],
    [2, 4, 4],
    [0, 2, 2],
    [2, 0, 0],
    [1, 0.5, 0.5],
  ]) {
    t.throws(() => cut([2, 4, 6, 3], tubelet), range);
  }
  t.throws(() => cut([2, 4, 4, 3], [2, 2, 2]), range);
  t.throws(() => cut([2, 4, 6, 3], [2, 2, 2], { out: new Uint8Array(9) }), range);
  for (const [frameWidth, frameHeight, left, top] of [
    [6, 4, 1, 0],
    [6, 4, 0, 1],
    [6, 4, -1, 0],
    [5, 4, 0, 0],
    [7, 4, 0, 0],
  ]) {
    const window = { frameWidth, frameHeight, left, top };
    t.throws(() => cut([2, 4, 6, 3], [2, 2, 2], { window }), range);
  }
  t.throws(() => joinTubelets(clip, [2, 4, 4, 3], [2, 2, 2]), range);
  t.throws(() => joinTubelets(clip, [2, 4, 6, 3], [2, 2, 2], new Uint8Array(9)), range);
});

function square(side: number): [number, number] {
  return [side, side];
}
