import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { JpegDecoder } from '../../lib/decode/index.ts';
import type { JpegWork } from '../helpers/jpeg-thread.ts';
import { SAMPLINGS, wavyJpeg } from '../helpers/sample-jpegs.ts';

const FILES = Object.values(SAMPLINGS).flatMap(({ sampling }) =>
  [
    { width: 40, height: 64 },
    { width: 33, height: 35 },
  ].map((size) => wavyJpeg({ ...size, sampling })),
);
const size = { width: 24, height: 20 };
const CUTS: JpegWork['cuts'] = [
  { cut: { size }, numBytes: 24 * 20 * 3 },
  { cut: { crop: { left: 3, top: 5, width: 21, height: 13 } }, numBytes: 21 * 13 * 3 },
  { cut: { crop: { left: 3, top: 5, width: 9, height: 9 }, size }, numBytes: 24 * 20 * 3 },
];

function decodeAll(decoder: JpegDecoder): Uint8Array[] {
  return FILES.flatMap((file) =>
    CUTS.map(({ cut, numBytes }) => {
      const out = new Uint8Array(numBytes);
      decoder.decode(file, cut, out);
      return out;
    }),
  );
}

async function decodeInThread(isCareless: boolean): Promise<Uint8Array[]> {
  const workerData: JpegWork = { files: FILES, cuts: CUTS, isCareless };
  const thread = new Worker(new URL('../helpers/jpeg-thread.js', import.meta.url), { workerData });
  const ended = once(thread, 'exit');
  const [pictures] = (await once(thread, 'message')) as [Uint8Array[]];
  const [code] = (await ended) as [number];
  if (code !== 0) throw new Error(`thread ended with ${code}`);
  return pictures;
}

test('pixels are the same in every call, decoder and thread', async (t) => {
  using decoder = new JpegDecoder();
  const expected = decodeAll(decoder);
  t.true(expected.every((pixels) => pixels.some((value) => value !== pixels[0])));
  t.deepEqual(decodeAll(decoder), expected);
  for (let round = 0; round < 3; round++) {
    const all = await Promise.all([true, false].map(decodeInThread));
    for (const pictures of all) t.deepEqual(pictures, expected);
  }
  t.deepEqual(decodeAll(decoder), expected);
});

test('decoders side by side do not disturb each other', (t) => {
  using first = new JpegDecoder();
  const expected = decodeAll(first);
  const decoders = Array.from({ length: 8 }, () => new JpegDecoder());
  for (const [place, { cut, numBytes }] of CUTS.entries()) {
    for (const [which, file] of FILES.entries()) {
      for (const decoder of decoders) {
        const out = new Uint8Array(numBytes);
        decoder.decode(file, cut, out);
        t.deepEqual(out, expected[which * CUTS.length + place]);
      }
    }
    decoders.pop()?.[Symbol.dispose]();
  }
  for (const decoder of decoders) decoder[Symbol.dispose]();
});

test('a decoder is closed once, and then refuses', (t) => {
  const decoder = new JpegDecoder();
  const unused = new JpegDecoder();
  decodeAll(decoder);
  for (const closed of [decoder, unused]) {
    closed[Symbol.dispose]();
    closed[Symbol.dispose]();
    t.throws(() => decodeAll(closed), { code: 'TUBE_INTERNAL', message: /closed/ });
    closed[Symbol.dispose]();
  }
});
