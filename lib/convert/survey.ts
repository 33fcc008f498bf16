/** What of a conversion is already there: finished shards, and those with failures worth another try. */

import { readDoneSidecar } from '../shard/index.ts';

/** State of the shards of a plan. */
export interface Survey {
  /** Numbers of shards to write, ascending. */
  readonly pending: readonly number[];
  /** Those of them that are finished and only rewritten in part. */
  readonly rewritten: ReadonlySet<number>;
  /** Failed videos in finished shards that are not rewritten. */
  readonly failures: number;
}

/** Looks at every shard's sidecar and the size of its tar. */
export async function surveyShards(
  folder: string,
  names: readonly string[],
  retryCodes: ReadonlySet<string>,
): Promise<Survey> {
  const pending: number[] = [];
  const rewritten = new Set<number>();
  let failures = 0;
  for (const [shard, name] of names.entries()) {
    const sidecar = await readDoneSidecar(folder, name);
    if (sidecar === null) {
      pending.push(shard);
    } else if (sidecar.failures.some(({ code }) => retryCodes.has(code))) {
      pending.push(shard);
      rewritten.add(shard);
    } else {
      failures += sidecar.failures.length;
    }
  }
  return { pending, rewritten, failures };
}
