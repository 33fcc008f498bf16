/** The output folder of a conversion: made, checked for strangers, swept, emptied when asked. */

import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TubeletError, systemCode, toWriteError } from '../core/index.ts';
import { PLAN_FILE, plannedName } from './plan.ts';

/** What a run leaves that was killed before it had written its plan. */
const BEFORE_PLAN = /^(\.tubelet\.lock|plan\.json\.tmp)$/;

/** Files of a conversion besides its shards. */
const DESCRIPTIONS = /^(dataset\.json|failures\.jsonl)(\.tmp)?$/;

/**
 * Makes the folder, and makes sure that it is empty or was begun by a conversion.
 *
 * @throws {TubeletError} TUBE_OUT_NOT_EMPTY, TUBE_OUT_NOT_WRITABLE, TUBE_DISK_FULL
 */
export async function prepareFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
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
  const name = await plannedName(folder);
  await removeNames(
    folder,
    (file) => file === '.work' || (file.endsWith('.tmp') && isOurs(file, name)),
  );
}

/** Removes what the conversion in this folder has made and nothing else; its plan last, so that the folder stays known as its. */
export async function emptyFolder(folder: string): Promise<void> {
  const name = await plannedName(folder);
  await removeNames(folder, (file) => isOurs(file, name));
  await removeNames(folder, (file) => file === PLAN_FILE);
}

function isOurs(file: string, name: string | null): boolean {
  if (DESCRIPTIONS.test(file) || file === '.work' || file === `${PLAN_FILE}.tmp`) return true;
  return name !== null && isShardFile(file, name);
}

function isShardFile(file: string, name: string): boolean {
  return (
    file.startsWith(`${name}-`) && /^\d{6,}\.(tar|json)(\.tmp)?$/.test(file.slice(name.length + 1))
  );
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
