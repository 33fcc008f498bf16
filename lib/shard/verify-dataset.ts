/** Looks for damage in a whole dataset: every shard, what `dataset.json` says of it, and the sums over all of them. */

import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../core/index.ts';
import { readDatasetInfo } from './dataset-info.ts';
import type { DatasetInfo } from './dataset-info.ts';
import { Dataset } from './dataset.ts';
import { hashFile } from './hash-file.ts';
import { buildKeyIndex } from './key-index.ts';
import { summarizeShard } from './sidecar.ts';
import type { ShardSummary, Sidecar } from './sidecar.ts';
import { openStore } from './store/open-store.ts';
import { asDefect, checkShard } from './verify.ts';
import type { Defect, VerifyOptions } from './verify.ts';

/** Lists the failures of all sidecars in order; a conversion writes it for people, a dataset can do without. */
const FAILURES_FILE = 'failures.jsonl';

/**
 * Yields everything that is wrong with a dataset: `dataset.json`, every shard, shard files that it does not name, and keys that
 * occur in two shards.
 */
export async function* verifyDataset(
  folder: string,
  options: VerifyOptions = {},
): AsyncGenerator<Defect> {
  try {
    const info = await readDatasetInfo(folder);
    const sums: Sums = {
      shards: [],
      failures: new Map(),
      failureLines: createHash('sha256'),
      videos: 0,
      frames: 0,
      milliseconds: 0,
    };
    for (const summary of info.shards) {
      const sidecar = yield* checkShard(folder, summary.name, options);
      if (sidecar === null) continue;
      addTo(sums, sidecar);
      yield* compareSummary(summary, sidecar);
      yield* compareLabels(info, sidecar);
    }
    yield* compareVideos(info);
    // A sidecar that cannot be read is reported already; without it there are no sums.
    if (sums.shards.length === info.shards.length) {
      yield* compareTotals(info, sums);
      yield* compareFailuresFile(folder, sums);
    }
    yield* findUnnamed(folder, info);
    yield* findRepeatedKeys(folder, info, sums.shards);
  } catch (error) {
    yield { ...asDefect(error), shard: null, key: null };
  }
}

/** What the sidecars say together. */
interface Sums {
  /** What each says of its own shard. */
  readonly shards: ShardSummary[];
  /** Failed videos by code. */
  readonly failures: Map<string, number>;
  /** Hash of their lines in `failures.jsonl`. */
  readonly failureLines: Hash;
  videos: number;
  frames: number;
  milliseconds: number;
}

function addTo(sums: Sums, sidecar: Sidecar): void {
  const { shard, videos, seconds, samples, failures } = sidecar;
  sums.shards.push(summarizeShard(sidecar));
  sums.videos += videos;
  sums.milliseconds += Math.round(seconds * 1000);
  for (const { frames } of samples) sums.frames += frames;
  for (const failure of failures) {
    sums.failures.set(failure.code, (sums.failures.get(failure.code) ?? 0) + 1);
    sums.failureLines.update(`${JSON.stringify({ shard, ...failure })}\n`);
  }
}

function* compareSummary(listed: ShardSummary, sidecar: Sidecar): Generator<Defect> {
  const found = summarizeShard(sidecar);
  const fields = (['bytes', 'samples', 'sha256'] as const).filter(
    (field) => listed[field] !== found[field],
  );
  if (fields.length === 0) return;
  yield inDataset(`dataset.json and the sidecar disagree on ${fields.join(', ')}`, listed.name);
}

function* compareLabels({ classes }: DatasetInfo, { shard, samples }: Sidecar): Generator<Defect> {
  if (classes.length === 0) return;
  for (const { key, label } of samples) {
    if (label === null || (label >= 0 && label < classes.length)) continue;
    yield inDataset(`label ${label} is none of the ${classes.length} classes`, shard, key);
  }
}

function* compareVideos({ source, totals }: DatasetInfo): Generator<Defect> {
  const failed = Object.values(totals.failures).reduce((sum, count) => sum + count, 0);
  if (totals.videos + failed === source.videos) return;
  yield inDataset(
    `source.videos is ${source.videos}, with ${totals.videos} in the dataset and ${failed} failed`,
  );
}

function* compareTotals({ totals }: DatasetInfo, sums: Sums): Generator<Defect> {
  const { videos, frames, failures } = sums;
  const found = { videos, frames, seconds: sums.milliseconds / 1000 };
  for (const field of ['videos', 'frames', 'seconds'] as const) {
    yield* compareSum(field, totals[field], found[field]);
  }
  const codes = new Set([...Object.keys(totals.failures), ...failures.keys()]);
  for (const code of [...codes].sort()) {
    yield* compareSum(`failures.${code}`, totals.failures[code] ?? 0, failures.get(code) ?? 0);
  }
}

function* compareSum(field: string, listed: number, found: number): Generator<Defect> {
  if (listed === found) return;
  yield inDataset(`totals.${field} is ${listed}, the sidecars sum up to ${found}`);
}

async function* compareFailuresFile(folder: string, sums: Sums): AsyncGenerator<Defect> {
  try {
    const found = await hashFile(join(folder, FAILURES_FILE));
    if (found === sums.failureLines.digest('hex')) return;
    yield inDataset(`${FAILURES_FILE} does not list the failures of the sidecars`);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') yield { ...inDataset(''), ...asDefect(error) };
  }
}

/** Files with names like those of the shards: they lie there and nobody reads them. */
async function* findUnnamed(folder: string, { name, shards }: DatasetInfo): AsyncGenerator<Defect> {
  const named = new Set(shards.map((shard) => shard.name));
  const prefixes = new Set([name, ...shards.map((shard) => shard.name.replace(/-\d+$/, ''))]);
  for (const file of (await readdir(folder)).sort()) {
    const [, shard, prefix] = /^((.+)-\d{6,})\.(?:tar|json)$/.exec(file) ?? [];
    if (shard === undefined || prefix === undefined) continue;
    if (named.has(shard) || !prefixes.has(prefix)) continue;
    yield inDataset(`dataset.json does not name ${file}`, shard);
  }
}

/** Looks through the shards whose sidecars can be read. */
async function* findRepeatedKeys(
  folder: string,
  info: DatasetInfo,
  shards: readonly ShardSummary[],
): AsyncGenerator<Defect> {
  const samples = shards.reduce((sum, shard) => sum + shard.samples, 0);
  const readable = { ...info, shards, totals: { ...info.totals, samples } };
  await using dataset = new Dataset(openStore(folder), readable, {});
  const keys = await buildKeyIndex(dataset.keys(), samples);
  for (const positions of keys.collisions()) {
    const seen = new Set<string>();
    for (const position of positions) {
      const { key, shard } = await dataset.entry(position);
      if (seen.has(key)) yield inDataset('the key occurs twice in the dataset', shard, key);
      seen.add(key);
    }
  }
}

function inDataset(
  message: string,
  shard: string | null = null,
  key: string | null = null,
): Defect {
  return { code: 'TUBE_DATASET_DAMAGED', shard, key, message };
}
