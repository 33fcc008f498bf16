/** Runs loaders to the end and keeps copies of what they gave. */

import { createHash } from 'node:crypto';
import { openLoader } from '../../lib/load/index.ts';
import type { Batch, LoaderOptions, LoaderReport, LoaderSource } from '../../lib/load/index.ts';

const TENSORS = [
  'pixels',
  'visible',
  'target',
  'visibleTokens',
  'maskedTokens',
  'softLabels',
] as const;

/** A batch with memory of its own. */
export function keep(batch: Batch): Batch {
  const copies = TENSORS.flatMap((name) => {
    const tensor = batch[name];
    return tensor === undefined ? [] : [[name, { ...tensor, data: tensor.data.slice() }]];
  });
  return { ...batch, ...Object.fromEntries(copies) };
}

/** All batches of a run. */
export async function runLoader(
  source: LoaderSource,
  options: LoaderOptions,
): Promise<{ batches: Batch[]; report: LoaderReport }> {
  await using loader = await openLoader(source, options);
  const batches: Batch[] = [];
  for await (const batch of loader) batches.push(keep(batch));
  return { batches, report: loader.report() };
}

/** A hash of everything in a batch. */
export function hashBatch(batch: Batch): string {
  const hash = createHash('sha256');
  const { keys, samples, datasets, frameIndex, views, isPad, isMissing, mix } = batch;
  hash.update(
    JSON.stringify([keys, samples, datasets, frameIndex, views, isPad, isMissing, mix ?? null]),
  );
  hash.update(Buffer.from(batch.labels.buffer));
  for (const name of TENSORS) {
    const tensor = batch[name];
    if (tensor === undefined) continue;
    hash.update(JSON.stringify([name, tensor.dtype, tensor.shape]));
    const { buffer, byteOffset, byteLength } = tensor.data;
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest('hex');
}

/** Each clip of a batch as its key, a space and a hash of its pixels. */
export function hashClips({ keys, pixels }: Batch): string[] {
  const { data } = pixels!;
  const length = data.length / keys.length;
  return keys.map((key, i) => {
    const { buffer } = data.slice(i * length, (i + 1) * length);
    return `${key} ${createHash('sha256').update(new Uint8Array(buffer)).digest('hex').slice(0, 16)}`;
  });
}
