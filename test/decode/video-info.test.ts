import test from 'ava';
import { orientationOf } from '../../lib/decode/video-info.ts';

type Picture = readonly (readonly string[])[];

/** Two rows of three: no two orientations look alike. */
const STORED: Picture = [
  ['a', 'b', 'c'],
  ['d', 'e', 'f'],
];

/** Nine int32 as in a file: 16.16 fixed point, the last column 2.30. */
function matrixOf(a: number, b: number, c: number, d: number): Buffer {
  const buffer = Buffer.alloc(36);
  const values = [a, b, 0, c, d, 0, 0, 0, 2 ** 14];
  values.forEach((value, i) => buffer.writeInt32LE(Math.round(value * 2 ** 16), i * 4));
  return buffer;
}

/** What the matrix means: pixel (x, y) is shown at (a x + c y, b x + d y), moved into the picture. */
function showByMatrix([a, b, c, d]: readonly number[]): string[] {
  const places = STORED.flatMap((row, y) =>
    row.map((pixel, x) => ({ pixel, x: a! * x + c! * y, y: b! * x + d! * y })),
  );
  places.sort((p, q) => p.y - q.y || p.x - q.x);
  return places.map(({ pixel }) => pixel);
}

const FILTERS: Readonly<Record<string, (picture: Picture) => Picture>> = {
  hflip: (picture) => picture.map((row) => row.toReversed()),
  vflip: (picture) => picture.toReversed(),
  'transpose=cclock_flip': turn,
  'transpose=clock': (picture) => turn(picture.toReversed()),
  'transpose=cclock': (picture) => turn(picture).toReversed(),
  'transpose=clock_flip': (picture) => turn(picture.toReversed()).toReversed(),
};

function turn(picture: Picture): Picture {
  return picture[0]!.map((_, x) => picture.map((row) => row[x]!));
}

const ORIENTATIONS = [
  ['upright', 1, 0, 0, 1],
  ['turned right', 0, 1, -1, 0],
  ['upside down', -1, 0, 0, -1],
  ['turned left', 0, -1, 1, 0],
  ['mirrored', -1, 0, 0, 1],
  ['mirrored and upside down', 1, 0, 0, -1],
  ['mirrored along the diagonal', 0, 1, 1, 0],
  ['mirrored along the other diagonal', 0, -1, -1, 0],
] as const;

for (const [name, a, b, c, d] of ORIENTATIONS) {
  for (const scale of [1, 2]) {
    test(`orientation: ${name}, scale ${scale}`, (t) => {
      const values = [a * scale, b * scale, c * scale, d * scale] as const;
      const { filters, swapsSides, isRightAngle } = orientationOf(matrixOf(...values));
      t.true(filters === '' || filters.endsWith(','));
      const shown = filters
        .split(',')
        .filter((filter) => filter !== '')
        .reduce((picture, filter) => FILTERS[filter]!(picture), STORED);
      t.deepEqual(shown.flat(), showByMatrix(values));
      t.is(swapsSides, a === 0);
      t.is(shown.length, swapsSides ? 3 : 2);
      t.true(isRightAngle);
    });
  }
}

test('a picture without a usable matrix is upright', (t) => {
  const upright = { filters: '', swapsSides: false, isRightAngle: true };
  t.deepEqual(orientationOf(null), upright);
  t.deepEqual(orientationOf(Buffer.alloc(35, 1)), upright);
  t.deepEqual(orientationOf(Buffer.alloc(36)), upright);
  t.deepEqual(orientationOf(matrixOf(1, 0, 0, 0)), upright);
});

test('an odd angle is left alone and said', (t) => {
  const [sine, cosine] = [Math.sin(Math.PI / 6), Math.cos(Math.PI / 6)];
  const odd = orientationOf(matrixOf(cosine, sine, -sine, cosine));
  t.deepEqual(odd, { filters: '', swapsSides: false, isRightAngle: false });
});
