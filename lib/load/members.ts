/** The datasets of a loader: one, or several that are mixed. */

import { TubeletError } from '../core/index.ts';
import { openDataset } from '../shard/index.ts';
import type { Dataset, StoreOptions } from '../shard/index.ts';
import { isOfSample } from './bad-sample.ts';
import type { ShardClips, StoredClips } from './clip/recipe.ts';
import { fingerprintDatasets } from './order/cursor.ts';

/** Samples that are looked at for one that can be read. */
const MAX_LOOKS = 16;

/** Where the data comes from: one folder or URL, or several with their weights in the mixture, as in `{ a: 0.7, b: 0.3 }`. */
export type LoaderSource = string | Readonly<Record<string, number>>;

/** How datasets are opened; `signal` gives up. */
export type OpenOptions = StoreOptions & { readonly signal?: AbortSignal };

/** A dataset that takes part; plain data. */
export interface Member {
  /** `''` when there is one; else the name in its `dataset.json`, with a print of its shards where names clash. */
  readonly name: string;
  readonly location: string;
  readonly weight: number;
  /** Samples of each shard. */
  readonly shardSamples: readonly number[];
  /** What its samples are if they are finished clips (layout `tubelets`); null if they are frames. */
  readonly stored: StoredClips | null;
  /** Which samples have been checked, shared by all threads; null where every read is checked. See {@link DatasetOptions}. */
  readonly checked: Uint8Array | null;
}

/** An open dataset that takes part. */
export interface OpenMember extends Member {
  readonly dataset: Dataset;
}

/**
 * Opens all datasets of a source. They belong to the caller.
 *
 * @throws {RangeError} if there are none, or one comes twice
 * @throws {TubeletError} as {@link openDataset}
 * @throws the reason of `signal`
 */
export async function openMembers(
  source: LoaderSource,
  options: OpenOptions,
): Promise<OpenMember[]> {
  const weights = typeof source === 'string' ? { [source]: 1 } : source;
  const places = Object.entries(weights);
  if (places.length === 0)
    throw new RangeError('"source" must name at least one dataset (got none).');
  const opened: { location: string; weight: number; dataset: Dataset }[] = [];
  const stored: (StoredClips | null)[] = [];
  const { signal } = options;
  const close = (): void => void closeMembers(opened);
  signal?.addEventListener('abort', close, { once: true });
  try {
    for (const [location, weight] of places) {
      const dataset = await openDataset(location, options);
      opened.push({ location, weight, dataset });
      stored.push(await findStored(dataset));
    }
    signal?.throwIfAborted();
    const names = nameDatasets(opened.map(({ dataset }) => dataset));
    return opened.map(({ location, weight, dataset }, index) => ({
      name: names[index] ?? '',
      location,
      weight,
      dataset,
      shardSamples: dataset.info.shards.map(({ samples }) => samples),
      stored: stored[index] ?? null,
      checked: null,
    }));
  } catch (error) {
    await closeMembers(opened);
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', close);
  }
}

/**
 * Says what a mixture holds.
 *
 * @throws {RangeError} if its finished clips are of different shapes
 */
export function describeClips(members: readonly Member[]): ShardClips {
  const finished = members.flatMap(({ stored }) => (stored === null ? [] : [stored]));
  const shapes = finished.map(
    ({ clipShape, tubelet }) => `${clipShape.join('x')} in ${tubelet.join('x')}`,
  );
  if (new Set(shapes).size > 1) {
    throw new RangeError(`"source" must hold clips of one shape (got ${shapes.join(', ')}).`);
  }
  return { stored: finished[0] ?? null, hasFrames: finished.length < members.length };
}

/** Share of each dataset in a mixture, by name; undefined for one dataset. */
export function sharesOf(members: readonly Member[]): Record<string, number> | undefined {
  if (members.length === 1) return undefined;
  const total = members.reduce((sum, { weight }) => sum + weight, 0);
  return Object.fromEntries(members.map(({ name, weight }) => [name, weight / total]));
}

/**
 * Opens the datasets again, in another thread.
 *
 * @throws {TubeletError} TUBE_DATASET_DAMAGED if they are no longer the same; else as {@link openDataset}
 */
export async function reopenMembers(
  members: readonly Member[],
  fingerprint: string,
  options: OpenOptions,
): Promise<OpenMember[]> {
  const opened: OpenMember[] = [];
  try {
    for (const member of members) {
      const { location, checked } = member;
      const own = checked === null ? options : { ...options, checked };
      opened.push({ ...member, dataset: await openDataset(location, own) });
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

/** Has each sample checked just once by all threads together, unless it comes from a server. */
export function checkOnce(member: Member): Member {
  if (isRemote(member)) return member;
  const numSamples = member.shardSamples.reduce((sum, samples) => sum + samples, 0);
  return { ...member, checked: new Uint8Array(new SharedArrayBuffer(Math.ceil(numSamples / 8))) };
}

/** Whether a dataset is on a server. */
export function isRemote({ location }: Pick<Member, 'location'>): boolean {
  return /^https?:/i.test(location);
}

/** Closes all datasets. */
export async function closeMembers(
  members: readonly { readonly dataset: Dataset }[],
): Promise<void> {
  await Promise.all(members.map(({ dataset }) => dataset[Symbol.asyncDispose]()));
}

/**
 * Names that are the same on every machine, wherever the datasets lie there: draws and cursors depend on them. Locations would
 * not do, and may hold passwords.
 */
function nameDatasets(datasets: readonly Dataset[]): readonly string[] {
  if (datasets.length === 1) return [''];
  const given = datasets.map(({ info }) => info.name);
  if (new Set(given).size === given.length) return given;
  const full = datasets.map(({ info: { name, shards } }) => {
    return `${name}-${fingerprintDatasets([{ name, shards }]).slice(0, 8)}`;
  });
  if (new Set(full).size === full.length) return full;
  throw new RangeError(`"source" must name each dataset once (got ${given.join(', ')}).`);
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
