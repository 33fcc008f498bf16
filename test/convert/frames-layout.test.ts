import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { convert } from '../../lib/convert/index.ts';
import type { ConvertOptions } from '../../lib/convert/index.ts';
import { VideoReader } from '../../lib/decode/index.ts';
import { shortSideSize } from '../../lib/sample/index.ts';
import type { Sample } from '../../lib/shard/index.ts';
import { greyOf, writeGreyVideo } from '../helpers/grey-videos.ts';
import type { GreyVideo } from '../helpers/grey-videos.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';
import { allSamples, frameMeans } from '../helpers/samples.ts';

/** Numbers from `start` below `end`, `step` apart. */
function range(start: number, end: number, step = 1): number[] {
  return Array.from({ length: Math.ceil((end - start) / step) }, (_, i) => start + i * step);
}

const near = (wanted: number, found: number): boolean => Math.abs(wanted - found) < 5;

interface Row {
  readonly title: string;
  readonly video: GreyVideo;
  readonly options: Partial<ConvertOptions>;
  /** Frame numbers of each sample; the video has 10 frames a second. */
  readonly samples: readonly (readonly number[])[];
  readonly size?: readonly [height: number, width: number];
}

const ROWS: readonly Row[] = [
  {
    title: 'every fourth frame by default',
    video: { frames: 21 },
    options: { shortSide: 24 },
    samples: [range(0, 21, 4)],
    size: [24, 32],
  },
  {
    title: 'stride 1 keeps all, short side 0 keeps the size',
    video: { frames: 21 },
    options: { stride: 1, shortSide: 0 },
    samples: [range(0, 21)],
    size: [48, 64],
  },
  {
    title: 'raw pixels',
    video: { frames: 9, codec: 'vp8' },
    options: { stride: 2, shortSide: 36, codec: 'raw' },
    samples: [range(0, 9, 2)],
    size: [36, 48],
  },
  {
    title: 'a stride beyond the end keeps the first frame',
    video: { frames: 9 },
    options: { stride: 100 },
    samples: [[0]],
    size: [256, 341],
  },
  {
    title: '2 frames a second of 10',
    video: { frames: 21 },
    options: { fps: 2, shortSide: 16 },
    samples: [range(0, 21, 5)],
  },
  {
    title: 'no more frames than there are',
    video: { frames: 7 },
    options: { fps: 100, shortSide: 16 },
    samples: [range(0, 7)],
  },
  {
    title: 'long videos become samples of at most a second',
    video: { frames: 25 },
    options: { stride: 2, maxSeconds: 1, shortSide: 16 },
    samples: [range(0, 10, 2), range(10, 20, 2), range(20, 25, 2)],
  },
];

for (const { title, video, options, samples: wanted, size } of ROWS) {
  test(title, async (t) => {
    const folder = await temporaryFolder(t);
    const [videos, out] = [join(folder, 'videos'), join(folder, 'out')];
    const name = video.codec === 'vp8' ? 'v.webm' : 'v.mp4';
    await writeGreyVideo(join(videos, 'cls', name), video);
    const summary = await convert(videos, { out, workers: 1, ...options });
    const samples = await allSamples(out);
    t.deepEqual(
      samples.map(({ frameIndex }) => frameIndex),
      wanted,
    );
    t.is(summary.frames, wanted.flat().length);
    t.is(summary.clips, wanted.length);
    for (const sample of samples) {
      t.like(sample, {
        split: 'train',
        label: 0,
        class: 'cls',
        layout: 'frames',
        codec: options.codec ?? 'jpeg',
      });
      t.deepEqual(sample.source, {
        path: `cls/${name}`,
        width: 64,
        height: 48,
        fps: 10,
        frames: video.frames,
        seconds: video.frames / 10,
      });
      t.true(sample.frameIndex.every((i, k) => Math.abs(sample.ptsSeconds[k]! - i / 10) < 1e-9));
      const [, height, width] = sample.shape;
      if (size !== undefined) t.deepEqual([height, width], [...size]);
      const means = await frameMeans(sample);
      t.true(sample.frameIndex.every((i, k) => near(greyOf(i), means[k]!)));
    }
  });
}

test('raw frames are those that the reader gives', async (t) => {
  const folder = await temporaryFolder(t);
  const [videos, out] = [join(folder, 'videos'), join(folder, 'out')];
  await writeGreyVideo(join(videos, 'v.mp4'), { frames: 12, width: 50, height: 82 });
  await convert(videos, { out, codec: 'raw', shortSide: 20, stride: 3 });
  const [sample] = await allSamples(out);
  const chooseSize = (): { width: number; height: number } => shortSideSize(50, 82, 20);
  const reader = new VideoReader(join(videos, 'v.mp4'), { chooseSize });
  const frames: Uint8Array[] = [];
  for await (const { frameIndex, data } of reader.frames()) {
    if (frameIndex % 3 === 0) frames.push(data);
  }
  t.deepEqual(sample!.shape, [4, 32, 20, 3]);
  t.is(Buffer.compare(Buffer.concat(frames), sample!.data as Uint8Array), 0);
});

/** A list with one row for each span. */
async function convertSpans(
  folder: string,
  spans: readonly (readonly [start: string, end: string])[],
  options: Partial<ConvertOptions>,
): Promise<Map<string, Sample>> {
  const list = join(folder, 'list.csv');
  const out = join(folder, 'out');
  const rows = spans.map(([start, end]) => `long.mp4,${start},${end},walk`);
  await writeFile(list, ['path,start,end,label', ...rows, ''].join('\n'));
  await convert(list, { out, stride: 3, codec: 'raw', shortSide: 16, shuffle: false, ...options });
  const samples = await allSamples(out);
  return new Map(samples.map((sample) => [String(sample.frameIndex[0]), sample]));
}

test('spans of a list hold the frames from start up to, not including, end', async (t) => {
  const folder = await temporaryFolder(t);
  await writeGreyVideo(join(folder, 'long.mp4'), { frames: 100 });
  const spans = [
    ['', '0.5'],
    ['2', '3'],
    ['2.05', '2.15'],
    ['9.5', ''],
  ] as const;
  const samples = await convertSpans(folder, spans, { stride: 1 });
  t.deepEqual(
    Array.from(samples.values(), ({ frameIndex }) => frameIndex).sort((a, b) => a[0]! - b[0]!),
    [range(0, 5), range(20, 30), [21], range(95, 100)],
  );
});

test('no frame is lost or doubled where spans meet, whatever times round to', async (t) => {
  const folder = await temporaryFolder(t);
  await writeGreyVideo(join(folder, 'long.mp4'), { frames: 300, fps: 30 });
  const tenths = range(0, 100).map((i) => [String(i / 10), String((i + 1) / 10)] as const);
  const frames = await convertSpans(folder, tenths, { stride: 1 });
  t.deepEqual(
    Array.from(frames.values(), ({ frameIndex }) => frameIndex).sort((a, b) => a[0]! - b[0]!),
    range(0, 300, 3).map((first) => range(first, first + 3)),
  );
  const options = { layout: 'tubelets', size: 16, frames: 2, tubelet: [2, 16, 16] } as const;
  const list = join(folder, 'list.csv');
  const out = join(folder, 'clips');
  await convert(list, { out, ...options, stride: 1, clips: 'all', shortVideo: 'error' });
  const clips = (await allSamples(out)).map(({ frameIndex }) => frameIndex[0]!);
  t.deepEqual(
    clips.sort((a, b) => a - b),
    range(0, 300, 3),
  );
});

test('late spans of a long video, reached by jumping, have the frames of the whole', async (t) => {
  const folder = await temporaryFolder(t);
  await writeGreyVideo(join(folder, 'long.mp4'), { frames: 1500, fps: 25 });
  const spans = [
    ['', ''],
    ['30', '31'],
    ['51.2', '55'],
    ['59', ''],
  ] as const;
  const samples = await convertSpans(folder, spans, {});
  const pixelsOf = (sample: Sample): Map<number, string> => {
    const bytes = 16 * 21 * 3;
    const data = Buffer.from(sample.data as Uint8Array);
    return new Map(
      sample.frameIndex.map((i, k) => [i, data.toString('hex', k * bytes, (k + 1) * bytes)]),
    );
  };
  t.deepEqual([...samples.keys()].toSorted(), ['0', '1280', '1475', '750']);
  const whole = pixelsOf(samples.get('0')!);
  t.is(whole.size, 500);
  for (const [first, count] of [
    ['750', 9],
    ['1280', 32],
    ['1475', 9],
  ] as const) {
    const part = samples.get(first)!;
    t.is(part.frameIndex.length, count);
    const all = await convertWholeAt(folder, part.frameIndex);
    t.deepEqual(pixelsOf(part), all);
    t.is(part.label, 0);
    t.is(part.class, 'walk');
  }
});

/** The wanted frames of the long video, counted by decoding all of it. */
async function convertWholeAt(
  folder: string,
  wanted: readonly number[],
): Promise<Map<number, string>> {
  const reader = new VideoReader(join(folder, 'long.mp4'), {
    method: 'count',
    chooseSize: ({ width, height }) => shortSideSize(width, height, 16),
  });
  const found = new Map<number, string>();
  for await (const { frameIndex, data } of reader.frames()) {
    if (wanted.includes(frameIndex)) found.set(frameIndex, Buffer.from(data).toString('hex'));
  }
  return found;
}

test('a span behind the end is a failure of that row only', async (t) => {
  const folder = await temporaryFolder(t);
  await writeGreyVideo(join(folder, 'long.mp4'), { frames: 30 });
  const spans = [
    ['0', '1'],
    ['5', '6'],
  ] as const;
  const samples = await convertSpans(folder, spans, { maxFailures: 1 });
  t.deepEqual([...samples.keys()], ['0']);
});

test('the split column decides over the split of a sample, and --split over the rows', async (t) => {
  const folder = await temporaryFolder(t);
  for (const name of ['a', 'b', 'c']) {
    await writeGreyVideo(join(folder, `${name}.mp4`), { frames: 5 });
  }
  const list = join(folder, 'list.csv');
  const rows = ['path,label,split', 'a.mp4,run,train', 'b.mp4,sit,val', 'c.mp4,run,', ''];
  await writeFile(list, rows.join('\n'));
  const facts = async (name: string, options: Partial<ConvertOptions>): Promise<unknown[]> => {
    const out = join(folder, name);
    await convert(list, { out, shortSide: 16, ...options });
    const samples = await allSamples(out);
    return samples.map(({ source, split, label, class: named }) => [
      source.path,
      split,
      label,
      named,
    ]);
  };
  t.deepEqual(await facts('all', {}), [
    ['a.mp4', 'train', 0, 'run'],
    ['b.mp4', 'val', 1, 'sit'],
    ['c.mp4', 'train', 0, 'run'],
  ]);
  t.deepEqual(await facts('val', { split: 'val' }), [['b.mp4', 'val', 1, 'sit']]);
});
