/** From finished shards to the totals of a dataset and the list of its failures. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../core/index.ts';
import { summarizeShard } from '../shard/index.ts';
import type { DatasetTotals, ShardSummary, Sidecar, VideoFailure } from '../shard/index.ts';

/** What a finished shard adds to the dataset. */
export interface ShardDigest {
  readonly summary: ShardSummary;
  /** Videos that gave samples, and their duration. */
  readonly videos: number;
  readonly milliseconds: number;
  /** Stored frames. */
  readonly frames: number;
  readonly failures: readonly VideoFailure[];
  /** Warnings by kind. */
  readonly warnings: Readonly<Record<string, number>>;
}

/** Sums over finished shards. */
export interface Collected {
  readonly shards: readonly ShardSummary[];
  readonly totals: DatasetTotals;
  /** Warnings by kind. */
  readonly warnings: Readonly<Record<string, number>>;
  /** JSON lines: one failed video each. */
  readonly failureLines: string;
}

/** Takes from a sidecar what the dataset needs. */
export function digestOf(sidecar: Sidecar): ShardDigest {
  const warnings: Record<string, number> = {};
  for (const { code } of sidecar.warnings) warnings[code] = (warnings[code] ?? 0) + 1;
  return {
    summary: summarizeShard(sidecar),
    videos: sidecar.videos,
    milliseconds: Math.round(sidecar.seconds * 1000),
    frames: sidecar.samples.reduce((sum, { frames }) => sum + frames, 0),
    failures: sidecar.failures,
    warnings,
  };
}

/** Sums up shards in the order of their numbers. */
export function collectDigests(digests: ReadonlyMap<number, ShardDigest>): Collected {
  const ordered = [...digests].sort(([a], [b]) => a - b).map(([, digest]) => digest);
  const sum = (value: (digest: ShardDigest) => number): number =>
    ordered.reduce((total, digest) => total + value(digest), 0);
  const failures: Record<string, number> = {};
  const warnings: Record<string, number> = {};
  const lines: string[] = [];
  for (const digest of ordered) {
    for (const failure of digest.failures) {
      failures[failure.code] = (failures[failure.code] ?? 0) + 1;
      lines.push(`${JSON.stringify({ shard: digest.summary.name, ...failure })}\n`);
    }
    for (const [kind, count] of Object.entries(digest.warnings)) {
      warnings[kind] = (warnings[kind] ?? 0) + count;
    }
  }
  return {
    shards: ordered.map(({ summary }) => summary),
    totals: {
      videos: sum(({ videos }) => videos),
      samples: sum(({ summary }) => summary.samples),
      frames: sum(({ frames }) => frames),
      bytes: sum(({ summary }) => summary.bytes),
      seconds: sum(({ milliseconds }) => milliseconds) / 1000,
      failures: sorted(failures),
    },
    warnings: sorted(warnings),
    failureLines: lines.join(''),
  };
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
