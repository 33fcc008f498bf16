/** The frames of a stored sample as pictures, whatever its layout and codec. */

import { TubeletError } from '../core/index.ts';
import { decodeImage, joinTubelets } from '../sample/index.ts';
import type { RgbImage } from '../sample/index.ts';
import type { Sample } from '../shard/index.ts';

/** Pictures decoded at the same time; sharp works on them in threads. */
const AT_ONCE = 8;

/**
 * Decodes the frames of a sample, or some of them; gives them in the order of `places`.
 *
 * @param places which stored frames, from 0; all by default
 * @throws {TubeletError} TUBE_SAMPLE_DAMAGED if a picture does not decode or has another size than the sample says
 */
export async function sampleImages(
  sample: Sample,
  places: readonly number[] = sample.frameIndex.map((_, place) => place),
): Promise<RgbImage[]> {
  const [, height = 0, width = 0] = sample.clipShape ?? sample.shape;
  if (sample.codec === 'raw') {
    const pixels = rawPixels(sample);
    const size = height * width * 3;
    return places.map((place) => ({
      width,
      height,
      data: pixels.subarray(place * size, (place + 1) * size),
    }));
  }
  const images: RgbImage[] = [];
  for (let first = 0; first < places.length; first += AT_ONCE) {
    const pictures = places.slice(first, first + AT_ONCE).map((place) => sample.data[place]);
    images.push(
      ...(await Promise.all(pictures.map((bytes) => decodePicture(bytes, width, height)))),
    );
  }
  return images;
}

/** At most `count` places of a sample's stored frames, evenly spread, the first and last among them. */
export function spreadPlaces({ frameIndex: { length } }: Sample, count: number): number[] {
  if (length <= count) return Array.from({ length }, (_, place) => place);
  return Array.from({ length: count }, (_, i) =>
    Math.round((i * (length - 1)) / Math.max(1, count - 1)),
  );
}

function rawPixels(sample: Sample & { readonly codec: 'raw' }): Uint8Array {
  const { data, tubelet, clipShape } = sample;
  if (tubelet === undefined || clipShape === undefined) return data;
  const [frames = 0, height = 0, width = 0] = clipShape;
  const [time = 0, rows = 0, columns = 0] = tubelet;
  return joinTubelets(data, [frames, height, width, 3], [time, rows, columns]);
}

async function decodePicture(
  bytes: Uint8Array | undefined,
  width: number,
  height: number,
): Promise<RgbImage> {
  if (bytes === undefined)
    throw new RangeError('"places" has a frame that the sample does not store.');
  const image = await decodeImage(bytes);
  if (image.width !== width || image.height !== height) {
    const message = `a picture is ${image.width}x${image.height}, the sample says ${width}x${height}`;
    throw new TubeletError('TUBE_SAMPLE_DAMAGED', { message });
  }
  return image;
}
