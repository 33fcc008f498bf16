/** The worker's side of a spool file: packed pixels of one video, one sample after the other. */

import { closeSync, constants, openSync, writevSync } from 'node:fs';
import { toWriteError } from '../core/index.ts';

/** Writes a spool file from its start; belongs to the caller, who must dispose of it. */
export class SpoolWriter {
  readonly #path: string;
  readonly #fd: number;
  #position = 0;

  constructor(path: string) {
    this.#path = path;
    try {
      // Not truncated: the pages of the video before are used again.
      this.#fd = openSync(path, constants.O_WRONLY | constants.O_CREAT);
    } catch (error) {
      throw toWriteError(error, path);
    }
  }

  /**
   * Appends parts and says where they lie.
   *
   * @throws {TubeletError} TUBE_DISK_FULL, TUBE_OUT_NOT_WRITABLE
   */
  append(parts: readonly Uint8Array[]): { readonly offset: number; readonly bytes: number } {
    const offset = this.#position;
    // The system takes at most 1024 parts a call and may write less than it was given.
    for (let first = 0; first < parts.length; first += 1024) {
      let rest = parts.slice(first, first + 1024);
      while (rest.length > 0) {
        const written = this.#write(rest);
        this.#position += written;
        rest = afterBytes(rest, written);
      }
    }
    return { offset, bytes: this.#position - offset };
  }

  /** Starts over; what was appended is overwritten. */
  rewind(): void {
    this.#position = 0;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  #write(parts: readonly Uint8Array[]): number {
    try {
      return writevSync(this.#fd, parts, this.#position);
    } catch (error) {
      throw toWriteError(error, this.#path);
    }
  }
}

/** What is left of parts after some bytes of them. */
function afterBytes(parts: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let skip = bytes;
  return parts.flatMap((part) => {
    const cut = Math.min(skip, part.length);
    skip -= cut;
    return cut === part.length ? [] : [part.subarray(cut)];
  });
}
