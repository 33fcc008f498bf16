/** Stdout as a stream of batches: backpressure, a reader that goes away, a reader that stands still. */

import { createWriteStream, fstatSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { TubeletError } from '../lib/index.ts';

/** How long a reader has to take the batch in work after Ctrl-C, so that its stream ends with a whole one. */
const GRACE_MS = 1000;
const STDOUT = 1;

/**
 * Gives the stream for binary output. Into pipes and sockets Node writes without blocking its thread; into files its own stream for
 * stdout ignores writes that stop halfway on a full disk, so that they get another one.
 */
export function openStdout(): Writable {
  const kind = fstatSync(STDOUT);
  const isPipe = kind.isFIFO() || kind.isSocket();
  const stream = isPipe ? process.stdout : createWriteStream('', { fd: STDOUT, autoClose: false });
  // Errors come to whoever writes.
  return stream.on('error', () => undefined);
}

/** Whether an error says that the reader went away. */
export function isReaderGone(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === 'EPIPE';
}

/**
 * Writes parts one after the other, and waits until the system has taken all of them: then their memory may be used again.
 *
 * @throws the reason of `signal`, if the reader takes too long after it; EPIPE if the reader is gone
 * @throws {TubeletError} TUBE_DISK_FULL, TUBE_OUT_NOT_WRITABLE
 */
export async function writeParts(
  stream: Writable,
  parts: readonly Uint8Array[],
  signal: AbortSignal,
): Promise<void> {
  const given = new AbortController();
  const patience = waitFor(signal, given.signal);
  try {
    await Promise.race([writeAll(stream, parts), patience]);
  } catch (error) {
    throw toWriteError(error);
  } finally {
    given.abort();
  }
}

/** Rejects some time after `signal`, with its reason; never once `isDone` says so. */
function waitFor(signal: AbortSignal, isDone: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = (): void => {
      setTimeout(() => reject(signal.reason as Error), GRACE_MS).unref();
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true, signal: isDone });
  });
}

function writeAll(stream: Writable, parts: readonly Uint8Array[]): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = parts.length;
    stream.cork();
    for (const part of parts) {
      stream.write(part, (error) => {
        left -= 1;
        if (error) reject(error);
        else if (left === 0) resolve();
      });
    }
    stream.uncork();
  });
}

function toWriteError(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (isReaderGone(error) || typeof code !== 'string' || error instanceof TubeletError)
    return error;
  const kind = code === 'ENOSPC' || code === 'EDQUOT' ? 'TUBE_DISK_FULL' : 'TUBE_OUT_NOT_WRITABLE';
  return new TubeletError(kind, { path: 'stdout', message }, { cause: error });
}
