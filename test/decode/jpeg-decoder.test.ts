import test from 'ava';
import { createRng } from '../../lib/core/index.ts';
import { JpegDecoder, jpegSize } from '../../lib/decode/index.ts';
import type { Crop, PictureCut } from '../../lib/decode/index.ts';
import { decodeImage, encodeJpeg, resizeClip } from '../../lib/sample/index.ts';
import { meanDifference } from '../helpers/pixels.ts';
import { readOne } from '../helpers/read-one.ts';
import { testVideos, videoPath } from '../helpers/videos.ts';

const VIDEO = 'classics/kinetics_like/mmaction_demo.mp4';

function largest(a: Uint8Array, b: Uint8Array): number {
  let most = a.length === b.length ? 0 : Infinity;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!));
  return most;
}

function cutOut(pixels: Uint8Array, width: number, crop: Crop): Uint8Array {
  return Uint8Array.from({ length: crop.width * crop.height * 3 }, (_, i) => {
    const x = crop.left + (Math.floor(i / 3) % crop.width);
    const y = crop.top + Math.floor(i / 3 / crop.width);
    return pixels[(y * width + x) * 3 + (i % 3)]!;
  });
}

testVideos('frames of our encoder come out as by libjpeg, whole and cropped', async (t, videos) => {
  using decoder = new JpegDecoder();
  const format = { kind: 'jpeg', quality: 90 } as const;
  const rng = createRng(1, 'crops');
  for (const index of [0, 40, 80]) {
    const { data } = await readOne(videoPath(videos, VIDEO), index, { format });
    const { width, height, data: expected } = await decodeImage(data);
    t.deepEqual(jpegSize(data), { width, height });
    const whole = new Uint8Array(width * height * 3);
    decoder.decode(data, {}, whole);
    t.true(meanDifference(whole, expected) < 0.05);
    t.true(largest(whole, expected) <= 3);
    for (let round = 0; round < 20; round++) {
      const left = rng.integer(0, width);
      const top = rng.integer(0, height);
      const crop = {
        left,
        top,
        width: rng.integer(1, width - left + 1),
        height: rng.integer(1, height - top + 1),
      };
      const out = new Uint8Array(crop.width * crop.height * 3);
      decoder.decode(data, { crop }, out);
      t.deepEqual(out, cutOut(whole, width, crop));
    }
  }
});

test('scaling gives the bytes of Pillow', async (t) => {
  using decoder = new JpegDecoder();
  const rng = createRng(2, 'scaling');
  const image = { width: 90, height: 70, data: new Uint8Array(90 * 70 * 3) };
  for (let i = 0; i < image.data.length; i++) image.data[i] = rng.integer(0, 256);
  const jpeg = await encodeJpeg(image, 90);
  const whole = new Uint8Array(image.data.length);
  decoder.decode(jpeg, {}, whole);
  for (let round = 0; round < 60; round++) {
    const left = rng.integer(0, 90);
    const top = rng.integer(0, 70);
    const crop = {
      left,
      top,
      width: rng.integer(1, 91 - left),
      height: rng.integer(1, 71 - top),
    };
    const size = { width: rng.integer(1, 120), height: rng.integer(1, 120) };
    const scaled = resizeClip(whole, [1, 70, 90, 3], { crop, size });
    const x = rng.integer(0, size.width);
    const y = rng.integer(0, size.height);
    const window = {
      left: x,
      top: y,
      width: rng.integer(1, size.width - x + 1),
      height: rng.integer(1, size.height - y + 1),
    };
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
