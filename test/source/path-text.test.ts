import test from 'ava';
import { displayPath, videoFilePath } from '../../lib/source/index.ts';
import { bytesFromText, normalizePath, textFromBytes } from '../../lib/source/path-text.ts';
import { createRng } from '../../lib/core/index.ts';

const names: readonly (readonly [bytes: Buffer, text: string])[] = [
  [Buffer.from('a/b.mp4'), 'a/b.mp4'],
  [Buffer.from('日本/é😀.mp4'), '日本/é😀.mp4'],
  [Buffer.from('caf\xe9.mp4', 'latin1'), 'caf\udce9.mp4'],
  [Buffer.from([0xc3, 0xa9, 0xc3, 0xff]), 'é\udcc3\udcff'],
  [Buffer.from([0xf0, 0x9f, 0x98]), '\udcf0\udc9f\udc98'],
  // A surrogate and an overlong slash, both forbidden in UTF-8.
  [Buffer.from([0xed, 0xb2, 0x80]), '\udced\udcb2\udc80'],
  [Buffer.from([0xc0, 0xaf]), '\udcc0\udcaf'],
];

for (const [bytes, text] of names) {
  test(`bytes ${bytes.toString('hex')} are a text and back`, (t) => {
    t.is(textFromBytes(bytes), text);
    t.deepEqual(bytesFromText(text), bytes);
  });
}

test('any bytes come back', (t) => {
  const rng = createRng(0, 'bytes');
  for (let round = 0; round < 500; round++) {
    const bytes = Buffer.from(Array.from({ length: 12 }, () => rng.integer(0, 256)));
    const text = textFromBytes(bytes);
    t.deepEqual(bytesFromText(text), bytes);
    t.deepEqual(JSON.parse(JSON.stringify(text)), text);
  }
});

for (const [path, expected] of [
  ['a/b.mp4', 'a/b.mp4'],
  ['./a//b.mp4', 'a/b.mp4'],
  ['/x//y/./z', '/x/y/z'],
  ['../x/a/../b', '../x/a/../b'],
  ['.hidden/..x/x..', '.hidden/..x/x..'],
  ['a/', 'a'],
  ['.', ''],
  ['//', '/'],
] as const) {
  test(`normalizePath: ${path} is ${expected}`, (t) => {
    t.is(normalizePath(path), expected);
  });
}

test('displayPath shows bytes and control characters', (t) => {
  t.is(displayPath('caf\udce9/é\n😀.mp4'), String.raw`caf\xe9/é\x0a😀.mp4`);
});

test('videoFilePath joins, keeps absolute paths, and gives bytes where it must', (t) => {
  t.is(videoFilePath('/data', 'a/b.mp4'), '/data/a/b.mp4');
  t.is(videoFilePath('/data', '/other/b.mp4'), '/other/b.mp4');
  t.deepEqual(videoFilePath('/dä', '\udce9.mp4'), Buffer.from('/d\xc3\xa4/\xe9.mp4', 'latin1'));
});
