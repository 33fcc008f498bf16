/** The parent's side of spool files: hands out names, reads packed pixels back, uses files again. */

import { open, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TubeletError, toWriteError } from '../core/index.ts';
import type { SpooledSample } from './video-task.ts';

const BLOCK_BYTES = 2 ** 20;

/** Bytes that may wait to be written before no further video is begun. */
const MAX_WAITING_BYTES = 2 ** 31;

/** A folder of spool files; belongs to the caller, who must dispose of it. */
export class SpoolFiles {
  readonly #folder: string;
  readonly #free: string[] = [];
  /** Bytes of files that are filled and not yet given back. */
  readonly #filled = new Map<string, number>();
  readonly #waiting: (() => void)[] = [];
  #waitingBytes = 0;
  #count = 0;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes the folder anew; what a killed run left there is removed. */
  static async create(folder: string): Promise<SpoolFiles> {
    try {
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder);
    } catch (error) {
      throw toWriteError(error, folder);
    }
    return new SpoolFiles(folder);
  }

  /**
   * Path of a file that nobody else uses until it is given back. Waits while too much is filled. Files are handed out in the
   * order of the calls: where that is the order of the videos, what fills the folder is of earlier ones and goes away.
   */
  async take(): Promise<string> {
    if (this.#waitingBytes > MAX_WAITING_BYTES || this.#waiting.length > 0) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    // The process id keeps a worker that outlives its killed parent out of the files of the next run.
    return this.#free.pop() ?? join(this.#folder, `${process.pid}-${this.#count++}.spool`);
  }

  /** Says how much a file now holds. */
  fill(path: string, bytes: number): void {
    this.#filled.set(path, bytes);
    this.#waitingBytes += bytes;
  }

  /** Gives a file back; its content may be overwritten. */
  giveBack(path: string): void {
    this.#waitingBytes -= this.#filled.get(path) ?? 0;
    this.#filled.delete(path);
    this.#free.push(path);
    if (this.#waitingBytes > MAX_WAITING_BYTES) return;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Removes a file whose worker may have been killed: a write may still be under way, so nobody else is to have the file. */
  async discard(path: string): Promise<void> {
    await rm(path, { force: true }).catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** The packed bytes of a sample: its head, then its pixels from the spool file, block by block. */
export async function* payloadOf(
  path: string,
  { head, offset, bytes }: SpooledSample,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield head;
  yield* readRange(path, offset, bytes);
}

/** Bytes of a part of a file, block by block; the blocks belong to the receiver. */
export async function* readRange(
  path: string,
  offset: number,
  bytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await open(path, 'r');
  try {
    for (let done = 0; done < bytes;) {
      const block = Buffer.allocUnsafe(Math.min(BLOCK_BYTES, bytes - done));
      const { bytesRead } = await file.read(block, 0, block.length, offset + done);
      if (bytesRead === 0)
        throw new TubeletError('TUBE_INTERNAL', { message: 'spool file cut short' });
      done += bytesRead;
      yield block.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}
