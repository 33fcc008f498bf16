import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { convert } from '../../lib/convert/index.ts';
import { decodeImage } from '../../lib/sample/index.ts';
import { openDataset } from '../../lib/shard/index.ts';
import { datasetSheet, inspect, writeDatasetSheet } from '../../lib/study/index.ts';
import { runCli, runJson } from '../helpers/cli.ts';
import { writeGreyVideo } from '../helpers/grey-videos.ts';
import { makeSample, temporaryFolder, writeDataset } from '../helpers/make-dataset.ts';

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
    /duration +0:10\n/,
    /source of a sample +1\.0 to 4\.0, median 3\.0 s; 10\.0 to 25\.0, median 10\.0 frames per second\n/,
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

test('damaged samples are counted and drawn as such, the others are shown', async (t) => {
  const folder = await temporaryFolder(t);
  const out = await writeKnown(folder);
  await using dataset = await openDataset(out);
  const { key, shard, offset } = await dataset.entry(0);
  const tar = join(out, `${shard}.tar`);
  const bytes = await readFile(tar);
  bytes[offset + 20]! ^= 1;
  await writeFile(tar, bytes);
  const found = await inspect(out);
  t.deepEqual([found.samplesRead, found.samplesUnreadable], [3, 1]);
  t.regex((await runCli('inspect', out)).stdout, /unreadable +1 of 4 samples looked at\n/);
  // A row with pictures, and one of which there is only the title.
  const { height } = await decodeImage(await datasetSheet(out));
  t.is(height, 48 + (24 + 112) + 20 + 24);
  await t.throwsAsync(datasetSheet(out, { key }), { code: 'TUBE_SAMPLE_DAMAGED' });
  await rm(tar);
  const { samplesUnreadable, classes } = await inspect(out);
  t.true(samplesUnreadable > 0);
  t.is(classes.length, 2);
});

test('the keys of a dataset are listed one a line, in order', async (t) => {
  const out = join(await temporaryFolder(t), 'out');
  await mkdir(out);
  await writeDataset(out, [2, 0, 5]);
  const keys = Array.from({ length: 7 }, (_, i) => `${makeSample(i).key}\n`);
  t.like(await runCli('inspect', out, '--keys'), { code: 0, stdout: keys.join(''), stderr: '' });
});

test('wrong numbers are refused by name', async (t) => {
  const folder = await temporaryFolder(t);
  await writeDataset(folder, [2]);
  for (const rows of [0, -1.5, NaN]) {
    const error = await t.throwsAsync(datasetSheet(folder, { rows }), { instanceOf: RangeError });
    t.regex(error.message, /^"rows"/);
  }
  await t.throwsAsync(datasetSheet(folder, { frames: 0 }), { instanceOf: RangeError });
  for (const rows of ['0', '-1.5']) {
    const png = join(folder, 'x.png');
    const { code, stderr } = await runCli('inspect', folder, `--rows=${rows}`, '--out', png);
    t.is(code, 2);
    t.regex(stderr, /^--rows/);
  }
});

test('a sheet that cannot be written is an error with its path', async (t) => {
  const folder = await temporaryFolder(t);
  const out = await writeKnown(folder);
  const path = join(folder, 'none', 'x.png');
  await t.throwsAsync(writeDatasetSheet(out, path), { code: 'TUBE_OUT_NOT_WRITABLE' });
  const { code, stderr } = await runCli('inspect', out, '--out', path);
  t.is(code, 1);
  t.regex(stderr, /^TUBE_OUT_NOT_WRITABLE: .*x\.png/);
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
