/**
 * Files that appear whole or not at all: written under a temporary name, flushed to the disk, renamed.
 * The temporary name is fixed, so what a killed process left behind is overwritten by the next attempt.
 */

import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { TubeletError, messageText, systemCode } from './errors.ts';

/** Name under which a file is written until it is complete, in the same folder. */
export function temporaryPath(path: string): string {
  return `${path}.tmp`;
}

/**
 * Writes a file so that a reader, or a crash at any moment, finds either the old content or the new, never a part.
 * The data is on the disk when the promise resolves. One writer per path at a time. Of a sequence of parts, one is held at a time;
 * if it throws, the old content stays.
 *
 * @throws {TubeletError} TUBE_DISK_FULL, TUBE_OUT_NOT_WRITABLE
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array | AsyncIterable<Uint8Array>,
): Promise<void> {
  const temporary = temporaryPath(path);
  try {
    const file = await open(temporary, 'w');
    try {
      if (typeof data === 'string' || data instanceof Uint8Array) await file.writeFile(data);
      else for await (const part of data) await file.writeFile(part);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw toWriteError(error, path);
  }
}

/** Flushes a folder, so that files renamed inside it keep their new names after a power cut. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return; // Folders cannot be opened there; the file system journals renames itself.
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Gives a failed write its code: a full disk or an output that cannot be written. Other errors come back as they are. */
export function toWriteError(error: unknown, path: string): unknown {
  const code = systemCode(error);
  if (error instanceof TubeletError || code === undefined || !/^E(?!RR_)[A-Z0-9]+$/.test(code)) {
    return error;
  }
  const isFull = code === 'ENOSPC' || code === 'EDQUOT';
  const details = { path, message: messageText(error) };
  return new TubeletError(isFull ? 'TUBE_DISK_FULL' : 'TUBE_OUT_NOT_WRITABLE', details, {
    cause: error,
  });
}
