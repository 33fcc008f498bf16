/** Memory of a loader over ten thousand batches: the ring and what the workers need, and no byte more at the end than in the middle. */

import test from 'ava';
import { openLoader } from '../../lib/load/index.ts';
import type { LoaderOptions } from '../../lib/load/index.ts';
import { writeClips } from '../helpers/make-clips.ts';
import type { ClipsForm } from '../helpers/make-clips.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';
import { hasProc, residentBytesOfTree } from '../helpers/processes.ts';

const isWanted = hasProc && process.env['TUBELET_SLOW_TESTS'] === '1';
const slowTest = isWanted ? test.serial : test.serial.skip;

const MIB = 2 ** 20;
const NUM_BATCHES = 10_000;
const ALLOWED_GROWTH_MIB = 24;

const rows: readonly (readonly [name: string, form: ClipsForm, options: Partial<LoaderOptions>])[] =
  [
    ['tubelets', { layout: 'tubelets', shape: [4, 32, 32, 3], sizes: [40, 40] }, {}],
    [
      'jpeg',
      { layout: 'jpeg', shape: [6, 64, 85, 3], sizes: [40, 40] },
      {
        numFrames: 4,
        size: 32,
        tubelet: [2, 8, 8],
        crop: 'multi-scale',
        mask: { kind: 'tube', ratio: 0.75 },
      },
    ],
  ];

for (const [name, form, options] of rows) {
  slowTest(`memory is flat over ${NUM_BATCHES} batches of ${name}`, async (t) => {
    t.timeout(900_000);
    const folder = await temporaryFolder(t);
    await writeClips(folder, form);
    const all = { batchSize: 4, seed: 0, epochs: Infinity, workers: 2, ...options };
    await using loader = await openLoader(folder, all);
    const samples: number[] = [];
    for (let batch = 0; batch < NUM_BATCHES; batch++) {
      await loader.next();
      if (batch % 100 === 0) samples.push(residentBytesOfTree(process.pid) / MIB);
    }
    const peakOf = (part: readonly number[]): number => Math.max(...part);
    const [middle, end] = [peakOf(samples.slice(20, 60)), peakOf(samples.slice(60))];
    t.log(`peak ${middle.toFixed(0)} MiB in the middle, ${end.toFixed(0)} MiB at the end`);
    t.true(end - middle < ALLOWED_GROWTH_MIB);
  });
}
