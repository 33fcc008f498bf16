/** Small datasets with known content for the tests of shards. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { createRng } from '../../lib/core/index.ts';
import { ShardWriter, countBytes, encodeSample, writeDatasetInfo } from '../../lib/shard/index.ts';
import type {
  DatasetInfo,
  Sample,
  ShardSummary,
  VideoFailure,
  VideoNote,
} from '../../lib/shard/index.ts';

/** A folder that is removed when the test ends. */
export async function temporaryFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tubelet-test-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Seeded bytes. */
export function randomBytes(length: number, name: string): Uint8Array {
  const rng = createRng(0, 'test-bytes', name);
  return Uint8Array.from({ length }, () => rng.integer(0, 256));
}

/** Sample `i`: by turns raw frames, jpeg frames (bytes that are no real pictures) and tubelets. */
export function makeSample(i: number): Sample {
  const kind = i % 3;
  const frames = kind === 2 ? 4 : 2 + (i % 4);
  const common = {
    v: 1,
    key: `class-${i % 5}_video-${String(i).padStart(4, '0')}`,
    split: 'train',
    label: i % 7 === 6 ? null : i % 5,
    class: i % 7 === 6 ? null : `klasse ä ${i % 5}`,
    source: {
      path: `class ${i % 5}/video ${i}.mp4`,
      width: 340,
      height: 256,
      fps: i % 2 === 0 ? 30 : 29.97,
      frames: i % 4 === 0 ? null : 300,
      seconds: 10,
    },
    frameIndex: Array.from({ length: frames }, (_, k) => k * 7),
    ptsSeconds: Array.from({ length: frames }, (_, k) => (k * 7) / 30),
    boxes: null,
  } as const;
  if (kind === 0) {
    const shape = [frames, 4, 6, 3];
    const data = randomBytes(frames * 4 * 6 * 3, `raw ${i}`);
    return { ...common, layout: 'frames', codec: 'raw', shape, data };
  }
  if (kind === 1) {
    const data = Array.from({ length: frames }, (_, k) => randomBytes(50 + k, `jpeg ${i} ${k}`));
    return { ...common, layout: 'frames', codec: 'jpeg', shape: [frames, 32, 48, 3], data };
  }
  return {
    ...common,
    layout: 'tubelets',
    codec: 'raw',
    shape: [2 * 2 * 3, 2 * 4 * 4 * 3],
    tubelet: [2, 4, 4],
    clipShape: [4, 8, 12, 3],
    data: randomBytes(4 * 8 * 12 * 3, `tubelets ${i}`),
  };
}

/** Packs a sample into parts. */
export function pack({ data, ...meta }: Sample): Uint8Array[] {
  return encodeSample(meta, data);
}

/** The failure and the warning in every shard. */
export const FAILURE: VideoFailure = {
  path: 'bad.mp4',
  id: '1',
  stage: 'open',
  code: 'TUBE_NOT_VIDEO',
  message: 'no video',
};
export const WARNING: VideoNote = { path: 'odd.mp4', id: '2', code: 'damaged', message: 'a bit' };

/** Writes one shard of samples. */
export async function writeShard(
  folder: string,
  name: string,
  samples: readonly Sample[],
): Promise<ShardSummary> {
  await using writer = await ShardWriter.create(folder, name);
  for (const sample of samples) {
    const payload = pack(sample);
    const frames = sample.frameIndex.length;
    const bytes = countBytes(payload);
    await writer.add({ key: sample.key, bytes, payload, label: sample.label, frames });
  }
  return await writer.finish({
    videos: samples.length,
    seconds: 10 * samples.length,
    failures: [FAILURE],
    warnings: [WARNING],
  });
}

/** Writes a dataset whose shards have the given numbers of samples; sample `i` is `makeSample(i)`. */
export async function writeDataset(folder: string, sizes: readonly number[]): Promise<DatasetInfo> {
  const shards: ShardSummary[] = [];
  const samples: Sample[] = [];
  for (const [number, size] of sizes.entries()) {
    const own = Array.from({ length: size }, (_, k) => makeSample(samples.length + k));
    samples.push(...own);
    shards.push(await writeShard(folder, `train-${String(number).padStart(6, '0')}`, own));
  }
  const info: DatasetInfo = {
    v: 1,
    name: 'tiny',
    split: 'train',
    tool: { name: 'tubelet', version: '0.1.0' },
    options: { seed: 0, crop: [8, 12], quality: null },
    source: { kind: 'folder', videos: samples.length + sizes.length, fingerprint: 'abc' },
    classes: Array.from({ length: 5 }, (_, k) => `klasse ä ${k}`),
    totals: {
      videos: samples.length,
      samples: samples.length,
      frames: samples.reduce((sum, { frameIndex }) => sum + frameIndex.length, 0),
      bytes: shards.reduce((sum, { bytes }) => sum + bytes, 0),
      seconds: 10 * samples.length,
      failures: { TUBE_NOT_VIDEO: sizes.length },
    },
    shards,
  };
  await writeDatasetInfo(folder, info);
  return info;
}

/** Plain arrays instead of views and buffers, so that samples can be compared. */
export function plain(sample: Sample): unknown {
  return sample.codec === 'raw'
    ? { ...sample, data: Uint8Array.from(sample.data) }
    : { ...sample, data: sample.data.map((part) => Uint8Array.from(part)) };
}
