/** One conversion at a time in one output folder: a lock file that names its process, taken over when that process is gone. */

import { readFileSync } from 'node:fs';
import { open, readFile, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
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
    const mine = JSON.stringify({
      pid: process.pid,
      host: hostname(),
      began: beganAt(process.pid),
    });
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
  // Empty for a moment between being made and being written.
  const owner = (await readOwner(path)) ?? (await setTimeout(100), await readOwner(path));
  if (owner !== null && (owner.host !== hostname() || isAlive(owner))) {
    throw new TubeletError('TUBE_OUT_LOCKED', { path, pid: owner.pid, host: owner.host });
  }
  await rm(path, { force: true });
}

interface Owner {
  readonly pid: number;
  readonly host: string;
  /** When the process began, where the system tells: numbers of processes are used again, in containers at once. */
  readonly began: string;
}

async function readOwner(path: string): Promise<Owner | null> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const found = /"pid":(\d+),"host":"([^"]*)","began":"([^"]*)"/.exec(text);
  if (found === null) return null;
  const [, pid = '', host = '', began = ''] = found;
  return { pid: Number(pid), host, began };
}

function isAlive({ pid, began }: Owner): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (systemCode(error) !== 'EPERM') return false;
  }
  return beganAt(pid) === began;
}

/** Start time of a process in ticks since the system started (Linux), else empty. */
function beganAt(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? 'has ended' : (fields[19] ?? '');
  } catch {
    return '';
  }
}
