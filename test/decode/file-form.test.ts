import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test from 'ava';
import { checkFileForm } from '../../lib/decode/file-form.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';

const MP4 = 'mov,mp4,m4a,3gp,3g2,mj2';
const MKV = 'matroska,webm';

function box(type: string, bytes: number, declared = bytes + 8): Buffer {
  const data = Buffer.alloc(bytes + 8);
  data.writeUInt32BE(declared, 0);
  data.write(type, 4, 'latin1');
  return data;
}

/** A box whose length takes 64 bits. */
function longBox(type: string, bytes: number, declared = bytes + 16): Buffer {
  const data = Buffer.alloc(bytes + 16);
  data.writeUInt32BE(1, 0);
  data.write(type, 4, 'latin1');
  data.writeBigUInt64BE(BigInt(declared), 8);
  return data;
}

function riff(bytes: number, declared = bytes + 4): Buffer {
  const data = Buffer.alloc(bytes + 12 + (declared % 2));
  data.write('RIFF', 0, 'latin1');
  data.writeUInt32LE(declared, 4);
  data.write('AVI ', 8, 'latin1');
  return data;
}

const WHOLE = Buffer.concat([box('ftyp', 16), box('mdat', 500), box('moov', 90)]);

const CASES: readonly (readonly [
  what: string,
  name: string,
  container: string,
  content: Buffer,
  codes: readonly string[],
])[] = [
  ['whole', 'a.mp4', MP4, WHOLE, []],
  ['whole, capital letters', 'A.MOV', MP4, WHOLE, []],
  ['whole, an extension that says nothing', 'a.video', MP4, WHOLE, []],
  ['no extension', 'video', MP4, WHOLE, ['extension']],
  ['a folder with a dot is no extension', 'b.mp4/video', MP4, WHOLE, ['extension']],
  ['mp4 named avi', 'a.avi', MP4, WHOLE, ['extension']],
  ['mkv named mp4', 'a.mp4', MKV, Buffer.alloc(100), ['extension']],
  ['mkv named webm', 'a.webm', MKV, Buffer.alloc(100), []],
  ['ts named mts', 'a.mts', 'mpegts', Buffer.from([0x47, 1, 2, 3, 4]), []],
  ['cut in a box', 'a.mp4', MP4, WHOLE.subarray(0, -1), ['cut-short']],
  ['cut in the head of a box', 'a.mp4', MP4, WHOLE.subarray(0, 24 + 508 + 5), ['extra-data']],
  ['cut between boxes looks whole', 'a.mp4', MP4, WHOLE.subarray(0, 24 + 508), []],
  ['something appended', 'a.mp4', MP4, Buffer.concat([WHOLE, Buffer.alloc(3)]), ['extra-data']],
  ['zeros appended', 'a.mp4', MP4, Buffer.concat([WHOLE, Buffer.alloc(64)]), ['extra-data']],
  ['a last box to the end', 'a.mp4', MP4, Buffer.concat([WHOLE, box('mdat', 9, 0)]), []],
  [
    'a box shorter than its head',
    'a.mp4',
    MP4,
    Buffer.concat([WHOLE, box('free', 9, 7)]),
    ['extra-data'],
  ],
  ['64 bits of length', 'a.mp4', MP4, Buffer.concat([box('ftyp', 8), longBox('mdat', 40)]), []],
  ['64 bits, too long', 'a.mp4', MP4, longBox('mdat', 40, 2 ** 50), ['cut-short']],
  ['64 bits, too short', 'a.mp4', MP4, longBox('mdat', 40, 4), ['extra-data']],
  ['a type of the copyright sign', 'a.mov', MP4, Buffer.concat([WHOLE, box('\u00A9xyz', 4)]), []],
  ['avi, whole', 'a.avi', 'avi', riff(300), []],
  ['avi of two parts', 'a.avi', 'avi', Buffer.concat([riff(300), riff(50)]), []],
  ['avi of odd length', 'a.avi', 'avi', riff(301), []],
  ['avi cut', 'a.avi', 'avi', riff(300).subarray(0, 200), ['cut-short']],
  [
    'avi with something behind',
    'a.avi',
    'avi',
    Buffer.concat([riff(300), Buffer.alloc(20)]),
    ['extra-data'],
  ],
  ['ts', 'a.ts', 'mpegts', Buffer.from([0x47, 0, 0, 0, 0, 0]), []],
  ['ts with times', 'a.m2ts', 'mpegts', Buffer.from([0, 0, 0, 0, 0x47, 0]), []],
  ['ts that starts elsewhere', 'a.ts', 'mpegts', Buffer.from([9, 9, 9, 9, 9, 0x47]), ['cut-short']],
];

for (const [what, name, container, content, codes] of CASES) {
  test(`file form: ${what}`, async (t) => {
    const folder = await temporaryFolder(t);
    const file = join(folder, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
    t.deepEqual(
      checkFileForm(file, container).map(({ code }) => code),
      codes,
    );
    t.deepEqual(checkFileForm(Buffer.from(file), container), checkFileForm(file, container));
  });
}

test('a file that vanished before it was looked at is told as missing', (t) => {
  const code = 'TUBE_FILE_NOT_FOUND';
  t.throws(() => checkFileForm('/nowhere/clip.mp4', 'mov,mp4'), { code });
});
