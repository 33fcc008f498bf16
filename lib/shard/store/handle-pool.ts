/** A bounded number of open files, the most recently used ones. */

import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { closedStore } from './store.ts';

interface PooledFile {
  readonly opened: Promise<FileHandle>;
  /** Uses under way; a file is closed only when there are none. */
  users: number;
  isEvicted: boolean;
}

/** Keeps the most recently used files open for reading. Close it when done. */
export class HandlePool {
  readonly #limit: number;
  /** By path, in order of last use. */
  readonly #files = new Map<string, PooledFile>();
  #isClosed = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Calls `use` with the open file; a file whose use fails is opened anew the next time. */
  async use<T>(path: string, use: (handle: FileHandle) => Promise<T>): Promise<T> {
    const file = this.#take(path);
    file.users += 1;
    try {
      return await use(await file.opened);
    } catch (error) {
      this.#evict(path, file);
      throw error;
    } finally {
      file.users -= 1;
      await closeIfUnused(file);
    }
  }

  /** Closes all files, after the uses that are under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    const files = [...this.#files];
    for (const [path, file] of files) this.#evict(path, file);
    await Promise.all(files.map(([, file]) => closeIfUnused(file)));
  }

  #take(path: string): PooledFile {
    if (this.#isClosed) throw closedStore();
    const file = this.#files.get(path) ?? { opened: open(path), users: 0, isEvicted: false };
    this.#files.delete(path);
    this.#files.set(path, file);
    for (const [oldPath, old] of this.#files) {
      if (this.#files.size <= this.#limit) break;
      this.#evict(oldPath, old);
      void closeIfUnused(old);
    }
    return file;
  }

  #evict(path: string, file: PooledFile): void {
    file.isEvicted = true;
    if (this.#files.get(path) === file) this.#files.delete(path);
  }
}

async function closeIfUnused(file: PooledFile): Promise<void> {
  if (!file.isEvicted || file.users > 0) return;
  try {
    const handle = await file.opened;
    await handle.close();
  } catch {
    // It never opened, or the system has nothing left to close; the use itself has reported the error.
  }
}
