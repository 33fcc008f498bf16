import test from 'ava';
import { createRng } from '../../lib/core/index.ts';
import {
  IMAGENET_COLOURS,
  normalisePixels,
  resizeClip,
  resizeClipToFloat,
} from '../../lib/sample/index.ts';
import type { ClipShape, Crop } from '../../lib/sample/index.ts';
import { largestDifference, randomClip } from '../helpers/random-clip.ts';
import { readGoldenJson, readGoldenTensor } from '../helpers/safetensors.ts';

interface Row {
  readonly index: number;
  readonly from_h_w: [number, number];
  readonly to_h_w: [number, number];
}

async function readInput(index: number): Promise<Uint8Array> {
  return (await readGoldenTensor('k2_resize.safetensors', `in_${index}`)).data as Uint8Array;
}

test('golden k2: bytes are those of Pillow, floats those of PyTorch', async (t) => {
  const { rows } = (await readGoldenJson('k2_resize.json')) as { rows: Row[] };
  t.is(rows.length, 4);
  for (const { index, from_h_w: from, to_h_w: to } of rows) {
    const shape: ClipShape = [1, ...from, 3];
    const size = { width: to[1], height: to[0] };
    const image = await readInput(index);
    for (const filter of ['bilinear', 'bicubic'] as const) {
      const golden = await readGoldenTensor('k2_resize.safetensors', `pil_${filter}_${index}`);
      t.deepEqual(resizeClip(image, shape, { size, filter }), golden.data as Uint8Array);
    }
    const golden = await readGoldenTensor('k2_resize.safetensors', `torch_bilinear_${index}`);
    t.true(largestDifference(resizeClipToFloat(image, shape, { size }), golden.data) <= 1e-6);
  }
});

/** Cuts a crop out with plain loops. */
function cutOut(clip: Uint8Array, [numFrames, height, width]: ClipShape, crop: Crop): Uint8Array {
  return Uint8Array.from({ length: numFrames * crop.width * crop.height * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3);
    const x = crop.left + (pixel % crop.width);
    const row = Math.floor(pixel / crop.width);
    const y = crop.top + (row % crop.height);
    const frame = Math.floor(row / crop.height);
    return clip[((frame * height + y) * width + x) * 3 + (i % 3)]!;
  });
}

test('property: resizing a crop equals cropping first, frame by frame', (t) => {
  const rng = createRng(5, 'resize');
  for (let round = 0; round < 40; round++) {
    const shape: ClipShape = [rng.integer(1, 4), rng.integer(1, 40), rng.integer(1, 40), 3];
    const [numFrames, height, width] = shape;
    const left = rng.integer(0, width);
    const top = rng.integer(0, height);
    const crop = {
      left,
      top,
      width: rng.integer(1, width - left + 1),
      height: rng.integer(1, height - top + 1),
    };
    const size = { width: rng.integer(1, 30), height: rng.integer(1, 30) };
    const clip = randomClip(shape, rng);
    const cropped = cutOut(clip, shape, crop);
    const frameBytes = crop.width * crop.height * 3;
    const frames = Array.from({ length: numFrames }, (_, i) =>
      cropped.subarray(i * frameBytes, (i + 1) * frameBytes),
    );
    const frameShape: ClipShape = [1, crop.height, crop.width, 3];
    const bytes = resizeClip(clip, shape, { crop, size, filter: 'bicubic' });
    const floats = resizeClipToFloat(clip, shape, { crop, size });
    const outLength = size.width * size.height * 3;
    for (const [i, frame] of frames.entries()) {
      const [from, to] = [i * outLength, (i + 1) * outLength];
      const options = { size, filter: 'bicubic' } as const;
      t.deepEqual(bytes.slice(from, to), resizeClip(frame, frameShape, options));
      t.deepEqual(floats.slice(from, to), resizeClipToFloat(frame, frameShape, { size }));
    }
  }
});

test('the same size changes nothing, and one colour stays that colour', (t) => {
  const rng = createRng(6, 'resize');
  const shape: ClipShape = [2, 7, 9, 3];
  const clip = randomClip(shape, rng);
  const size = { width: 9, height: 7 };
  t.deepEqual(resizeClip(clip, shape, { size }), clip);
  t.deepEqual(resizeClip(clip, shape, { size, filter: 'bicubic' }), clip);
  const colours = IMAGENET_COLOURS;
  const floats = resizeClipToFloat(clip, shape, { size, colours });
  t.true(largestDifference(floats, normalisePixels(clip)) < 1e-6);
  const white = clip.slice().fill(255);
  for (const filter of ['bilinear', 'bicubic'] as const) {
    const small = resizeClip(white, shape, { size: { width: 4, height: 20 }, filter });
    t.true(small.every((value) => value === 255));
  }
});

test('a given buffer is filled, also one in the middle of another', (t) => {
  const shape: ClipShape = [1, 4, 4, 3];
  const clip = randomClip(shape, createRng(7, 'resize'));
  const size = { width: 2, height: 2 };
  const out = new Uint8Array(20).subarray(5, 17);
  t.is(resizeClip(clip, shape, { size, out }), out);
  t.deepEqual([...out], [...resizeClip(clip, shape, { size })]);
  const floats = new Float32Array(12);
  t.is(resizeClipToFloat(clip, shape, { size, out: floats }), floats);
});

test('wrong arguments are refused', (t) => {
  const range = { instanceOf: RangeError };
  const shape: ClipShape = [1, 4, 4, 3];
  const clip = new Uint8Array(48);
  const size = { width: 2, height: 2 };
  const crop = { left: 2, top: 0, width: 3, height: 4 };
  for (const resize of [resizeClip, resizeClipToFloat]) {
    t.throws(() => resize(clip.subarray(1), shape, { size }), range);
    t.throws(() => resize(clip, shape, { size, crop }), range);
    t.throws(() => resize(clip, shape, { size: { width: 0, height: 2 } }), range);
    t.throws(() => resize(clip, shape, { size: { width: 2, height: 1.5 } }), range);
  }
  t.throws(() => resizeClip(clip, shape, { size, out: new Uint8Array(13) }), range);
  t.throws(() => resizeClip(clip, shape, { size, filter: 'nearest' as 'bilinear' }), range);
  t.throws(() => resizeClipToFloat(clip, shape, { size, out: new Float32Array(11) }), range);
  const colours = { mean: [0, 0, 0], std: [1, 0, 1] } as const;
  t.throws(() => resizeClipToFloat(clip, shape, { size, colours }), range);
});
