import test from 'ava';
import { createRng } from '../../lib/core/index.ts';
import type { Rng } from '../../lib/core/index.ts';
import { JpegDecoder } from '../../lib/decode/index.ts';
import type { Crop, PictureCut } from '../../lib/decode/index.ts';
import { decodeImage, encodeJpeg, resizeClip } from '../../lib/sample/index.ts';
import { meanDifference } from '../helpers/pixels.ts';
import { cutOut, largestDifference } from '../helpers/plain-pixels.ts';
import { readOne } from '../helpers/read-one.ts';
import { SAMPLINGS, wavyJpeg } from '../helpers/sample-jpegs.ts';
import { testVideos, videoPath } from '../helpers/videos.ts';

const VIDEO = 'classics/kinetics_like/mmaction_demo.mp4';

function randomCrop(rng: Rng, width: number, height: number): Crop {
  const left = rng.integer(0, width);
  const top = rng.integer(0, height);
  return {
    left,
    top,
    width: rng.integer(1, width - left + 1),
    height: rng.integer(1, height - top + 1),
  };
}

testVideos('frames of our encoder come out as by libjpeg, whole and cropped', async (t, videos) => {
  using decoder = new JpegDecoder();
  const format = { kind: 'jpeg', quality: 90 } as const;
  const rng = createRng(1, 'crops');
  for (const index of [0, 40, 80]) {
    const { data } = await readOne(videoPath(videos, VIDEO), index, { format });
    const { width, height, data: expected } = await decodeImage(data);
    const whole = new Uint8Array(width * height * 3);
    decoder.decode(data, { frame: { width, height } }, whole);
    t.true(meanDifference(whole, expected) < 0.005);
    t.true(largestDifference(whole, expected) <= 1);
    for (let round = 0; round < 20; round++) {
      const crop = randomCrop(rng, width, height);
      const out = new Uint8Array(crop.width * crop.height * 3);
      decoder.decode(data, { crop }, out);
      t.deepEqual(out, cutOut(whole, width, crop));
    }
  }
});

for (const [name, { sampling }] of Object.entries(SAMPLINGS)) {
  test(`every crop of a picture of ${name} is that of the whole`, (t) => {
    using decoder = new JpegDecoder();
    const rng = createRng(3, name);
    for (const [width, height] of [
      [1, 1],
      [4, 3],
      [35, 37],
      [64, 48],
    ] as const) {
      const jpeg = wavyJpeg({ width, height, sampling, restartInterval: 2 });
      const whole = new Uint8Array(width * height * 3);
      decoder.decode(jpeg, {}, whole);
      for (let round = 0; round < 60; round++) {
        const crop = randomCrop(rng, width, height);
        const window = randomCrop(rng, crop.width, crop.height);
        const left = crop.left + window.left;
        const top = crop.top + window.top;
        const out = new Uint8Array(window.width * window.height * 3);
        decoder.decode(jpeg, { crop, window }, out);
        t.deepEqual(out, cutOut(whole, width, { ...window, left, top }));
      }
    }
  });
}

test('scaling gives the bytes of Pillow', async (t) => {
  using decoder = new JpegDecoder();
  const rng = createRng(2, 'scaling');
  const image = { width: 90, height: 70, data: new Uint8Array(90 * 70 * 3) };
  for (let i = 0; i < image.data.length; i++) image.data[i] = rng.integer(0, 256);
  const jpeg = await encodeJpeg(image, 90);
  const whole = new Uint8Array(image.data.length);
  decoder.decode(jpeg, {}, whole);
  for (let round = 0; round < 60; round++) {
    const crop = randomCrop(rng, 90, 70);
    const size = { width: rng.integer(1, 120), height: rng.integer(1, 120) };
    const scaled = resizeClip(whole, [1, 70, 90, 3], { crop, size });
    const window = randomCrop(rng, size.width, size.height);
    const cuts: [PictureCut, Uint8Array][] = [
      [{ crop, size }, scaled],
      [{ crop, size, window }, cutOut(scaled, size.width, window)],
    ];
    for (const [cut, expected] of cuts) {
      const out = new Uint8Array(expected.length);
      decoder.decode(jpeg, cut, out);
      t.deepEqual(out, expected);
    }
  }
});

const jpeg = wavyJpeg({ width: 17, height: 31, sampling: SAMPLINGS['4:2:0'].sampling });

test('a picture of another size than stated is damaged', (t) => {
  using decoder = new JpegDecoder();
  for (const frame of [
    { width: 31, height: 17 },
    { width: 17, height: 32 },
  ]) {
    const out = new Uint8Array(17 * 31 * 3);
    t.throws(() => decoder.decode(jpeg, { frame }, out), { code: 'TUBE_SAMPLE_DAMAGED' });
    t.deepEqual(out, new Uint8Array(17 * 31 * 3));
  }
});

test('a cut that does not fit is the mistake of the caller', (t) => {
  using decoder = new JpegDecoder();
  const crop = { left: 0, top: 0, width: 17, height: 31 };
  const size = { width: 8, height: 8 };
  const cuts: readonly (readonly [PictureCut, string])[] = [
    [{ crop: { ...crop, left: 1 } }, 'crop.width'],
    [{ crop: { ...crop, top: -1 } }, 'crop.top'],
    [{ crop: { ...crop, height: 0 } }, 'crop.height'],
    [{ crop: { ...crop, left: 17, width: 1 } }, 'crop.left'],
    [{ crop: { ...crop, width: 1.5 } }, 'crop.width'],
    [{ size: { ...size, width: 0 } }, 'size.width'],
    [{ size: { ...size, height: Number.NaN } }, 'size.height'],
    [{ size, window: { left: 0, top: 0, width: 9, height: 8 } }, 'window.width'],
    [{ size, window: { left: 0, top: 8, width: 8, height: 1 } }, 'window.top'],
  ];
  for (const [cut, name] of cuts) {
    const error = t.throws(() => decoder.decode(jpeg, cut, new Uint8Array(17 * 31 * 3)), {
      any: true,
    }) as Error;
    t.true(error instanceof RangeError || error instanceof TypeError, name);
    t.true(error.message.includes(name), error.message);
  }
  for (const length of [0, 17 * 31 * 3 - 1, 17 * 31 * 3 + 1]) {
    t.throws(() => decoder.decode(jpeg, {}, new Uint8Array(length)), {
      instanceOf: RangeError,
      message: /"out"/,
    });
  }
  const out = new Uint8Array(17 * 31 * 3);
  decoder.decode(jpeg, { crop }, out);
  t.true(out.some((value) => value > 0));
});

test('writes just what it is given, also in shared memory, and leaves the file as it is', (t) => {
  using decoder = new JpegDecoder();
  const file = new Uint8Array(new SharedArrayBuffer(jpeg.length + 5));
  file.set(jpeg, 3);
  const kept = file.slice();
  const around = new Uint8Array(new SharedArrayBuffer(17 * 31 * 3 + 20)).fill(9);
  const out = around.subarray(10, -10);
  for (const cut of [
    {},
    { size: { width: 17, height: 31 } },
    { size: { width: 31, height: 17 } },
  ]) {
    decoder.decode(file.subarray(3, -2), cut, out);
    t.deepEqual(around.subarray(0, 10), new Uint8Array(10).fill(9));
    t.deepEqual(around.subarray(-10), new Uint8Array(10).fill(9));
  }
  t.deepEqual(file, kept);
});
