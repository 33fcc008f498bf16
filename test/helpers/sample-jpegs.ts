/** JPEG files of many kinds, with waves and edges in them. */

import { jpegSegment, writePlainJpeg } from './plain-jpeg.ts';
import type { PlainJpeg } from './plain-jpeg.ts';

type Sampling = PlainJpeg['sampling'];

/** Samplings that can be decoded, with what colour planes lack. */
export const SAMPLINGS = {
  grey: { sampling: [[1, 1]], halfWidth: 0, halfHeight: 0 },
  'grey, 2 x 2': { sampling: [[2, 2]], halfWidth: 0, halfHeight: 0 },
  '4:4:4': {
    sampling: [
      [1, 1],
      [1, 1],
      [1, 1],
    ],
    halfWidth: 0,
    halfHeight: 0,
  },
  '4:2:2': {
    sampling: [
      [2, 1],
      [1, 1],
      [1, 1],
    ],
    halfWidth: 1,
    halfHeight: 0,
  },
  '4:2:2, twice as tall': {
    sampling: [
      [2, 2],
      [1, 2],
      [1, 2],
    ],
    halfWidth: 1,
    halfHeight: 0,
  },
  '4:2:0': {
    sampling: [
      [2, 2],
      [1, 1],
      [1, 1],
    ],
    halfWidth: 1,
    halfHeight: 1,
  },
} as const satisfies Readonly<
  Record<
    string,
    { readonly sampling: Sampling; readonly halfWidth: 0 | 1; readonly halfHeight: 0 | 1 }
  >
>;

/** Samplings that cannot. */
export const OTHER_SAMPLINGS = {
  '4:4:0': [
    [1, 2],
    [1, 1],
    [1, 1],
  ],
  '4:1:1': [
    [4, 1],
    [1, 1],
    [1, 1],
  ],
  '4:1:0': [
    [4, 2],
    [1, 1],
    [1, 1],
  ],
  'unlike colours': [
    [2, 2],
    [1, 1],
    [2, 2],
  ],
  'more colour than brightness': [
    [1, 1],
    [2, 2],
    [2, 2],
  ],
  'two planes': [
    [1, 1],
    [1, 1],
  ],
  'four planes': [
    [1, 1],
    [1, 1],
    [1, 1],
    [1, 1],
  ],
} as const satisfies Readonly<Record<string, Sampling>>;

/** The segment in which Adobe's programs say what planes mean: 0 RGB or CMYK, 1 YCbCr, 2 YCCK. */
export function adobe(colours: number): Uint8Array {
  return jpegSegment(0xee, [...Buffer.from('Adobe'), 0, 100, 0, 0, 0, 0, colours]);
}

/** The segment of JFIF. */
export const JFIF: Uint8Array = jpegSegment(0xe0, [
  ...Buffer.from('JFIF\0'),
  1,
  2,
  0,
  0,
  1,
  0,
  1,
  0,
  0,
]);

/** Writes a picture of waves, different in each plane, with a bright rectangle. */
export function wavyJpeg(jpeg: PlainJpeg): Buffer {
  return writePlainJpeg(jpeg, (plane, sampleX, sampleY) => {
    const [across, down] = jpeg.sampling[plane]!;
    const [x, y] = [sampleX / across, sampleY / down];
    if (plane === 0 && x > 4 && x < 7 && y > 3) return 250;
    return 128 + 100 * Math.sin(x * (0.6 + plane * 0.4) + y * 0.8 + plane);
  });
}
