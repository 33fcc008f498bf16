/** A part of a dataset as a dataset of its own: some of its samples, drawn at random, byte for byte. */

import { mkdir, rm } from 'node:fs/promises';
import { createPermutation, toWriteError } from '../../core/index.ts';
import { ShardWriter, openDataset, readDatasetInfo, writeDatasetInfo } from '../../shard/index.ts';
import type { ShardSummary } from '../../shard/index.ts';

const SHARD_SAMPLES = 256;

/**
 * Copies `count` samples into a folder. Smaller counts are parts of larger ones, and a folder that has its dataset already is left as it
 * is.
 *
 * @throws {TubeletError} TUBE_OUT_NOT_WRITABLE, TUBE_DISK_FULL, what reading the dataset throws
 * @throws the reason of `signal`
 */
export async function drawSamples(
  source: string,
  {
    folder,
    count,
    signal,
  }: { readonly folder: string; readonly count: number; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const isThere = await readDatasetInfo(folder).then(
    ({ totals }) => totals.samples === count,
    () => false,
  );
  if (isThere) return;
  try {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw toWriteError(error, folder);
  }
  await using dataset = await openDataset(source);
  const orderOf = createPermutation(dataset.numSamples, 0, 'ablation');
  const chosen = Array.from({ length: count }, (_, i) => orderOf(i)).sort((a, b) => a - b);
  const shards: ShardSummary[] = [];
  let frames = 0;
  for (let first = 0; first < count; first += SHARD_SAMPLES) {
    const name = `part-${String(shards.length).padStart(6, '0')}`;
    const positions = chosen.slice(first, first + SHARD_SAMPLES);
    await using writer = await ShardWriter.create(folder, name);
    for (const position of positions) {
      signal?.throwIfAborted();
      const { key, bytes, label, frames: own } = await dataset.entry(position);
      const payload = [await dataset.readBytes(position)];
      await writer.add({ key, bytes, payload, label, frames: own });
      frames += own;
    }
    const facts = { videos: positions.length, seconds: 0, failures: [], warnings: [] };
    shards.push(await writer.finish(facts));
  }
  const { info } = dataset;
  const bytes = shards.reduce((sum, shard) => sum + shard.bytes, 0);
  await writeDatasetInfo(folder, {
    ...info,
    totals: { videos: count, samples: count, frames, bytes, seconds: 0, failures: {} },
    shards,
  });
}
