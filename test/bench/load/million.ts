/** A dataset whose index names a million samples: one small shard under a thousand names. */

import { link, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sample, ShardSummary } from '../../../lib/shard/index.ts';
import { readSidecar, tarPath } from '../../../lib/shard/index.ts';
import { writeInfo, writeSamples } from './data.ts';

const CLIP = [2, 16, 16, 3] as const;
const NAME = 'bench-000000';

/** Writes the dataset; every shard has indexes of its own, the tars are links to one. */
export async function makeManySamples(
  folder: string,
  { numShards, samplesPerShard }: { readonly numShards: number; readonly samplesPerShard: number },
): Promise<void> {
  await mkdir(folder);
  const samples = Array.from({ length: samplesPerShard }, (_, i) => makeSample(i));
  const first = await writeSamples(folder, NAME, samples);
  const sidecar = await readSidecar(folder, NAME);
  const shards: ShardSummary[] = [first];
  for (let number = 1; number < numShards; number++) {
    const name = `bench-${String(number).padStart(6, '0')}`;
    await link(tarPath(folder, NAME), tarPath(folder, name));
    await writeFile(join(folder, `${name}.json`), JSON.stringify({ ...sidecar, shard: name }));
    shards.push({ ...first, name });
  }
  await writeInfo(folder, shards);
}

function makeSample(i: number): Sample {
  const [frames, height, width] = CLIP;
  return {
    v: 1,
    key: `clip-${String(i).padStart(6, '0')}`,
    split: 'train',
    label: 0,
    class: 'a',
    source: { path: 'a/a.mp4', width, height, fps: 25, frames, seconds: 1 },
    frameIndex: [0, 1],
    ptsSeconds: [0, 0.04],
    boxes: null,
    layout: 'tubelets',
    codec: 'raw',
    shape: [1, frames * height * width * 3],
    tubelet: [2, 16, 16],
    clipShape: [...CLIP],
    data: new Uint8Array(frames * height * width * 3).fill(i),
  };
}
