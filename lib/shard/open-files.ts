/** Positional reads from many files through a bounded number of open handles. */

import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

interface OpenFile {
  readonly opened: Promise<{ handle: FileHandle; size: number }>;
  /** Reads under way; a file is closed only when there are none. */
  readers: number;
  isEvicted: boolean;
}

/** Keeps the most recently read files open. Close it when done. */
export class OpenFiles {
  readonly #limit: number;
  /** In order of last use. */
  readonly #files = new Map<string, OpenFile>();
  #isClosed = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Reads a span of a file into a buffer of its own; null if the file ends before the span does.
   *
   * @throws system errors
   */
  async read(path: string, offset: number, bytes: number): Promise<Uint8Array | null> {
    const file = this.#use(path);
    file.readers += 1;
    try {
      const { handle, size } = await file.opened;
      return offset + bytes > size ? null : await readSpan(handle, offset, bytes);
    } catch (error) {
      this.#evict(path, file);
      throw error;
    } finally {
      file.readers -= 1;
      await closeIfUnused(file);
    }
  }

  /** Closes all files, after the reads that are under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    const files = [...this.#files];
    for (const [path, file] of files) this.#evict(path, file);
    await Promise.all(files.map(([, file]) => closeIfUnused(file)));
  }

  #use(path: string): OpenFile {
    if (this.#isClosed) throw new TypeError('The dataset is closed.');
    const known = this.#files.get(path);
    const file = known ?? { opened: openWithSize(path), readers: 0, isEvicted: false };
    this.#files.delete(path);
    this.#files.set(path, file);
    for (const [oldPath, old] of this.#files) {
      if (this.#files.size <= this.#limit) break;
      this.#evict(oldPath, old);
      void closeIfUnused(old);
    }
    return file;
  }

  #evict(path: string, file: OpenFile): void {
    file.isEvicted = true;
    if (this.#files.get(path) === file) this.#files.delete(path);
  }
}

async function openWithSize(path: string): Promise<{ handle: FileHandle; size: number }> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    return { handle, size };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function closeIfUnused(file: OpenFile): Promise<void> {
  if (!file.isEvicted || file.readers > 0) return;
  try {
    const { handle } = await file.opened;
    await handle.close();
  } catch {
    // It never opened, or the system has nothing left to close; the read itself has reported the error.
  }
}

/** Reads exactly `bytes` bytes; null if the file ends before. */
export async function readSpan(
  handle: FileHandle,
  offset: number,
  bytes: number,
): Promise<Uint8Array | null> {
  const buffer = Buffer.allocUnsafeSlow(bytes);
  for (let filled = 0; filled < bytes;) {
    const { bytesRead } = await handle.read(buffer, filled, bytes - filled, offset + filled);
    if (bytesRead === 0) return null;
    filled += bytesRead;
  }
  return buffer;
}
