/** Memory over tens of thousands of decoded JPEG files, good and bad, of changing cuts; and over decoders made and closed. */

import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import { createRng } from '../../lib/core/index.ts';
import { JpegDecoder } from '../../lib/decode/index.ts';
import { hasProc, residentBytesOfTree } from '../helpers/processes.ts';
import { SAMPLINGS, wavyJpeg } from '../helpers/sample-jpegs.ts';

const isWanted = hasProc && process.env['TUBELET_SLOW_TESTS'] === '1';
const slowTest = isWanted ? test.serial : test.serial.skip;

const MIB = 2 ** 20;
const ALLOWED_GROWTH_MIB = 24;
const files = Object.values(SAMPLINGS).flatMap(({ sampling }) =>
  [
    { width: 128, height: 96 },
    { width: 113, height: 97 },
  ].map((size) => wavyJpeg({ ...size, sampling })),
);
const out = new Uint8Array(64 * 48 * 3);

/** Peaks of resident memory in the second and the last quarter of so many steps. */
async function peaksOver(
  numSteps: number,
  step: (index: number) => void,
): Promise<readonly [number, number]> {
  const samples: number[] = [];
  for (let index = 0; index < numSteps; index++) {
    step(index);
    // What FFmpeg's objects hold is only given back between turns of the event loop.
    if (index % 16 === 0) await setImmediate();
    if (index % Math.ceil(numSteps / 400) === 0)
      samples.push(residentBytesOfTree(process.pid) / MIB);
  }
  const peakOf = (from: number, to: number): number =>
    Math.max(...samples.slice(samples.length * from, samples.length * to));
  return [peakOf(0.25, 0.5), peakOf(0.75, 1)];
}

const rows: readonly (readonly [name: string, count: number, damagedOneIn: number])[] = [
  ['good files', 20_000, Infinity],
  ['files of which half are damaged', 20_000, 2],
];

for (const [name, count, damagedOneIn] of rows) {
  slowTest(`memory is flat over ${count} ${name}`, async (t) => {
    t.timeout(300_000);
    using decoder = new JpegDecoder();
    const rng = createRng(0, name);
    let numDecoded = 0;
    const [early, late] = await peaksOver(count, (index) => {
      const file = files[rng.integer(0, files.length)]!;
      const [left, top] = [rng.integer(0, 40), rng.integer(0, 40)];
      const crop = { left, top, width: rng.integer(20, 70), height: rng.integer(20, 50) };
      const cut = { crop, size: { width: 64, height: 48 } };
      const isDamaged = index % damagedOneIn === damagedOneIn - 1;
      const length = isDamaged ? rng.integer(0, file.length) : file.length;
      try {
        decoder.decode(file.subarray(0, length), cut, out);
        numDecoded++;
      } catch (error) {
        if (!isDamaged) throw error;
      }
    });
    t.is(numDecoded, damagedOneIn === 2 ? count / 2 : count);
    t.log(`peak ${early.toFixed(0)} MiB early, ${late.toFixed(0)} MiB late`);
    t.true(late - early < ALLOWED_GROWTH_MIB);
  });
}

slowTest('memory is flat over 3000 decoders', async (t) => {
  t.timeout(300_000);
  const [early, late] = await peaksOver(3000, (index) => {
    using decoder = new JpegDecoder();
    decoder.decode(files[index % files.length]!, { size: { width: 64, height: 48 } }, out);
  });
  t.log(`peak ${early.toFixed(0)} MiB early, ${late.toFixed(0)} MiB late`);
  t.true(late - early < 2 * ALLOWED_GROWTH_MIB);
});
