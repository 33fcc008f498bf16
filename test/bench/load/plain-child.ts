/**
 * Reads the clips of layout `tubelets` in random order with plain file calls into one buffer for a batch: no check, no index.
 * Usage: plain-child.js FOLDER WARM_CLIPS CLIPS THREADS
 */

import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isMainThread, workerData } from 'node:worker_threads';
import { createPermutation } from '../../../lib/core/index.ts';
import { openDataset } from '../../../lib/shard/index.ts';
import { BATCH_SIZE } from './child-options.ts';
import { CLIP_BYTES } from './data.ts';
import { measureThreads, workOnClips } from './threads.ts';
import type { ThreadJob } from './threads.ts';

/** Where the pixels of a clip lie. */
interface Place {
  readonly shard: string;
  readonly at: number;
}

interface Job {
  readonly folder: string;
  readonly places: readonly Place[];
}

if (isMainThread) await measure();
else await readOn(workerData as ThreadJob<Job>);

async function measure(): Promise<void> {
  const [folder = '', warm = '', clips = '', threads = ''] = process.argv.slice(2);
  await using dataset = await openDataset(folder);
  const places: Place[] = [];
  for await (const { shard, offset, bytes } of dataset.entries()) {
    places.push({ shard: `${shard}.tar`, at: offset + bytes - CLIP_BYTES });
  }
  const stretch = { threads: Number(threads), warm: Number(warm), clips: Number(clips) };
  const job = { folder, places };
  console.log(JSON.stringify(await measureThreads(new URL(import.meta.url), job, stretch)));
}

async function readOn(own: ThreadJob<Job>): Promise<void> {
  const { folder, places } = own.job;
  const names = (await readdir(folder)).filter((name) => name.endsWith('.tar'));
  const files = new Map(
    await Promise.all(names.map(async (name) => [name, await open(join(folder, name))] as const)),
  );
  const order = createPermutation(places.length, 0, 'plain');
  const batch = Buffer.alloc(BATCH_SIZE * CLIP_BYTES);
  await workOnClips(own, async (clip) => {
    const { shard, at } = places[order(clip % places.length)]!;
    await files.get(shard)!.read(batch, (clip % BATCH_SIZE) * CLIP_BYTES, CLIP_BYTES, at);
  });
  await Promise.all([...files.values()].map((file) => file.close()));
}
