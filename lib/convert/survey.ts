/** What of a conversion is already there: finished shards, and those with failures worth another try. */

import { readDoneSidecar } from '../shard/index.ts';
import { digestOf } from './shard-digest.ts';
import type { ShardDigest } from './shard-digest.ts';

/** State of the shards of a plan. */
export interface Survey {
  /** Numbers of shards to write, ascending. */
  readonly pending: readonly number[];
  /** Those of them that are finished and only rewritten in part. */
  readonly rewritten: ReadonlySet<number>;
  /** Failed videos in finished shards that are not rewritten. */
  readonly failures: number;
  /** What finished shards hold, by number; shards that are finished later are added. */
  readonly digests: Map<number, ShardDigest>;
}

/** Sidecars read at the same time. */
const AT_ONCE = 16;

/** Looks at every shard's sidecar and the size of its tar. */
export async function surveyShards(
  folder: string,
  names: readonly string[],
  {
    retryCodes,
    signal,
  }: { readonly retryCodes: ReadonlySet<string>; readonly signal?: AbortSignal },
): Promise<Survey> {
  const pending: number[] = [];
  const rewritten = new Set<number>();
  const digests = new Map<number, ShardDigest>();
  let failures = 0;
  for (let first = 0; first < names.length; first += AT_ONCE) {
    signal?.throwIfAborted();
    const some = names.slice(first, first + AT_ONCE);
    const sidecars = await Promise.all(some.map((name) => readDoneSidecar(folder, name)));
    for (const [place, sidecar] of sidecars.entries()) {
      const shard = first + place;
      const isRetried = sidecar?.failures.some(({ code }) => retryCodes.has(code)) ?? false;
      if (sidecar === null || isRetried) pending.push(shard);
      if (sidecar === null) continue;
      digests.set(shard, digestOf(sidecar));
      if (isRetried) rewritten.add(shard);
      else failures += sidecar.failures.length;
    }
  }
  return { pending, rewritten, failures, digests };
}
