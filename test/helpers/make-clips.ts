/** Datasets for the loader: every sample has pixels of its own that can be computed again. */

import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { createRng } from '../../lib/core/index.ts';
import { cutTubelets, encodeJpeg } from '../../lib/sample/index.ts';
import type { ClipShape, TubeletShape } from '../../lib/sample/index.ts';
import { openDataset, writeDatasetInfo } from '../../lib/shard/index.ts';
import type { DatasetInfo, Sample, ShardSummary } from '../../lib/shard/index.ts';
import { writeShard } from './make-dataset.ts';

/** What the samples of a dataset are like. */
export interface ClipsForm {
  readonly layout: 'tubelets' | 'raw' | 'jpeg';
  /** Of the clips or of the stored frames. */
  readonly shape: ClipShape;
  readonly tubelet?: TubeletShape;
  /** Samples of each shard. */
  readonly sizes: readonly number[];
  readonly name?: string;
  /** Leaves labels and classes out. */
  readonly isUnlabelled?: boolean;
}

/** Classes of all datasets. */
export const CLASSES = ['left', 'right', 'up'] as const;

/** Pixels of a sample: smooth in space, so that JPEG and scaling do little harm, with noise of its own. */
export function clipPixels(name: string, i: number, [t, h, w]: ClipShape): Uint8Array {
  const rng = createRng(7, 'clip-pixels', name, i);
  const [dx, dy, base] = [rng.integer(1, 5), rng.integer(1, 5), rng.integer(0, 60)];
  const pixels = new Uint8Array(t * h * w * 3);
  let at = 0;
  for (let frame = 0; frame < t; frame++) {
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        const wave = 60 + 50 * Math.sin((x * dx + frame * 3) / 9) * Math.cos((y * dy) / 11);
        for (let c = 0; c < 3; c++) pixels[at++] = base + wave + c * 17 + rng.integer(0, 4);
      }
    }
  }
  return pixels;
}

/** Sample `i` of a dataset. */
export async function makeClip(form: ClipsForm, i: number): Promise<Sample> {
  const { layout, shape, name = 'train', tubelet = [2, 4, 4] } = form;
  const pixels = clipPixels(name, i, shape);
  const [t, h, w] = shape;
  const common = {
    v: 1,
    key: `${name}-clip-${String(i).padStart(5, '0')}`,
    split: 'train',
    label: form.isUnlabelled === true ? null : i % CLASSES.length,
    class: form.isUnlabelled === true ? null : CLASSES[i % CLASSES.length]!,
    source: { path: `${i}.mp4`, width: w, height: h, fps: 25, frames: t * 2, seconds: 1 },
    frameIndex: Array.from({ length: t }, (_, k) => k * 2),
    ptsSeconds: Array.from({ length: t }, (_, k) => (k * 2) / 25),
    boxes: null,
  } as const;
  if (layout === 'raw') {
    return { ...common, layout: 'frames', codec: 'raw', shape: [...shape], data: pixels };
  }
  if (layout === 'jpeg') {
    const data = Array.from({ length: t }, (_, k) =>
      encodeJpeg(
        { width: w, height: h, data: pixels.subarray(k * h * w * 3, (k + 1) * h * w * 3) },
        90,
      ),
    );
    return {
      ...common,
      layout: 'frames',
      codec: 'jpeg',
      shape: [...shape],
      data: await Promise.all(data),
    };
  }
  const [tt, p] = tubelet;
  return {
    ...common,
    layout: 'tubelets',
    codec: 'raw',
    shape: [(t / tt) * (h / p) * (w / p), tt * p * p * 3],
    tubelet: [...tubelet],
    clipShape: [...shape],
    data: cutTubelets(pixels, shape, tubelet),
  };
}

/** Writes a dataset, maybe with samples that are changed before, and gives what stands in its dataset.json. */
export async function writeClips(
  folder: string,
  form: ClipsForm,
  change: (sample: Sample) => Sample = (sample) => sample,
): Promise<DatasetInfo> {
  const { name = 'train', sizes } = form;
  const shards: ShardSummary[] = [];
  let numSamples = 0;
  for (const [number, size] of sizes.entries()) {
    const first = numSamples;
    const own = await Promise.all(
      Array.from({ length: size }, async (_, k) => change(await makeClip(form, first + k))),
    );
    numSamples += size;
    shards.push(await writeShard(folder, `${name}-${String(number).padStart(6, '0')}`, own));
  }
  const info: DatasetInfo = {
    v: 1,
    name,
    split: 'train',
    tool: { name: 'tubelet', version: '0.1.0' },
    options: {},
    source: { kind: 'folder', videos: numSamples + sizes.length, fingerprint: 'abc' },
    classes: form.isUnlabelled === true ? [] : CLASSES,
    totals: {
      videos: numSamples,
      samples: numSamples,
      frames: numSamples * form.shape[0],
      bytes: shards.reduce((sum, { bytes }) => sum + bytes, 0),
      seconds: 10 * numSamples,
      failures: { TUBE_NOT_VIDEO: sizes.length },
    },
    shards,
  };
  await writeDatasetInfo(folder, info);
  return info;
}

/** Changes a byte in each of some samples of a dataset. */
export async function damageClips(folder: string, positions: readonly number[]): Promise<void> {
  await using dataset = await openDataset(folder);
  for (const position of positions) {
    const { shard, offset, bytes } = await dataset.entry(position);
    const file = await open(join(folder, `${shard}.tar`), 'r+');
    const at = offset + bytes - 10;
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, at);
    await file.write(Buffer.of(byte[0]! ^ 0xff), 0, 1, at);
    await file.close();
  }
}
