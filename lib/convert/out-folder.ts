/** The output folder of a conversion: made, checked for strangers, swept, emptied when asked. */

import { mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { TubeletError, systemCode, toWriteError } from '../core/index.ts';
import { PLAN_FILE, plannedName } from './plan.ts';

/** What a run leaves that was killed before it had written its plan. */
const BEFORE_PLAN = /^(\.tubelet\.lock(\.takeover)*|plan\.json\.tmp)$/;

/** Files of a conversion besides its shards and its plan. */
const DESCRIPTIONS =
  /^(\.work|dataset\.json|failures\.jsonl|(dataset|plan)\.json\.tmp|failures\.jsonl\.tmp)$/;

const WORK = '.work';

/**
 * Makes the folder, and makes sure that it is empty or was begun by a conversion.
 *
 * @throws {TubeletError} TUBE_OUT_NOT_EMPTY, TUBE_OUT_NOT_WRITABLE, TUBE_DISK_FULL
 */
export async function prepareFolder(folder: string): Promise<void> {
  try {
    await makeFolder(folder);
  } catch (error) {
    throw toWriteError(error, folder);
  }
  await checkFolder(folder);
}

/**
 * Makes sure that a folder, if it is there, is empty or was begun by a conversion: shards of others are not to be written over.
 *
 * @throws {TubeletError} TUBE_OUT_NOT_EMPTY, TUBE_OUT_NOT_WRITABLE
 */
export async function checkFolder(folder: string): Promise<void> {
  const names = await listNames(folder);
  const strange = names.find((name) => !BEFORE_PLAN.test(name));
  if (strange !== undefined && !names.includes(PLAN_FILE)) {
    throw new TubeletError('TUBE_OUT_NOT_EMPTY', { path: folder, found: strange });
  }
}

/** Removes what a killed run left unfinished; for the holder of the lock. */
export async function sweepFolder(folder: string): Promise<void> {
  const isOurs = oursWith([await plannedName(folder)]);
  await removeNames(folder, (file) => file === WORK || (file.endsWith('.tmp') && isOurs(file)));
}

/**
 * Removes what the conversion in this folder has made, and what could be taken for shards of the next one; nothing else. The plan
 * goes last, so that a half-emptied folder is still known as one of ours.
 */
export async function emptyFolder(folder: string, nextName: string): Promise<void> {
  const isOurs = oursWith([await plannedName(folder), nextName]);
  await removeNames(folder, isOurs);
  await removeNames(folder, (file) => file === PLAN_FILE);
}

function oursWith(shardNames: readonly (string | null)[]): (file: string) => boolean {
  return (file) => {
    const shard = /^(.+)-\d{6,}\.(tar|json)(\.tmp)?$/.exec(file)?.[1];
    return shard === undefined ? DESCRIPTIONS.test(file) : shardNames.includes(shard);
  };
}

/** Node's own way to make parents too goes round for ever where making a folder fails with ENOENT, as in /proc. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return;
    const parent = dirname(path);
    if (systemCode(error) !== 'ENOENT' || parent === path) throw error;
    await makeFolder(parent);
    await mkdir(path);
  }
}

async function listNames(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw toWriteError(error, folder);
  }
}

async function removeNames(folder: string, wanted: (file: string) => boolean): Promise<void> {
  try {
    for (const file of (await readdir(folder)).filter(wanted)) {
      await rm(join(folder, file), { recursive: true, force: true, maxRetries: 3 });
    }
  } catch (error) {
    throw toWriteError(error, folder);
  }
}
