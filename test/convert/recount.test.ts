import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { convert, openDataset } from '../../lib/index.ts';
import { writeGreyVideo } from '../helpers/grey-videos.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';

for (const clips of [1, 3, 'all'] as const) {
  test(`tubelets of a video whose end is lost come from what is left: clips ${clips}`, async (t) => {
    const folder = await temporaryFolder(t);
    const source = join(folder, 'source');
    const path = join(source, 'v.mp4');
    await writeGreyVideo(path, { frames: 60 });
    const bytes = await readFile(path);
    const mdat = bytes.indexOf('mdat', 0, 'latin1') + 4;
    const moov = bytes.indexOf('moov', mdat, 'latin1') - 4;
    bytes.fill(0, mdat + Math.floor((moov - mdat) * 0.35), moov);
    await writeFile(path, bytes);
    const out = join(folder, 'out');
    const options = { out, stride: 1, frames: 4, size: 16, tubelet: [2, 8, 8], clips } as const;
    const summary = await convert(source, { ...options, layout: 'tubelets' });
    t.deepEqual(summary.failures, {});
    t.true((summary.warnings['damaged'] ?? 0) > 0);
    await using dataset = await openDataset(out);
    t.true(dataset.numSamples >= 1);
    for await (const { frameIndex, source: facts } of dataset.samples()) {
      t.is(frameIndex.length, 4);
      t.true(facts.frames !== null && facts.frames < 60);
      t.true(frameIndex.every((index) => index < (facts.frames ?? 0)));
    }
  });
}
