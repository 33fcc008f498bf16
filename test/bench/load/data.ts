/**
 * The shards that loading is measured with, made from videos by our own conversion: clips of layout `tubelets`, and samples of
 * just 16 JPEG frames. Samples of the conversion come again under other keys until there are enough, in files of their own, so
 * that no byte is read twice in a pass.
 */

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { convert } from '../../../lib/index.ts';
import {
  ShardWriter,
  countBytes,
  encodeSample,
  openDataset,
  writeDatasetInfo,
} from '../../../lib/shard/index.ts';
import type { Sample, ShardSummary } from '../../../lib/shard/index.ts';
import type { Bench } from '../bench.ts';
import { prepareVideos } from '../bench-videos.ts';

/** Frames of a clip. */
export const NUM_FRAMES = 16;
/** Bytes of a finished clip, 16 × 224 × 224 × 3. */
export const CLIP_BYTES: number = NUM_FRAMES * 224 * 224 * 3;

const SHARD_SAMPLES = 32;
const MAX_SOURCE_SAMPLES = 96;

/** What there is to load. */
export interface LoadData {
  /** Folders of the datasets. */
  readonly tubelets: string;
  readonly frames: string;
  readonly numSamples: number;
  /** Of all pictures. */
  readonly jpegBytes: number;
}

/** Makes both datasets with so many samples each. */
export async function makeLoadData(
  work: string,
  { folders, files }: Bench,
  numSamples: number,
): Promise<LoadData> {
  const videos = await prepareVideos(join(work, 'source'), folders, files);
  const [tubelets, frames] = [join(work, 'tubelets'), join(work, 'frames')];
  const options = { stride: 2, maxFailures: '50%' } as const;
  const whole = { ...options, out: join(work, 'whole') };
  await convert(videos.folder, { ...whole, layout: 'frames', shortSide: 256, quality: 90 });
  const pictures = await readSamples(whole.out);
  await repeat(frames, pictures.flatMap(cutFrames).slice(0, MAX_SOURCE_SAMPLES), numSamples);
  const clips = { ...options, out: join(work, 'clips') };
  await convert(videos.folder, { ...clips, layout: 'tubelets', clips: 1 });
  await repeat(tubelets, await readSamples(clips.out), numSamples);
  for (const folder of [whole.out, clips.out, videos.folder]) await rm(folder, { recursive: true });
  const jpegBytes = await countPictures(frames);
  return { tubelets, frames, numSamples, jpegBytes };
}

async function readSamples(folder: string): Promise<Sample[]> {
  await using dataset = await openDataset(folder);
  const samples: Sample[] = [];
  for await (const sample of dataset.samples()) {
    samples.push(sample);
    if (samples.length === MAX_SOURCE_SAMPLES) break;
  }
  return samples;
}

/** Samples of just the frames of one clip. */
function cutFrames(sample: Sample): Sample[] {
  if (sample.codec !== 'jpeg' || sample.data.length < NUM_FRAMES) return [];
  const [, height = 0, width = 0] = sample.shape;
  return [
    {
      ...sample,
      shape: [NUM_FRAMES, height, width, 3],
      frameIndex: sample.frameIndex.slice(0, NUM_FRAMES),
      ptsSeconds: sample.ptsSeconds.slice(0, NUM_FRAMES),
      data: sample.data.slice(0, NUM_FRAMES),
    },
  ];
}

async function countPictures(folder: string): Promise<number> {
  let bytes = 0;
  await using dataset = await openDataset(folder);
  for await (const entry of dataset.entries()) bytes += entry.bytes;
  return bytes;
}

/** Writes samples one after the other, again and again. */
async function repeat(
  folder: string,
  samples: readonly Sample[],
  numSamples: number,
): Promise<void> {
  if (samples.length === 0) throw new Error('bench: no video is long enough');
  await mkdir(folder);
  const shards: ShardSummary[] = [];
  for (let first = 0; first < numSamples; first += SHARD_SAMPLES) {
    const count = Math.min(SHARD_SAMPLES, numSamples - first);
    const chosen = Array.from({ length: count }, (_, i) => ({
      ...samples[(first + i) % samples.length]!,
      key: `clip-${String(first + i).padStart(6, '0')}`,
    }));
    shards.push(
      await writeSamples(folder, `bench-${String(shards.length).padStart(6, '0')}`, chosen),
    );
  }
  await writeInfo(folder, shards);
}

/** Writes one shard. */
export async function writeSamples(
  folder: string,
  name: string,
  samples: readonly Sample[],
): Promise<ShardSummary> {
  await using writer = await ShardWriter.create(folder, name);
  for (const { data, ...meta } of samples) {
    const payload = encodeSample(meta, data);
    const { key, label } = meta;
    const bytes = countBytes(payload);
    await writer.add({ key, bytes, payload, label, frames: meta.frameIndex.length });
  }
  const facts = { videos: samples.length, seconds: 0, failures: [], warnings: [] };
  return await writer.finish(facts);
}

/** Makes shards a dataset. */
export async function writeInfo(folder: string, shards: readonly ShardSummary[]): Promise<void> {
  const sum = (of: (shard: ShardSummary) => number): number =>
    shards.reduce((total, shard) => total + of(shard), 0);
  const samples = sum((shard) => shard.samples);
  await writeDatasetInfo(folder, {
    v: 1,
    name: 'bench',
    split: 'train',
    tool: { name: 'tubelet', version: '0' },
    options: {},
    source: { kind: 'none', videos: samples, fingerprint: '' },
    classes: ['a', 'b'],
    totals: {
      videos: samples,
      samples,
      frames: NUM_FRAMES * samples,
      bytes: sum((shard) => shard.bytes),
      seconds: 0,
      failures: {},
    },
    shards,
  });
}
