import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { convert } from '../../lib/convert/index.ts';
import type { ConvertOptions } from '../../lib/convert/index.ts';
import { VideoReader } from '../../lib/decode/index.ts';
import { makeDemoVideos } from '../../lib/demo/index.ts';
import { centerCrop, joinTubelets, shortSideSize } from '../../lib/sample/index.ts';
import type { Sample } from '../../lib/shard/index.ts';
import { writeGreyVideo } from '../helpers/grey-videos.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';
import { allSamples } from '../helpers/samples.ts';

const CLIP = { layout: 'tubelets', size: 32, tubelet: [2, 8, 8], workers: 2 } as const;

function range(start: number, count: number, step = 1): number[] {
  return Array.from({ length: count }, (_, i) => start + i * step);
}

interface Row {
  readonly title: string;
  readonly frames: number;
  readonly options: Partial<ConvertOptions>;
  readonly clips: readonly (readonly number[])[];
}

const ROWS: readonly Row[] = [
  {
    title: 'one clip from the middle',
    frames: 30,
    options: { frames: 4, stride: 2 },
    clips: [[11, 13, 15, 17]],
  },
  {
    title: 'three clips from end to end',
    frames: 30,
    options: { frames: 4, stride: 2, clips: 3 },
    clips: [range(0, 4, 2), range(11, 4, 2), range(23, 4, 2)],
  },
  {
    title: 'clips that overlap',
    frames: 6,
    options: { frames: 4, stride: 1, clips: 3 },
    clips: [range(0, 4), range(1, 4), range(2, 4)],
  },
  {
    title: 'all clips, the rest left out',
    frames: 30,
    options: { frames: 4, stride: 2, clips: 'all' },
    clips: range(0, 4).map((clip) => range(clip * 7, 4, 2)),
  },
  {
    title: 'a clip as long as the video',
    frames: 7,
    options: { frames: 4, stride: 2 },
    clips: [[0, 2, 4, 6]],
  },
  {
    title: 'a short video stays at its last frame',
    frames: 5,
    options: { frames: 4, stride: 2 },
    clips: [[0, 2, 4, 4]],
  },
  {
    title: 'a short video is repeated',
    frames: 5,
    options: { frames: 4, stride: 2, shortVideo: 'loop' },
    clips: [[0, 2, 4, 1]],
  },
  {
    title: 'two clips of a short video are the same frames',
    frames: 3,
    options: { frames: 4, stride: 1, clips: 2, shortVideo: 'repeat-last' },
    clips: [
      [0, 1, 2, 2],
      [0, 1, 2, 2],
    ],
  },
  {
    title: '5 frames a second of 10, next to each other',
    frames: 30,
    options: { frames: 4, fps: 5, clips: 'all' },
    clips: range(0, 3).map((clip) => range(clip * 8, 4, 2)),
  },
];

for (const { title, frames, options, clips } of ROWS) {
  test(title, async (t) => {
    const folder = await temporaryFolder(t);
    const [videos, out] = [join(folder, 'videos'), join(folder, 'out')];
    await writeGreyVideo(join(videos, 'cls', 'v.mp4'), { frames });
    const summary = await convert(videos, { ...CLIP, out, ...options });
    const samples = await allSamples(out);
    t.deepEqual(
      samples.map(({ frameIndex }) => frameIndex),
      clips,
    );
    t.like(summary, { videos: 1, clips: clips.length, frames: clips.flat().length });
    for (const sample of samples) {
      t.true(sample.frameIndex.every((i, k) => Math.abs(sample.ptsSeconds[k]! - i / 10) < 1e-9));
      t.deepEqual(sample.clipShape, [4, 32, 32, 3]);
      t.deepEqual(sample.tubelet, [2, 8, 8]);
      t.deepEqual(sample.shape, [2 * 4 * 4, 2 * 8 * 8 * 3]);
      t.like(sample.source, { frames, seconds: frames / 10 });
      t.true(await isCutFrom(join(videos, 'cls', 'v.mp4'), sample, 32));
    }
  });
}

/** Whether the tubelets, put together, are the frames that the reader gives, scaled and cropped. */
async function isCutFrom(file: string, sample: Sample, shortSide: number): Promise<boolean> {
  const [numFrames = 0, height = 0, width = 0] = sample.clipShape ?? [];
  const [time = 0, rows = 0, columns = 0] = sample.tubelet ?? [];
  const frames = new Map<number, Uint8Array>();
  const reader = new VideoReader(file, {
    method: 'count',
    chooseSize: (displayed) => {
      const scaled = shortSideSize(displayed.width, displayed.height, shortSide);
      return { ...scaled, crop: centerCrop(scaled.width, scaled.height, width) };
    },
  });
  for await (const { frameIndex, data } of reader.frames()) frames.set(frameIndex, data);
  const wanted = Buffer.concat(sample.frameIndex.map((i) => frames.get(i)!));
  const clip = joinTubelets(
    sample.data as Uint8Array,
    [numFrames, height, width, 3],
    [time, rows, columns],
  );
  return Buffer.compare(wanted, clip) === 0;
}

test('videos of all demo forms: clips are the frames that the reader gives', async (t) => {
  const folder = await temporaryFolder(t);
  const [videos, out] = [join(folder, 'videos'), join(folder, 'out')];
  await makeDemoVideos(videos, { perClass: 4, seconds: 1 });
  const options = { frames: 8, size: 48, shortSide: 60, tubelet: [4, 16, 16], stride: 2 } as const;
  const summary = await convert(videos, { layout: 'tubelets', out, ...options });
  const samples = await allSamples(out);
  t.is(samples.length, summary.videos);
  t.is(new Set(samples.map(({ class: name }) => name)).size, 10);
  for (const sample of samples.filter((_, i) => i % 7 === 0)) {
    t.deepEqual(sample.shape, [2 * 3 * 3, 4 * 16 * 16 * 3]);
    t.true(await isCutFrom(join(videos, sample.source.path), sample, 60), sample.key);
  }
});

test('spans of a list bound the clips', async (t) => {
  const folder = await temporaryFolder(t);
  const out = join(folder, 'out');
  await writeGreyVideo(join(folder, 'v.mp4'), { frames: 200 });
  const list = join(folder, 'list.csv');
  await writeFile(list, 'path,start,end\nv.mp4,15,17\nv.mp4,0,0.3\n');
  await convert(list, { ...CLIP, out, frames: 4, stride: 2, clips: 'all', shuffle: false });
  const samples = await allSamples(out);
  t.deepEqual(
    samples.map(({ frameIndex }) => frameIndex).sort((a, b) => a[0]! - b[0]!),
    [[0, 2, 2, 2], range(150, 4, 2), range(157, 4, 2)],
  );
  for (const sample of samples) t.true(await isCutFrom(join(folder, 'v.mp4'), sample, 32));
});

test('policy error lists the short video with its length', async (t) => {
  const folder = await temporaryFolder(t);
  const [videos, out] = [join(folder, 'videos'), join(folder, 'out')];
  await writeGreyVideo(join(videos, 'long.mp4'), { frames: 20 });
  await writeGreyVideo(join(videos, 'short.mp4'), { frames: 3 });
  const options = { frames: 4, stride: 2, shortVideo: 'error', maxFailures: 1 } as const;
  const summary = await convert(videos, { ...CLIP, out, ...options });
  t.deepEqual(summary.failures, { TUBE_VIDEO_TOO_SHORT: 1 });
  const failure = JSON.parse(await readFile(join(out, 'failures.jsonl'), 'utf8')) as object;
  t.like(failure, { path: 'short.mp4', stage: 'sample', code: 'TUBE_VIDEO_TOO_SHORT' });
});

test('a video of more frames than a call may have arguments gives all its clips', async (t) => {
  const folder = await temporaryFolder(t);
  const [videos, out] = [join(folder, 'videos'), join(folder, 'out')];
  const form = { frames: 130_000, width: 16, height: 16, fps: 25, codec: 'mpeg4' } as const;
  await writeGreyVideo(join(videos, 'v.mp4'), form);
  const options = { size: 8, shortSide: 8, stride: 1, clips: 'all' } as const;
  const summary = await convert(videos, { ...CLIP, out, ...options });
  t.like(summary, { clips: 130_000 / 16, frames: 130_000, failures: {} });
});
