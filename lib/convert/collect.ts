/** From the sidecars of finished shards to the totals of a dataset and the list of its failures. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../core/index.ts';
import { readSidecar, summarizeShard } from '../shard/index.ts';
import type { DatasetTotals, ShardSummary } from '../shard/index.ts';

/** Sums over finished shards. */
export interface Collected {
  readonly shards: readonly ShardSummary[];
  readonly totals: DatasetTotals;
  /** Warnings by kind. */
  readonly warnings: Readonly<Record<string, number>>;
  /** JSON lines: one failed video each. */
  readonly failureLines: string;
}

/** Reads the sidecars of the named shards, one after the other. */
export async function collectShards(folder: string, names: readonly string[]): Promise<Collected> {
  const shards: ShardSummary[] = [];
  const lines: string[] = [];
  const failures: Record<string, number> = {};
  const warnings: Record<string, number> = {};
  const sums = { videos: 0, samples: 0, frames: 0, bytes: 0, milliseconds: 0 };
  for (const name of names) {
    const sidecar = await readSidecar(folder, name);
    const summary = summarizeShard(sidecar);
    shards.push(summary);
    sums.videos += sidecar.videos;
    sums.samples += summary.samples;
    sums.frames += sidecar.samples.reduce((sum, { frames }) => sum + frames, 0);
    sums.bytes += summary.bytes;
    sums.milliseconds += Math.round(sidecar.seconds * 1000);
    for (const failure of sidecar.failures) {
      failures[failure.code] = (failures[failure.code] ?? 0) + 1;
      lines.push(`${JSON.stringify({ shard: name, ...failure })}\n`);
    }
    for (const { code } of sidecar.warnings) warnings[code] = (warnings[code] ?? 0) + 1;
  }
  const { milliseconds, ...counts } = sums;
  const totals = { ...counts, seconds: milliseconds / 1000, failures: sorted(failures) };
  return { shards, totals, warnings: sorted(warnings), failureLines: lines.join('') };
}

/** Writes `failures.jsonl`, if it does not say so already: every video that gave nothing, and why; empty if there is none. */
export async function writeFailures(folder: string, lines: string): Promise<void> {
  const path = join(folder, 'failures.jsonl');
  const found = await readFile(path, 'utf8').catch(() => null);
  if (found !== lines) await writeFileAtomic(path, lines);
}

function sorted(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)));
}
