import test from 'ava';
import { decodeImage } from '../../lib/sample/index.ts';
import type { RgbImage } from '../../lib/sample/index.ts';
import { shortenText } from '../../lib/study/bitmap-font.ts';
import { contactSheet } from '../../lib/study/contact-sheet.ts';
import type { ContactSheetOptions, ContactSheetRow } from '../../lib/study/contact-sheet.ts';

type Rgb = readonly [number, number, number];

const DARK: Rgb = [24, 25, 29];
const LIGHT_TEXT: Rgb = [208, 210, 216];
/** Top left of the first title, and of the first frame under it. */
const TITLE = { x: 24, y: 24 };
const FRAME = { x: 24, y: 48 };

function solid(width: number, height: number, [red, green, blue]: Rgb): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let at = 0; at < data.length; at += 3) data.set([red, green, blue], at);
  return { width, height, data };
}

async function draw(
  rows: readonly ContactSheetRow[],
  options?: ContactSheetOptions,
): Promise<RgbImage> {
  return decodeImage(await contactSheet(rows, options));
}

function pixel({ width, data }: RgbImage, x: number, y: number): number[] {
  return Array.from(data.subarray((y * width + x) * 3, (y * width + x + 1) * 3));
}

function isSame(first: RgbImage, second: RgbImage): boolean {
  return first.width === second.width && Buffer.compare(first.data, second.data) === 0;
}

test('no rows give an empty sheet', async (t) => {
  const sheet = await draw([]);
  t.deepEqual([sheet.width, sheet.height], [528, 48]);
  t.true(isSame(sheet, solid(528, 48, DARK)));
});

test('a row without frames is its title', async (t) => {
  const sheet = await draw([{ title: 'L', frames: [] }]);
  t.deepEqual([sheet.width, sheet.height], [528, 72]);
  t.deepEqual(pixel(sheet, TITLE.x, TITLE.y), [...LIGHT_TEXT]);
});

test('frames stand under their title with even gaps, rows under one another', async (t) => {
  const red = solid(16, 16, [200, 0, 0]);
  const blue = solid(32, 16, [0, 0, 200]);
  const rows = [
    { title: 'first', frames: [red, blue, red] },
    { title: 'second', frames: [blue] },
  ];
  const sheet = await draw(rows, { frameHeight: 16 });
  t.deepEqual([sheet.width, sheet.height], [528, 48 + 2 * (24 + 16) + 20]);
  const { x, y } = FRAME;
  const row = (top: number, places: number[]): number[][] =>
    places.map((place) => pixel(sheet, place, top));
  t.deepEqual(row(y, [x - 1, x, x + 15, x + 16, x + 19, x + 20]), [
    [...DARK],
    [200, 0, 0],
    [200, 0, 0],
    [...DARK],
    [...DARK],
    [0, 0, 200],
  ]);
  t.deepEqual(row(y + 15, [x + 51, x + 52, x + 56, x + 71, x + 72]), [
    [0, 0, 200],
    [...DARK],
    [200, 0, 0],
    [200, 0, 0],
    [...DARK],
  ]);
  t.deepEqual(pixel(sheet, x, y - 1), [...DARK]);
  t.deepEqual(pixel(sheet, x, y + 16), [...DARK]);
  t.deepEqual(pixel(sheet, x, y + 16 + 20 + 24), [0, 0, 200]);
});

test('frames are scaled to the height; very wide ones to three heights, which makes the strip lower', async (t) => {
  const tall = solid(50, 100, [10, 200, 30]);
  const wide = solid(1200, 100, [10, 30, 200]);
  const { x, y } = FRAME;
  const both = await draw([{ title: '', frames: [tall, wide] }], { frameHeight: 20 });
  t.is(both.height, 48 + 24 + 20);
  t.deepEqual(pixel(both, x + 9, y + 19), [10, 200, 30]);
  t.deepEqual(pixel(both, x + 10, y + 19), [...DARK]);
  t.deepEqual(pixel(both, x + 14, y + 6), [...DARK]);
  t.deepEqual(pixel(both, x + 14, y + 7), [10, 30, 200]);
  t.deepEqual(pixel(both, x + 14 + 59, y + 11), [10, 30, 200]);
  t.deepEqual(pixel(both, x + 14 + 60, y + 11), [...DARK]);
  const alone = await draw([{ title: '', frames: [wide] }], { frameHeight: 20 });
  t.is(alone.height, 48 + 24 + 5);
});

for (const { maxFramesPerRow, shown } of [
  { maxFramesPerRow: 1, shown: [4] },
  { maxFramesPerRow: 2, shown: [0, 9] },
  { maxFramesPerRow: 4, shown: [0, 3, 6, 9] },
  { maxFramesPerRow: 20, shown: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] },
]) {
  test(`of 10 frames, ${maxFramesPerRow} at most are ${shown.join(', ')}`, async (t) => {
    const frames = Array.from({ length: 10 }, (_, at) => solid(8, 8, [100 + at, 0, 0]));
    const sheet = await draw([{ title: '', frames }], { frameHeight: 8, maxFramesPerRow });
    const red = Array.from({ length: 11 }, (_, at) => pixel(sheet, FRAME.x + at * 12, FRAME.y)[0]);
    t.deepEqual(
      red.filter((level) => level !== DARK[0]),
      shown.map((at) => 100 + at),
    );
  });
}

test('letters have the pixels of the font, doubled, with steps filled', async (t) => {
  const sheet = await draw([{ title: 'Lz', frames: [] }]);
  const picture = Array.from({ length: 14 }, (_, row) =>
    Array.from({ length: 22 }, (__, column) =>
      pixel(sheet, TITLE.x + column, TITLE.y + row)[0] === LIGHT_TEXT[0] ? '#' : '.',
    ).join(''),
  );
  t.deepEqual(picture, [
    '##....................',
    '##....................',
    '##....................',
    '##....................',
    '##..........##########',
    '##..........##########',
    '##................##..',
    '##...............###..',
    '##..............###...',
    '##.............###....',
    '##............###.....',
    '##............##......',
    '##########..##########',
    '##########..##########',
  ]);
});

test('a light background has dark text', async (t) => {
  const sheet = await draw([{ title: 'L', frames: [] }], { background: [250, 249, 245] });
  t.deepEqual(pixel(sheet, 0, 0), [250, 249, 245]);
  t.deepEqual(pixel(sheet, TITLE.x, TITLE.y), [52, 54, 60]);
});

for (const { title, shown } of [
  { title: 'é 視 😀\n', shown: '? ? ??' },
  { title: `${'a'.repeat(30)}${'b'.repeat(30)}`, shown: `${'a'.repeat(19)}..${'b'.repeat(19)}` },
]) {
  test(`${JSON.stringify(title)} shows as ${shown}`, async (t) => {
    t.true(isSame(await draw([{ title, frames: [] }]), await draw([{ title: shown, frames: [] }])));
  });
}

for (const [length, shown] of [
  [7, 'abcdefg'],
  [6, 'ab..fg'],
  [5, 'ab..g'],
  [4, 'a..g'],
  [3, 'abc'],
  [0, ''],
] as const) {
  test(`"abcdefg" in ${length} characters is "${shown}"`, (t) => {
    t.is(shortenText('abcdefg', length), shown);
  });
}

for (const [name, options, frame] of [
  ['frameHeight 7', { frameHeight: 7 }, solid(8, 8, DARK)],
  ['maxFramesPerRow 0', { maxFramesPerRow: 0 }, solid(8, 8, DARK)],
  ['background 256', { background: [0, 0, 256] }, solid(8, 8, DARK)],
  ['a frame with too little data', {}, { width: 8, height: 9, data: new Uint8Array(192) }],
  ['a frame without width', {}, { width: 0, height: 8, data: new Uint8Array(0) }],
] as const) {
  test(`refuses ${name}`, async (t) => {
    await t.throwsAsync(contactSheet([{ title: '', frames: [frame] }], options), {
      instanceOf: RangeError,
    });
  });
}
