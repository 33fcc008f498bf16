/**
 * One conversion at a time in one output folder: a lock file that names its process, taken over when that process is gone.
 *
 * Two starters may find the same stale lock. Whoever removes one therefore holds a second lock while it looks and removes, so
 * that what it removes is what it has looked at. Should it be killed just then, that lock is taken over in the same way.
 */

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { open, readFile, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { TubeletError, systemCode, toWriteError } from '../core/index.ts';

const LOCK_FILE = '.tubelet.lock';
const MAX_ATTEMPTS = 3;

/** A held lock; release it with `await using`. */
export class FolderLock {
  readonly #path: string;
  readonly #content: string;

  private constructor(path: string, content: string) {
    this.#path = path;
    this.#content = content;
  }

  /**
   * Takes the lock of an existing folder.
   *
   * @throws {TubeletError} TUBE_OUT_LOCKED if another process holds it, TUBE_OUT_NOT_WRITABLE, TUBE_DISK_FULL
   */
  static async take(folder: string): Promise<FolderLock> {
    return FolderLock.#takeFile(join(folder, LOCK_FILE));
  }

  static async #takeFile(path: string): Promise<FolderLock> {
    const owner = { pid: process.pid, host: hostname(), began: beganAt(process.pid) };
    const content = JSON.stringify({ ...owner, id: randomUUID() });
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      if (await makeFile(path, content)) return new FolderLock(path, content);
      await checkStale(path);
      await using _takeover = await FolderLock.#takeFile(`${path}.takeover`);
      await checkStale(path);
      await rm(path, { force: true });
    }
    throw new TubeletError('TUBE_OUT_LOCKED', { path });
  }

  /** Releases the lock, unless someone has removed it and another process has taken it since. */
  async [Symbol.asyncDispose](): Promise<void> {
    if ((await readText(this.#path)) !== this.#content) return;
    await rm(this.#path, { force: true }).catch(() => undefined);
  }
}

/** Makes a lock file; false if there is one. */
async function makeFile(path: string, content: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    try {
      await file.writeFile(content);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw toWriteError(error, path);
  }
  // Empty for a moment, it may have been taken for stale.
  return (await readText(path)) === content;
}

/** @throws {TubeletError} TUBE_OUT_LOCKED if the owner of a lock file runs, or may run on another machine */
async function checkStale(path: string): Promise<void> {
  // Empty for a moment between being made and being written.
  const owner = (await readOwner(path)) ?? (await setTimeout(100), await readOwner(path));
  if (owner !== null && (owner.host !== hostname() || isAlive(owner))) {
    throw new TubeletError('TUBE_OUT_LOCKED', { path, pid: owner.pid, host: owner.host });
  }
}

interface Owner {
  readonly pid: number;
  readonly host: string;
  /** When the process began, where the system tells: numbers of processes are used again, in containers at once. */
  readonly began: string;
}

async function readOwner(path: string): Promise<Owner | null> {
  const found = /"pid":(\d+),"host":"([^"]*)","began":"([^"]*)"/.exec(await readText(path));
  if (found === null) return null;
  const [, pid = '', host = '', began = ''] = found;
  return { pid: Number(pid), host, began };
}

/** Content of a file; empty if it is not there. */
async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
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
