import test from 'ava';
import { quantiserScale } from '../../lib/decode/jpeg-encoder.ts';
import { decodeImage, encodeJpeg } from '../../lib/sample/index.ts';
import { meanDifference, meanRgb, psnr } from '../helpers/pixels.ts';
import { readOne } from '../helpers/read-one.ts';
import { testVideos, videoPath } from '../helpers/videos.ts';

/**
 * Kinds of sources, and a frame of each. Sharp edges between strong colours lose much in any JPEG of halved colour resolution:
 * where libjpeg cannot keep to the bounds either, its own loss is the bound.
 */
const SOURCES = [
  ['BT.601 limited', 'variety/pixfmt/bt601_limited_range.mp4', 30],
  ['BT.601 full', 'variety/pixfmt/bt601_full_range.mp4', 30],
  ['BT.709', 'classics/scenes/dog_barking.mp4', 80],
  ['BT.709 turned', 'variety/rotation/portrait.MOV', 30],
  ['BT.2020, 10 bit', 'variety/pixfmt/nasa_13013_hdr.mp4', 100],
  ['untagged, 10 bit', 'variety/pixfmt/h264_10bits.mp4', 15],
  ['odd size, vp9', 'variety/oddsize/testsrc2_odd_height_and_width_vp9.mp4', 12],
  ['odd size, vp8', 'variety/codec/vp80-00-comprehensive-006.mp4', 20],
  ['4:4:4', 'classics/scenes/cockatoo.mp4', 100],
  ['4:2:2, full', 'variety/codec/100_0306.AVI', 20],
  ['4:2:2, 10 bit, BT.709', 'variety/codec/Sequence_1-Apple_ProRes_422_Proxy.mp4', 1],
  ['palette', 'damaged/partial/catfight-cvid-pal8-partial.mp4', 20],
  ['gif', 'variety/animated/newtonscradle.gif', 10],
  ['apng', 'variety/animated/iss634.apng', 10],
  ['555', 'variety/codec/clock-cram16.avi', 10],
  ['interlaced', 'variety/interlaced/tcela-6.mp4', 2],
] as const;

for (const [name, path, index] of SOURCES) {
  testVideos(`JPEG has the colours of RGB: ${name}`, async (t, videos) => {
    const file = videoPath(videos, path);
    const rgb = await readOne(file, index);
    const sizes: number[] = [];
    for (const quality of [95, 90, 75]) {
      const jpeg = await readOne(file, index, { format: { kind: 'jpeg', quality } });
      const picture = await decodeImage(jpeg.data);
      t.deepEqual([picture.width, picture.height], [rgb.width, rgb.height]);
      t.is(jpeg.frameIndex, index);
      sizes.push(jpeg.data.length);
      if (quality !== 90) continue;
      const other = await decodeImage(await encodeJpeg(rgb, quality));
      const difference = meanDifference(picture.data, rgb.data);
      const ratio = psnr(picture.data, rgb.data);
      const found = `${difference.toFixed(2)} levels, ${ratio.toFixed(1)} dB`;
      t.true(difference < Math.max(2, 1.2 * meanDifference(other.data, rgb.data)), found);
      t.true(ratio > Math.min(33, psnr(other.data, rgb.data) - 4), found);
    }
    t.true(sizes[0]! > sizes[1]! && sizes[1]! > sizes[2]!, sizes.join());
  });
}

testVideos('JPEG of a scaled and cropped picture has the colours of RGB', async (t, videos) => {
  const file = videoPath(videos, 'classics/scenes/dog_barking.mp4');
  const chooseSize = (): { width: number; height: number; crop: typeof crop } => ({
    width: 201,
    height: 113,
    crop,
  });
  const crop = { left: 31, top: 7, width: 99, height: 101 };
  const rgb = await readOne(file, 80, { chooseSize });
  const jpeg = await readOne(file, 80, { chooseSize, format: { kind: 'jpeg', quality: 95 } });
  const picture = await decodeImage(jpeg.data);
  t.deepEqual([picture.width, picture.height, rgb.width, rgb.height], [99, 101, 99, 101]);
  t.true(meanDifference(picture.data, rgb.data) < 3);
  t.true(psnr(picture.data, rgb.data) > 33);
});

testVideos('dark and light of little colour depth stay as they are in JPEG', async (t, videos) => {
  const file = videoPath(videos, 'variety/codec/clock-cram16.avi');
  const rgb = meanRgb((await readOne(file, 10)).data);
  const jpeg = await readOne(file, 10, { format: { kind: 'jpeg', quality: 95 } });
  const means = meanRgb((await decodeImage(jpeg.data)).data);
  means.forEach((mean, channel) => t.true(Math.abs(mean - rgb[channel]!) < 2));
});

testVideos('the same frame gives the same JPEG bytes', async (t, videos) => {
  const file = videoPath(videos, 'classics/scenes/bikes.mp4');
  const read = (index: number): Promise<{ data: Uint8Array }> =>
    readOne(file, index, { format: { kind: 'jpeg', quality: 90 } });
  const first = await read(60);
  t.deepEqual(first.data, (await read(60)).data);
  t.deepEqual([...first.data.subarray(0, 2)], [0xff, 0xd8]);
});

test('quality on the scale of libjpeg gives a quantiser scale', (t) => {
  const pairs = [
    [100, 1],
    [95, 1],
    [92, 2],
    [90, 2],
    [88, 2],
    [80, 4],
    [75, 5],
    [50, 10],
    [49, 10],
    [25, 20],
    [16, 31],
    [1, 31],
  ];
  t.deepEqual(
    pairs.map(([quality]) => [quality, quantiserScale(quality!)]),
    pairs,
  );
  const scales = Array.from({ length: 100 }, (_, i) => quantiserScale(i + 1));
  t.true(scales.every((scale, i) => i === 0 || scale <= scales[i - 1]!));
  for (const quality of [0, 101, 50.5, Number.NaN]) {
    t.throws(() => quantiserScale(quality), { instanceOf: RangeError });
  }
});
