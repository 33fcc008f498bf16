/** The datasets of a loader: one, or several that are mixed. */

import { TubeletError } from '../core/index.ts';
import { openDataset } from '../shard/index.ts';
import type { Dataset, StoreOptions } from '../shard/index.ts';
import { isOfSample } from './bad-sample.ts';
import type { StoredClips } from './clip/recipe.ts';
import { fingerprintDatasets } from './order/cursor.ts';

/** Samples that are looked at for one that can be read. */
const MAX_LOOKS = 16;

/** Where the data comes from: one folder or URL, or several with their weights in the mixture, as in `{ a: 0.7, b: 0.3 }`. */
export type LoaderSource = string | Readonly<Record<string, number>>;

/** A dataset that takes part; plain data. */
export interface Member {
  /** `''` when there is one; else the name in its `dataset.json`, or the location if names clash. */
  readonly name: string;
  readonly location: string;
  readonly weight: number;
  /** Samples of each shard. */
  readonly shardSamples: readonly number[];
  /** What its samples are if they are finished clips (layout `tubelets`); null if they are frames. */
  readonly stored: StoredClips | null;
}

/** An open dataset that takes part. */
export interface OpenMember extends Member {
  readonly dataset: Dataset;
}

/**
 * Opens all datasets of a source. They belong to the caller.
 *
 * @throws {RangeError} if there are none
 * @throws {TubeletError} as {@link openDataset}
 */
export async function openMembers(
  source: LoaderSource,
  store: StoreOptions,
): Promise<OpenMember[]> {
  const weights = typeof source === 'string' ? { [source]: 1 } : source;
  const places = Object.entries(weights);
  if (places.length === 0)
    throw new RangeError('"source" must name at least one dataset (got none).');
  const opened: { location: string; weight: number; dataset: Dataset }[] = [];
  const stored: (StoredClips | null)[] = [];
  try {
    for (const [location, weight] of places) {
      const dataset = await openDataset(location, store);
      opened.push({ location, weight, dataset });
      stored.push(await findStored(dataset));
    }
  } catch (error) {
    await closeMembers(opened);
    throw error;
  }
  const names = opened.map(({ dataset }) => dataset.info.name);
  const isDistinct = new Set(names).size === names.length;
  return opened.map(({ location, weight, dataset }, index) => ({
    name: opened.length === 1 ? '' : isDistinct ? dataset.info.name : location,
    location,
    weight,
    dataset,
    shardSamples: dataset.info.shards.map(({ samples }) => samples),
    stored: stored[index] ?? null,
  }));
}

/**
 * Opens the datasets again, in another thread.
 *
 * @throws {TubeletError} TUBE_DATASET_DAMAGED if they are no longer the same; else as {@link openDataset}
 */
export async function reopenMembers(
  members: readonly Member[],
  store: StoreOptions,
  fingerprint: string,
): Promise<OpenMember[]> {
  const opened: OpenMember[] = [];
  try {
    for (const member of members) {
      opened.push({ ...member, dataset: await openDataset(member.location, store) });
    }
    if (fingerprintMembers(opened) === fingerprint) return opened;
    const message = 'dataset.json changed while the loader was opened';
    throw new TubeletError('TUBE_DATASET_DAMAGED', { message });
  } catch (error) {
    await closeMembers(opened);
    throw error;
  }
}

/** What the datasets are, for cursors and workers. */
export function fingerprintMembers(members: readonly OpenMember[]): string {
  return fingerprintDatasets(
    members.map(({ name, dataset }) => ({ name, shards: dataset.info.shards })),
  );
}

/** Closes all datasets. */
export async function closeMembers(
  members: readonly { readonly dataset: Dataset }[],
): Promise<void> {
  await Promise.all(members.map(({ dataset }) => dataset[Symbol.asyncDispose]()));
}

/** Looks at the first sample that can be read; all others have to be like it, or are bad samples. */
async function findStored(dataset: Dataset): Promise<StoredClips | null> {
  const last = Math.min(dataset.numSamples, MAX_LOOKS) - 1;
  for (let position = 0; position <= last; position++) {
    try {
      const { clipShape, tubelet } = await dataset.readHead(position);
      if (clipShape === undefined || tubelet === undefined) return null;
      const [numFrames = 0, height = 0, width = 0] = clipShape;
      const [t = 0, p = 0, q = 0] = tubelet;
      return { clipShape: [numFrames, height, width, 3], tubelet: [t, p, q] };
    } catch (error) {
      if (!isOfSample(error) || position === last) throw error;
    }
  }
  return null;
}
