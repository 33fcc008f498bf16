/**
 * Entries on disk: one JSON line each in a temporary file, and in memory only where each line starts (8 bytes an entry). The
 * file has no name while it is in use, so nothing is left behind, not even after `kill -9`; on Windows it is removed at the end.
 */

import { createHash, randomUUID } from 'node:crypto';
import { open, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { TubeletError, messageText, systemCode } from '../core/index.ts';
import type { SourceEntry } from './video-ref.ts';

const FLUSH_BYTES = 256 * 1024;

/** An entry as it is stored; the line of the list is no part of it, for a comment more or less changes nothing. */
export type StoredEntry = Omit<SourceEntry, 'line'>;

type Line = [
  path: string,
  startSeconds: number | null,
  endSeconds: number | null,
  label: string | null,
  className: string | null,
  split: string | null,
];

/** A list of entries that lives on disk: filled once, then read anywhere. */
export class Spool {
  readonly #file: FileHandle;
  readonly #folder: string;
  /** Set where the file still has a name. */
  readonly #leftover: string | undefined;
  readonly #hash = createHash('sha256');
  #offsets = new Float64Array(1024);
  #length = 0;
  #writtenBytes = 0;
  #pending = '';
  #pendingBytes = 0;

  private constructor(file: FileHandle, folder: string, leftover: string | undefined) {
    this.#file = file;
    this.#folder = folder;
    this.#leftover = leftover;
  }

  /**
   * Makes an empty spool in a folder.
   *
   * @throws {TubeletError} TUBE_OUT_NOT_WRITABLE, TUBE_DISK_FULL
   */
  static async open(folder: string): Promise<Spool> {
    const name = join(folder, `tubelet-${randomUUID()}.spool`);
    try {
      const file = await open(name, 'wx+', 0o600);
      const isGone = await unlink(name).then(
        () => true,
        () => false,
      );
      return new Spool(file, folder, isGone ? undefined : name);
    } catch (error) {
      throw writeError(error, folder);
    }
  }

  /** Number of entries. */
  get length(): number {
    return this.#length;
  }

  /** Appends an entry; `true` means that {@link flush} should be awaited before more is added. */
  add(entry: StoredEntry): boolean {
    const { path, startSeconds, endSeconds, label, className, split } = entry;
    const line: Line = [path, startSeconds, endSeconds, label, className, split];
    const text = `${JSON.stringify(line)}\n`;
    this.#pending += text;
    this.#pendingBytes += Buffer.byteLength(text);
    this.#length += 1;
    if (this.#length === this.#offsets.length) {
      const grown = new Float64Array(this.#length * 2);
      grown.set(this.#offsets);
      this.#offsets = grown;
    }
    this.#offsets[this.#length] = this.#writtenBytes + this.#pendingBytes;
    return this.#pendingBytes >= FLUSH_BYTES;
  }

  /**
   * Writes what was added since the last flush.
   *
   * @throws {TubeletError} TUBE_OUT_NOT_WRITABLE, TUBE_DISK_FULL
   */
  async flush(): Promise<void> {
    const bytes = Buffer.from(this.#pending);
    this.#pending = '';
    this.#pendingBytes = 0;
    this.#hash.update(bytes);
    try {
      await this.#file.appendFile(bytes);
    } catch (error) {
      throw writeError(error, this.#folder);
    }
    this.#writtenBytes += bytes.length;
  }

  /** SHA-256 of all that was flushed, in hexadecimal. */
  digest(): string {
    return this.#hash.copy().digest('hex');
  }

  /** Reads flushed entries by position; calls may overlap. */
  async read(start: number, count: number): Promise<StoredEntry[]> {
    if (count === 0) return [];
    const from = this.#offsets[start] ?? 0;
    const bytes = Buffer.allocUnsafe((this.#offsets[start + count] ?? from) - from);
    for (let done = 0; done < bytes.length;) {
      const { bytesRead } = await this.#file.read(bytes, done, bytes.length - done, from + done);
      if (bytesRead === 0) throw new TubeletError('TUBE_INTERNAL', { message: 'spool was cut' });
      done += bytesRead;
    }
    return bytes.toString().trimEnd().split('\n').map(parseEntry);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
    if (this.#leftover !== undefined) await unlink(this.#leftover).catch(() => undefined);
  }
}

function parseEntry(text: string): StoredEntry {
  const [path, startSeconds, endSeconds, label, className, split] = JSON.parse(text) as Line;
  return { path, startSeconds, endSeconds, label, className, split };
}

function writeError(cause: unknown, path: string): TubeletError {
  const isFull = systemCode(cause) === 'ENOSPC' || systemCode(cause) === 'EDQUOT';
  const details = { path, message: messageText(cause) };
  return new TubeletError(isFull ? 'TUBE_DISK_FULL' : 'TUBE_OUT_NOT_WRITABLE', details, { cause });
}
