import test from 'ava';
import { TubeletError } from '../../lib/core/index.ts';
import { decodeImage, encodeJpeg, encodePng, resizeImage } from '../../lib/sample/index.ts';
import type { RgbImage } from '../../lib/sample/index.ts';

/** A smooth picture with a different ramp in each channel. */
function ramps(width: number, height: number): RgbImage {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const column = Math.floor(i / 3) % width;
    const row = Math.floor(i / 3 / width);
    return [column * 2, row * 2, 255 - column - row][i % 3]!;
  });
  return { width, height, data };
}

function meanDifference(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((sum, value, i) => sum + Math.abs(value - b[i]!), 0) / a.length;
}

test('PNG keeps every byte', async (t) => {
  const image = ramps(37, 21);
  const back = await decodeImage(await encodePng(image));
  t.deepEqual([back.width, back.height], [37, 21]);
  t.deepEqual(new Uint8Array(back.data), image.data);
});

test('JPEG keeps size and, nearly, colours; more quality keeps more', async (t) => {
  const image = ramps(64, 48);
  const fine = await encodeJpeg(image, 95);
  const coarse = await encodeJpeg(image, 20);
  t.true(coarse.length < fine.length);
  const back = await decodeImage(fine);
  t.deepEqual([back.width, back.height, back.data.length], [64, 48, 64 * 48 * 3]);
  const fineError = meanDifference(back.data, image.data);
  t.true(fineError < 2);
  t.true(fineError < meanDifference((await decodeImage(coarse)).data, image.data));
});

const damaged = test.macro({
  title: (_, name: string) => `damaged picture: ${name}`,
  async exec(t, _name: string, damage: (jpeg: Buffer, png: Buffer) => Uint8Array) {
    const image = ramps(64, 48);
    const bytes = damage(await encodeJpeg(image, 90), await encodePng(image));
    const error = await t.throwsAsync(decodeImage(bytes), { instanceOf: TubeletError });
    t.is(error.code, 'TUBE_SAMPLE_DAMAGED');
  },
});

test(damaged, 'nothing', () => new Uint8Array());
test(damaged, 'text', () => Buffer.from('not a picture'));
test(damaged, 'JPEG without its last bytes', (jpeg) => jpeg.subarray(0, -40));
test(damaged, 'JPEG without its second half', (jpeg) => jpeg.subarray(0, jpeg.length / 2));
test(damaged, 'JPEG header with a flipped bit', (jpeg) => flip(jpeg, 1));
test(damaged, 'JPEG with an end marker in its data', (jpeg) => {
  const copy = Buffer.from(jpeg);
  copy.writeUInt16BE(0xffd9, copy.length - 100);
  return copy;
});
test(damaged, 'PNG without its last bytes', (_, png) => png.subarray(0, -40));
test(damaged, 'PNG data with a flipped bit', (_, png) => flip(png, Math.floor(png.length / 2)));

test('resizing gives the size asked for and keeps a flat picture flat', async (t) => {
  const flat = { width: 30, height: 20, data: new Uint8Array(1800).map((_, i) => (i % 3) * 70) };
  for (const size of [
    { width: 15, height: 40 },
    { width: 7, height: 5 },
  ]) {
    const { width, height, data } = await resizeImage(flat, size);
    t.deepEqual({ width, height }, size);
    t.deepEqual(
      new Uint8Array(data),
      new Uint8Array(size.width * size.height * 3).map((_, i) => (i % 3) * 70),
    );
  }
});

test('wrong sizes and qualities are refused', async (t) => {
  const image = ramps(8, 8);
  const range = { instanceOf: RangeError };
  await t.throwsAsync(encodePng({ ...image, width: 9 }), range);
  await t.throwsAsync(encodePng({ width: 0, height: 8, data: new Uint8Array() }), range);
  await t.throwsAsync(encodeJpeg(image, 0), range);
  await t.throwsAsync(encodeJpeg(image, 101), range);
  await t.throwsAsync(resizeImage(image, { width: 4, height: 0 }), range);
});

function flip(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = copy[at]! ^ 16;
  return copy;
}
