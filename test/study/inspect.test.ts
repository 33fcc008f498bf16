import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { convert } from '../../lib/convert/index.ts';
import { decodeImage } from '../../lib/sample/index.ts';
import { openDataset } from '../../lib/shard/index.ts';
import { datasetSheet, inspect } from '../../lib/study/index.ts';
import { runCli, runJson } from '../helpers/cli.ts';
import { writeGreyVideo } from '../helpers/grey-videos.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';

/** Three videos of class a, one of class b, one damaged. */
async function writeKnown(folder: string): Promise<string> {
  const videos = join(folder, 'videos');
  await writeGreyVideo(join(videos, 'a', '0.mp4'), { frames: 20 });
  await writeGreyVideo(join(videos, 'a', '1.mp4'), { frames: 30 });
  await writeGreyVideo(join(videos, 'a', '2.webm'), { frames: 25, fps: 25, codec: 'vp8' });
  await writeGreyVideo(join(videos, 'b', '3.mp4'), { frames: 40, width: 32, height: 96 });
  await writeFile(join(videos, 'b', 'bad.mp4'), 'bad');
  const out = join(folder, 'out');
  await convert(videos, { out, stride: 1, shortSide: 24, maxFailures: 1, videosPerShard: 2 });
  return out;
}

test('inspecting a known dataset gives its numbers', async (t) => {
  const out = await writeKnown(await temporaryFolder(t));
  const found = await inspect(out);
  t.deepEqual(found.classes, [
    { label: 0, name: 'a', samples: 3, frames: 75 },
    { label: 1, name: 'b', samples: 1, frames: 40 },
  ]);
  t.deepEqual(found.framesPerSample, { min: 20, median: 30, max: 40 });
  t.is(found.samplesRead, 4);
  t.deepEqual(found.sourceSeconds, { min: 1, median: 3, max: 4 });
  t.deepEqual(found.sourceFps, { min: 10, median: 10, max: 25 });
  t.deepEqual(Object.entries(found.sourceSizes), [
    ['64x48', 3],
    ['32x96', 1],
  ]);
  t.deepEqual(Object.entries(found.storedSizes), [
    ['32x24', 3],
    ['24x72', 1],
  ]);
  t.like(found.info, { name: 'train', split: 'train', classes: ['a', 'b'] });
  t.like(found.info.totals, { videos: 4, samples: 4, frames: 115, seconds: 10 });
  t.deepEqual(found.info.totals.failures, { TUBE_NOT_VIDEO: 1 });

  const json = await runJson('inspect', out);
  t.deepEqual(json, JSON.parse(JSON.stringify(found)) as typeof json);
  const { stdout } = await runCli('inspect', out);
  for (const line of [
    /videos +4 of 5\n/,
    /samples +4\n/,
    /frames +115 /,
    /failed +1 TUBE_NOT_VIDEO\n/,
    /a +3 +75\n/,
    /b +1 +40\n/,
  ]) {
    t.regex(stdout, line);
  }
});

/** Rows of a contact sheet, from its height. */
function rowsOf(height: number): number {
  return (height - 48 + 20) / (24 + 112 + 20);
}

test('contact sheets of the dataset and of one sample are pictures', async (t) => {
  const folder = await temporaryFolder(t);
  const out = await writeKnown(folder);
  await using dataset = await openDataset(out);
  const { key } = await dataset.entry(0);
  const numFrames = (await dataset.read(0)).frameIndex.length;
  const sheet = join(folder, 'sheet.png');
  t.is((await runCli('inspect', out, '--out', sheet)).code, 0);
  const all = await decodeImage(await readFile(sheet));
  t.is((await runCli('inspect', out, '--out', sheet, '--key', key)).code, 0);
  const one = await decodeImage(await readFile(sheet));
  t.is(rowsOf(all.height), 2);
  t.is(rowsOf(one.height), Math.ceil(numFrames / 8));
  t.is(rowsOf((await decodeImage(await datasetSheet(out, { rows: 1 }))).height), 1);
});

test('an unknown key is told', async (t) => {
  const folder = await temporaryFolder(t);
  const out = await writeKnown(folder);
  await t.throwsAsync(datasetSheet(out, { key: 'no-such-key' }), { code: 'TUBE_SAMPLE_NOT_FOUND' });
  const { code, stderr } = await runCli(
    'inspect',
    out,
    '--key',
    'nope',
    '--out',
    join(folder, 'x.png'),
  );
  t.is(code, 1);
  t.regex(stderr, /TUBE_SAMPLE_NOT_FOUND.*nope/);
});

test('a dataset without a single sample can be inspected', async (t) => {
  const folder = await temporaryFolder(t);
  const [videos, out] = [join(folder, 'videos'), join(folder, 'out')];
  await writeGreyVideo(join(videos, 'v.mp4'), { frames: 1 });
  await writeFile(join(videos, 'v.mp4'), 'bad');
  await convert(videos, { out, maxFailures: 1 });
  const found = await inspect(out);
  t.deepEqual([found.classes, found.samplesRead], [[], 0]);
  t.is((await runCli('inspect', out, '--out', join(folder, 'x.png'))).code, 0);
  t.is((await runCli('verify', out)).code, 0);
});
