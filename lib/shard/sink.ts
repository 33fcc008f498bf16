/**
 * The end of the writing line: bytes go to a file while they are hashed. One write is on its way in the thread pool while
 * the main thread hashes, and the disk is kept busy by flushing as the file grows, so the last flush has little left.
 */

import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';

const WRITE_BYTES = 2 ** 20;
const FLUSH_BYTES = 2 ** 23;

/** What has become of a stream of chunks. */
export interface Stored {
  readonly bytes: number;
  /** Lower-case hexadecimal digits. */
  readonly sha256: string;
}

/**
 * Writes all chunks to a file, in order, and flushes it to the disk. Holds the chunks of at most two writes.
 *
 * @throws system errors of the file, and whatever `chunks` throws
 */
export async function storeChunks(
  chunks: AsyncIterable<Uint8Array>,
  file: FileHandle,
): Promise<Stored> {
  const hash = createHash('sha256');
  let bytes = 0;
  let gathered: Uint8Array[] = [];
  let gatheredBytes = 0;
  let unflushedBytes = 0;
  let writing = Promise.resolve();
  let flushing = Promise.resolve();
  let isFlushing = false;
  const flush = async (): Promise<void> => {
    await file.datasync();
    isFlushing = false;
  };
  const write = async (): Promise<void> => {
    const buffers = gathered;
    gathered = [];
    gatheredBytes = 0;
    await writing;
    writing = noticed(writeAll(file, buffers));
    if (unflushedBytes < FLUSH_BYTES || isFlushing) return;
    unflushedBytes = 0;
    isFlushing = true;
    flushing = noticed(flush());
  };
  try {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      gatheredBytes += chunk.length;
      unflushedBytes += chunk.length;
      gathered.push(chunk);
      if (gatheredBytes >= WRITE_BYTES) await write();
      hash.update(chunk);
    }
    await write();
  } finally {
    await Promise.all([writing, flushing]);
  }
  await file.sync();
  return { bytes, sha256: hash.digest('hex') };
}

/** Keeps a rejection that is looked at later from being reported as unhandled. */
function noticed(promise: Promise<void>): Promise<void> {
  promise.catch(() => {});
  return promise;
}

/** Writes buffers one behind the other at the end of the file; the system may take them in several bites. */
async function writeAll(file: FileHandle, buffers: readonly Uint8Array[]): Promise<void> {
  let rest = buffers;
  while (rest.length > 0) {
    let { bytesWritten: taken } = await file.writev(rest);
    rest = rest.flatMap((buffer) => {
      const skipped = Math.min(taken, buffer.length);
      taken -= skipped;
      return skipped === buffer.length ? [] : [buffer.subarray(skipped)];
    });
  }
}
