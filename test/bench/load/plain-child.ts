/**
 * Reads the clips of layout `tubelets` in random order with plain file calls into one buffer for a batch: no index, and no
 * check, or with `check` the CRC-32 of all bytes. Usage: plain-child.js FOLDER WARM_CLIPS CLIPS THREADS [check]
 */

import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isMainThread, workerData } from 'node:worker_threads';
import { crc32 } from 'node:zlib';
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
  readonly isChecked: boolean;
}

if (isMainThread) await measure();
else await readOn(workerData as ThreadJob<Job>);

async function measure(): Promise<void> {
  const [folder = '', warm = '', clips = '', threads = '', check] = process.argv.slice(2);
  await using dataset = await openDataset(folder);
  const places: Place[] = [];
  for await (const { shard, offset, bytes } of dataset.entries()) {
    places.push({ shard: `${shard}.tar`, at: offset + bytes - CLIP_BYTES });
  }
  const stretch = { threads: Number(threads), warm: Number(warm), clips: Number(clips) };
  const job = { folder, places, isChecked: check === 'check' };
  console.log(JSON.stringify(await measureThreads(new URL(import.meta.url), job, stretch)));
}

async function readOn(own: ThreadJob<Job>): Promise<void> {
  const { folder, places, isChecked } = own.job;
  const names = (await readdir(folder)).filter((name) => name.endsWith('.tar'));
  const files = new Map(
    await Promise.all(names.map(async (name) => [name, await open(join(folder, name))] as const)),
  );
  const order = createPermutation(places.length, 0, 'plain');
  const batch = Buffer.alloc(BATCH_SIZE * CLIP_BYTES);
  await workOnClips(own, async (clip) => {
    const { shard, at } = places[order(clip % places.length)]!;
    const start = (clip % BATCH_SIZE) * CLIP_BYTES;
    await files.get(shard)!.read(batch, start, CLIP_BYTES, at);
    if (isChecked) crc32(batch.subarray(start, start + CLIP_BYTES));
  });
  await Promise.all([...files.values()].map((file) => file.close()));
}
