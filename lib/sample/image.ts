/**
 * Pictures in common file formats, through sharp; only this file knows it. sharp is loaded when first used, since loading it
 * takes longer than many a command.
 */

import type { Sharp, default as SharpModule } from 'sharp';
import { TubeletError, checkInteger, messageText } from '../core/index.ts';
import type { Size } from './geometry.ts';

/** A picture as pixels: `data` is uint8 `[height, width, 3]`, RGB. */
export interface RgbImage extends Size {
  readonly data: Uint8Array;
}

let loading: Promise<typeof SharpModule> | undefined;

/**
 * Decodes a JPEG, PNG or other picture to RGB; grey is spread over the channels, transparency and orientation tags are
 * dropped. Strict: whatever the decoder notices is an error. A flipped bit inside JPEG data often goes unnoticed by any
 * decoder, so where it matters compare checksums too.
 *
 * @throws {TubeletError} `TUBE_SAMPLE_DAMAGED` if the bytes are not a whole picture
 */
export async function decodeImage(bytes: Uint8Array): Promise<RgbImage> {
  const sharp = await loadSharp();
  try {
    const { data, info } = await sharp(bytes, { failOn: 'warning' })
      .toColourspace('srgb')
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, data };
  } catch (error) {
    const details = { format: 'image', bytes: bytes.length, message: messageText(error) };
    throw new TubeletError('TUBE_SAMPLE_DAMAGED', details, { cause: error });
  }
}

/**
 * Encodes a picture as PNG, without loss.
 *
 * @throws {RangeError} if the size does not match the data
 */
export async function encodePng(image: RgbImage): Promise<Buffer> {
  return (await open(image)).png({ adaptiveFiltering: true, compressionLevel: 9 }).toBuffer();
}

/**
 * Encodes a picture as JPEG with halved colour resolution; quality 1 … 100. Code tables are the standard ones: best tables
 * are 2 % smaller but take twice the time.
 *
 * @throws {RangeError} if the size does not match the data or the quality is out of bounds
 */
export async function encodeJpeg(image: RgbImage, quality: number): Promise<Buffer> {
  checkInteger('quality', quality, { min: 1, max: 100 });
  return (await open(image)).jpeg({ quality, optimiseCoding: false }).toBuffer();
}

/**
 * Scales a picture to just the given size, smoothly (cubic, widened when shrinking). For people to look at: training pixels
 * are scaled by `decode`.
 *
 * @throws {RangeError} if a size does not match the data or is not made of integers ≥ 1
 */
export async function resizeImage(image: RgbImage, { width, height }: Size): Promise<RgbImage> {
  checkInteger('width', width, { min: 1 });
  checkInteger('height', height, { min: 1 });
  const resized = (await open(image)).resize(width, height, { fit: 'fill', kernel: 'cubic' });
  return { width, height, data: await resized.raw().toBuffer() };
}

async function open({ width, height, data }: RgbImage): Promise<Sharp> {
  checkInteger('width', width, { min: 1 });
  checkInteger('height', height, { min: 1 });
  if (data.length !== width * height * 3) {
    throw new RangeError(`"data" must hold ${width * height * 3} bytes (got ${data.length}).`);
  }
  return (await loadSharp())(data, { raw: { width, height, channels: 3 } });
}

/** Pictures are small and many: one thread each, and no cache, since none comes twice. Both settings hold for the process. */
async function loadSharp(): Promise<typeof SharpModule> {
  loading ??= import('sharp').then(({ default: sharp }) => {
    sharp.cache(false);
    sharp.concurrency(1);
    return sharp;
  });
  return loading;
}
