/** The output folder of a conversion: made, checked for strangers, emptied when asked. */

import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TubeletError, toWriteError } from '../core/index.ts';

/** Names of files that a conversion makes. */
const OURS =
  /^(dataset\.json|plan\.json|failures\.jsonl|\.tubelet\.lock|\.work|[A-Za-z0-9_-]+-\d{6,}\.(tar|json))(\.tmp)?$/;

/**
 * Makes the folder, or makes sure that it holds nothing but what conversions make.
 *
 * @throws {TubeletError} TUBE_OUT_NOT_EMPTY, TUBE_OUT_NOT_WRITABLE, TUBE_DISK_FULL
 */
export async function prepareFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    const names = await readdir(folder);
    const strange = names.find((name) => !OURS.test(name));
    if (strange !== undefined && !names.includes('plan.json')) {
      throw new TubeletError('TUBE_OUT_NOT_EMPTY', { path: folder, found: strange });
    }
  } catch (error) {
    throw toWriteError(error, folder);
  }
}

/** Removes what conversions made, and nothing else; the plan first, so that a half-emptied folder is not gone on with. */
export async function emptyFolder(folder: string): Promise<void> {
  try {
    await rm(join(folder, 'plan.json'), { force: true });
    for (const name of await readdir(folder)) {
      if (OURS.test(name) && name !== '.tubelet.lock') {
        await rm(join(folder, name), { recursive: true, force: true });
      }
    }
  } catch (error) {
    throw toWriteError(error, folder);
  }
}
