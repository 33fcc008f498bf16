/** One conversion at a time in one output folder: a lock file that names its process, taken over when that process is gone. */

import { open, readFile, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { TubeletError, systemCode, toWriteError } from '../core/index.ts';

const LOCK_FILE = '.tubelet.lock';

/** A held lock; release it with `await using`. */
export class FolderLock {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /**
   * Takes the lock of an existing folder.
   *
   * @throws {TubeletError} TUBE_OUT_LOCKED if another process holds it, TUBE_OUT_NOT_WRITABLE, TUBE_DISK_FULL
   */
  static async take(folder: string): Promise<FolderLock> {
    const path = join(folder, LOCK_FILE);
    const mine = JSON.stringify({ pid: process.pid, host: hostname() });
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        const file = await open(path, 'wx');
        try {
          await file.writeFile(mine);
        } finally {
          await file.close();
        }
        return new FolderLock(path);
      } catch (error) {
        if (systemCode(error) !== 'EEXIST') throw toWriteError(error, path);
        await removeIfStale(path);
      }
    }
    throw new TubeletError('TUBE_OUT_LOCKED', { path });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#path, { force: true }).catch(() => undefined);
  }
}

async function removeIfStale(path: string): Promise<void> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const { pid, host } = parseOwner(text);
  if (pid !== null && (host !== hostname() || isAlive(pid))) {
    throw new TubeletError('TUBE_OUT_LOCKED', { path, pid, host });
  }
  await rm(path, { force: true });
}

function parseOwner(text: string): { pid: number | null; host: string } {
  const found = /"pid":(\d+),"host":"([^"]*)"/.exec(text);
  return { pid: found?.[1] === undefined ? null : Number(found[1]), host: found?.[2] ?? '' };
}

function isAlive(pid: number): boolean {
  if (pid === process.pid) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}
