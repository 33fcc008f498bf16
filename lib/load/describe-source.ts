/** What a source holds, for those who must know it before they can say what they want of it. */

import type { ShardClips } from './clip/recipe.ts';
import { closeMembers, describeClips, fingerprintMembers, openMembers } from './members.ts';
import type { LoaderSource } from './members.ts';

/** What stands in the datasets of a source. */
export interface SourceDescription extends ShardClips {
  /** Class names of the first dataset; empty without labels. */
  readonly classes: readonly string[];
  /** Print of all shards. */
  readonly fingerprint: string;
}

/**
 * Looks at the datasets of a source and closes them again.
 *
 * @throws {RangeError} if there are none, or their finished clips are of different shapes
 * @throws {TubeletError} as {@link openDataset}
 */
export async function describeSource(source: LoaderSource): Promise<SourceDescription> {
  const members = await openMembers(source, {});
  try {
    const classes = members[0]?.dataset.info.classes ?? [];
    return { ...describeClips(members), classes, fingerprint: fingerprintMembers(members) };
  } finally {
    await closeMembers(members);
  }
}
