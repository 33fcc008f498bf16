/**
 * The plan of a conversion: which videos stand in which shard. It is written to the output folder before the first shard, so that
 * a later run can only go on with the same source and options.
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  TubeletError,
  createPermutation,
  messageText,
  systemCode,
  writeFileAtomic,
} from '../core/index.ts';
import type { Source, VideoRef } from '../source/index.ts';
import type { ResolvedContent } from './options.ts';

/** Raised whenever the same options and source give other bytes than before. */
const CONVERSION_VERSION = 1;

/** File of the plan in the output folder. */
export const PLAN_FILE = 'plan.json';

/** What decides over every byte of a dataset. */
export interface Plan {
  readonly v: number;
  readonly content: ResolvedContent;
  readonly source: {
    readonly kind: 'folder' | 'list';
    readonly videos: number;
    /** SHA-256 over all entries in order. */
    readonly fingerprint: string;
  };
}

/** Makes the plan for a source. */
export function planFor(source: Source, content: ResolvedContent): Plan {
  const { kind, numVideos, fingerprint } = source;
  return { v: CONVERSION_VERSION, content, source: { kind, videos: numVideos, fingerprint } };
}

/** Names of all shards, in order. */
export function shardNames({ content, source }: Plan): string[] {
  const count = Math.ceil(source.videos / content.videosPerShard);
  return Array.from({ length: count }, (_, k) => `${content.name}-${String(k).padStart(6, '0')}`);
}

/** The videos of one shard, in the order of the plan. */
export async function videosOfShard(
  source: Source,
  { content }: Plan,
  shard: number,
): Promise<VideoRef[]> {
  const { videosPerShard, seed, shuffle } = content;
  const start = shard * videosPerShard;
  const count = Math.min(videosPerShard, source.numVideos - start);
  if (!shuffle) return source.read(start, count);
  const placeOf = createPermutation(source.numVideos, seed, 'shard-order');
  const videos: VideoRef[] = [];
  for (let i = 0; i < count; i++) videos.push(...(await source.read(placeOf(start + i), 1)));
  return videos;
}

/**
 * Makes sure that a folder was begun with the same plan; true if it was, false if it holds no plan yet.
 *
 * @throws {TubeletError} TUBE_OPTIONS_DIFFER naming every difference, TUBE_PLAN_DAMAGED
 */
export async function checkPlan(folder: string, plan: Plan): Promise<boolean> {
  const found = await readPlan(folder);
  if (found === null) return false;
  const differences = listDifferences(flatten(found), flatten(plan));
  if (differences.length === 0) return true;
  throw new TubeletError('TUBE_OPTIONS_DIFFER', { message: differences.join('; ') });
}

/** Writes the plan, whole or not at all. */
export async function writePlan(folder: string, plan: Plan): Promise<void> {
  await writeFileAtomic(join(folder, PLAN_FILE), `${JSON.stringify(plan, null, 2)}\n`);
}

/** Name of the shards of the plan in a folder; null without a readable plan. */
export async function plannedName(folder: string): Promise<string | null> {
  const plan = await readPlan(folder).catch(() => null);
  const name: unknown = JSON.parse(flatten(plan).get('name') ?? 'null');
  return typeof name === 'string' ? name : null;
}

async function readPlan(folder: string): Promise<object | null> {
  const path = join(folder, PLAN_FILE);
  try {
    const plan: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (typeof plan !== 'object' || plan === null) throw new SyntaxError('not an object');
    return plan;
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return null;
    throw new TubeletError('TUBE_PLAN_DAMAGED', { path, message: messageText(cause) }, { cause });
  }
}

type Leaves = Map<string, string>;

/** Every leaf of a JSON value under its last name: options are few and their names are told apart. */
function flatten(value: unknown, name = 'plan', leaves: Leaves = new Map()): Leaves {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return leaves.set(name, JSON.stringify(value));
  }
  for (const [key, part] of Object.entries(value))
    flatten(part, key === 'v' ? 'version' : key, leaves);
  return leaves;
}

function listDifferences(there: Leaves, now: Leaves): string[] {
  return [...new Set([...there.keys(), ...now.keys()])]
    .filter((name) => there.get(name) !== now.get(name))
    .map((name) =>
      name === 'fingerprint'
        ? 'the source names other videos'
        : `${name} was ${there.get(name) ?? 'not set'}, now ${now.get(name) ?? 'not set'}`,
    );
}
