import test from 'ava';
import { createRng } from '../../lib/core/index.ts';
import { JpegDecoder } from '../../lib/decode/index.ts';
import { decodeImage } from '../../lib/sample/index.ts';
import sharp from 'sharp';
import { decodePlanes } from '../helpers/decode-planes.ts';
import { jpegSegment } from '../helpers/plain-jpeg.ts';
import type { PlainJpeg } from '../helpers/plain-jpeg.ts';
import { meanDifference } from '../helpers/pixels.ts';
import { convertPlanes, largestDifference } from '../helpers/plain-pixels.ts';
import { JFIF, OTHER_SAMPLINGS, SAMPLINGS, adobe, wavyJpeg } from '../helpers/sample-jpegs.ts';

const SIZES = [
  [1, 1],
  [3, 5],
  [5, 3],
  [17, 31],
  [40, 64],
] as const;

/** Few pixels have no reliable mean. */
function allowedMean([width, height]: readonly [number, number]): number {
  return 0.06 + 3 / (width * height);
}

function decodeWhole(
  decoder: JpegDecoder,
  jpeg: Uint8Array,
  [width, height]: readonly number[],
): Uint8Array {
  const out = new Uint8Array(width! * height! * 3);
  decoder.decode(jpeg, {}, out);
  return out;
}

const VARIANTS: Readonly<Record<string, Partial<PlainJpeg>>> = {
  plain: {},
  'restart intervals': { restartInterval: 3 },
  'a scan per plane': { hasScanPerPlane: true },
  both: { hasScanPerPlane: true, restartInterval: 2 },
};

for (const [name, { sampling, ...layout }] of Object.entries(SAMPLINGS)) {
  test(`${name} has the pixels of libjpeg, and the planes of FFmpeg where that decodes`, async (t) => {
    using decoder = new JpegDecoder();
    for (const size of SIZES) {
      for (const [variant, options] of Object.entries(VARIANTS)) {
        const [width, height] = size;
        const jpeg = wavyJpeg({ width, height, sampling, ...options });
        const pixels = decodeWhole(decoder, jpeg, size);
        const title = `${variant}, ${width} x ${height}`;
        const isOurs =
          variant === 'plain' || (sampling.length === 1 && variant === 'a scan per plane');
        if (!isOurs) {
          const planes = decodePlanes(jpeg, layout);
          t.deepEqual(pixels, convertPlanes(planes, sampling.length === 1 ? null : layout), title);
        }
        // libjpeg does not smooth colours of pictures this small.
        if (layout.halfWidth === 1 && width < 5) continue;
        const { data } = await decodeImage(jpeg);
        // Our own transform is that of libjpeg; colours are within one level.
        const most = isOurs ? Number(sampling.length > 1) : 3;
        t.true(largestDifference(pixels, data) <= most, title);
        t.true(meanDifference(pixels, data) < allowedMean(size), title);
      }
    }
  });
}

for (const quality of [1, 30, 75, 90, 98, 100]) {
  for (const optimiseCoding of [false, true]) {
    test(`grey of quality ${quality}, codes ${optimiseCoding ? 'of its own' : 'of the standard'}: libjpeg's pixels`, async (t) => {
      using decoder = new JpegDecoder();
      const rng = createRng(quality, 'grey');
      for (const size of [
        [97, 61],
        [8, 8],
        [120, 9],
      ] as const) {
        const [width, height] = size;
        // From flat to rough, so that blocks have from none to all of their coefficients.
        const pixels = Uint8Array.from({ length: width * height }, (_, i) => {
          const roughness = Math.max(0, (i % width) - 20) / width;
          return 128 + Math.round((rng.integer(0, 256) - 128) * roughness);
        });
        const jpeg = await sharp(pixels, { raw: { width, height, channels: 1 } })
          .toColourspace('b-w')
          .jpeg({ quality, optimiseCoding })
          .toBuffer();
        const { data } = await decodeImage(jpeg);
        t.is(largestDifference(decodeWhole(decoder, jpeg, size), data), 0);
      }
    });
  }
}

for (const [name, sampling] of Object.entries(OTHER_SAMPLINGS)) {
  test(`${name} is refused`, (t) => {
    using decoder = new JpegDecoder();
    for (const size of SIZES) {
      for (const options of [{}, { hasScanPerPlane: true }, { segments: [adobe(2)] }]) {
        const jpeg = wavyJpeg({ width: size[0], height: size[1], sampling, ...options });
        const error = t.throws(() => decodeWhole(decoder, jpeg, size), {
          code: 'TUBE_SAMPLE_DAMAGED',
        });
        t.regex(error.message, /not supported/);
      }
    }
  });
}

const { sampling } = SAMPLINGS['4:2:0'];
const FORM = { width: 17, height: 31, sampling } as const;
const GREY = { width: 17, height: 31, sampling: SAMPLINGS.grey.sampling } as const;
const RGB_NAMES = [...Buffer.from('RGB')];
const meanings: readonly (readonly [string, PlainJpeg, 'decoded' | 'refused'])[] = [
  ['Adobe RGB', { ...FORM, segments: [adobe(0)] }, 'refused'],
  ['planes named RGB', { ...FORM, planeIds: RGB_NAMES }, 'refused'],
  ['Adobe YCbCr', { ...FORM, segments: [adobe(1)] }, 'decoded'],
  [
    'Adobe YCbCr of planes named RGB',
    { ...FORM, planeIds: RGB_NAMES, segments: [adobe(1)] },
    'decoded',
  ],
  ['JFIF of planes named RGB', { ...FORM, planeIds: RGB_NAMES, segments: [JFIF] }, 'decoded'],
  ['JFIF before Adobe RGB', { ...FORM, segments: [JFIF, adobe(0)] }, 'decoded'],
  ['JFIF after Adobe RGB', { ...FORM, segments: [adobe(0), JFIF] }, 'decoded'],
  ['planes of other names', { ...FORM, planeIds: [7, 0, 200] }, 'decoded'],
  ['grey by Adobe', { ...GREY, segments: [adobe(0)] }, 'decoded'],
];

for (const [name, form, verdict] of meanings) {
  test(`${name}: ${verdict}`, async (t) => {
    using decoder = new JpegDecoder();
    const jpeg = wavyJpeg(form);
    if (verdict === 'refused') {
      t.throws(() => decodeWhole(decoder, jpeg, [17, 31]), { code: 'TUBE_SAMPLE_DAMAGED' });
    } else {
      const { data } = await decodeImage(jpeg);
      t.true(meanDifference(decodeWhole(decoder, jpeg, [17, 31]), data) < 0.08);
    }
  });
}

for (const kind of ['4:2:0', '4:4:4', 'grey'] as const) {
  test(`progressive ${kind} as by libjpeg`, async (t) => {
    using decoder = new JpegDecoder();
    for (const size of SIZES) {
      const [width, height] = size;
      const base = sharp(
        await decodeImage(wavyJpeg({ ...FORM, width, height })).then(({ data }) => data),
        {
          raw: { width, height, channels: 3 },
        },
      );
      const chromaSubsampling = kind === 'grey' ? '4:4:4' : kind;
      const jpeg = await (kind === 'grey' ? base.toColourspace('b-w') : base)
        .jpeg({ progressive: true, quality: 90, chromaSubsampling })
        .toBuffer();
      if (kind === '4:2:0' && width < 5) continue;
      const pixels = decodeWhole(decoder, jpeg, size);
      const { data } = await decodeImage(jpeg);
      t.true(largestDifference(pixels, data) <= 3);
      t.true(meanDifference(pixels, data) < allowedMean(size));
    }
  });
}

test('CMYK of sharp is refused', async (t) => {
  using decoder = new JpegDecoder();
  const base = sharp({ create: { width: 8, height: 8, channels: 3, background: '#804020' } });
  const jpeg = await base.toColourspace('cmyk').jpeg().toBuffer();
  t.throws(() => decodeWhole(decoder, jpeg, [8, 8]), {
    code: 'TUBE_SAMPLE_DAMAGED',
    message: /4 planes/,
  });
});

const FRAME_MARKERS = [0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf] as const;

test('lossless, hierarchical and arithmetic coding are refused', (t) => {
  using decoder = new JpegDecoder();
  for (const marker of FRAME_MARKERS) {
    const jpeg = wavyJpeg(FORM);
    jpeg[jpeg.indexOf(Buffer.of(0xff, 0xc0)) + 1] = marker;
    t.throws(() => decodeWhole(decoder, jpeg, [17, 31]), {
      code: 'TUBE_SAMPLE_DAMAGED',
      message: /coding is not supported/,
    });
  }
});

test('an orientation of EXIF, comments and unknown segments change nothing', (t) => {
  using decoder = new JpegDecoder();
  const orientation = [0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0];
  const exif = [...Buffer.from('Exif\0\0II'), 42, 0, 8, 0, 0, 0, 1, 0, ...orientation, 0, 0, 0, 0];
  const segments = [
    JFIF,
    jpegSegment(0xe1, exif),
    jpegSegment(0xfe, [1, 2]),
    jpegSegment(0xef, []),
  ];
  const expected = decodeWhole(decoder, wavyJpeg(FORM), [17, 31]);
  t.deepEqual(decodeWhole(decoder, wavyJpeg({ ...FORM, segments }), [17, 31]), expected);
});

test('bytes behind the end, and filling before markers, change nothing', (t) => {
  using decoder = new JpegDecoder();
  const jpeg = wavyJpeg(FORM);
  const expected = decodeWhole(decoder, jpeg, [17, 31]);
  const filled = Buffer.concat([
    jpeg.subarray(0, 2),
    Buffer.of(0xff, 0xff),
    jpeg.subarray(2, -2),
    Buffer.of(0xff, 0xff, 0xff, 0xd9),
    wavyJpeg(GREY),
  ]);
  t.deepEqual(decodeWhole(decoder, filled, [17, 31]), expected);
});

test('files of all kinds in turns come out like each on its own', (t) => {
  using decoder = new JpegDecoder();
  const files = Object.values(SAMPLINGS).flatMap(({ sampling: planes }, i) =>
    Object.values(VARIANTS).map((options, j) =>
      wavyJpeg({
        width: 17,
        height: 31,
        quantiser: 1 + ((i * 5 + j) % 4),
        sampling: planes,
        ...options,
      }),
    ),
  );
  const alone = files.map((jpeg) => {
    using fresh = new JpegDecoder();
    return decodeWhole(fresh, jpeg, [17, 31]);
  });
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < files.length; i++) {
      const place = (i * 7) % files.length;
      t.deepEqual(decodeWhole(decoder, files[place]!, [17, 31]), alone[place]);
    }
  }
});
