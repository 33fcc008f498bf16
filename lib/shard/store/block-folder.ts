/**
 * Blocks of bytes in a folder that any number of processes share, held to a budget without an index, a lock or a first scan.
 *
 * A block is a file named by its hash in one of 256 folders. It ends in a CRC-32 for every 64 KiB, so that a part of it can be
 * checked without reading the rest; the name goes into the checksums, so a block cannot pass for another one. Files appear by
 * renaming; they are not flushed, for a block that a power cut tore fails its checksums and is fetched again.
 *
 * The budget is cut into up to 256 equal groups of folders. Who adds a block lists its group and removes the least recently used
 * files above the group's share. All processes do the same, whatever else they know, so what each can be over is the block that
 * it is adding.
 */

import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { copyInto, countParts } from './parts.ts';

/** A block: its name, which is a SHA-256 in hexadecimal digits, and its size. */
export interface BlockRef {
  readonly hash: string;
  readonly bytes: number;
}

const PIECE_BYTES = 2 ** 16;
const CRC_BYTES = 4;
const NUM_FOLDERS = 256;
/** With fewer blocks in a group, chance would fill some groups long before others. */
const BLOCKS_PER_GROUP = 64;
/** A use is noted in the file's time when the last note is older. */
const NOTE_USE_MS = 60_000;
/** A temporary file that is older was left behind by a process that died. */
const STALE_MS = 600_000;
const OWN_NAME = /^[0-9a-f]{64}(\.[0-9a-f]+\.tmp)?$/;

/** A cache of blocks on the disk. Close it when done. */
export class BlockFolder {
  readonly #folder: string;
  readonly #maxBytes: number;
  readonly #numGroups: number;
  /** Holds all groups to the budget once, in the background, when the first block is added. */
  #sweep: Promise<void> | undefined;
  #isClosed = false;

  constructor(folder: string, { maxBytes, blockBytes }: { maxBytes: number; blockBytes: number }) {
    const wanted = Math.floor(Math.log2(maxBytes / blockBytes / BLOCKS_PER_GROUP));
    this.#folder = folder;
    this.#maxBytes = maxBytes;
    this.#numGroups = Math.min(2 ** Math.max(wanted, 0), NUM_FOLDERS);
  }

  /** Fills the parts with the bytes of a block from `start` on; false if it is not here or is damaged. */
  async read(block: BlockRef, start: number, into: readonly Uint8Array[]): Promise<boolean> {
    try {
      const file = await open(this.#path(block.hash), 'r');
      try {
        const isGood = await readChecked(file, block, { start, into });
        if (isGood) await noteUse(file);
        return isGood;
      } finally {
        await file.close();
      }
    } catch {
      return false; // Whatever keeps the cache from being read, the block can be fetched.
    }
  }

  /** Adds a block and removes old ones above the budget. A disk that is full or read-only is no error: nothing is added. */
  async add({ hash }: BlockRef, content: Uint8Array): Promise<void> {
    const path = this.#path(hash);
    const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
    try {
      await mkdir(dirname(path), { recursive: true });
      await writeBlock(temporary, [content, checksums(content, hash, 0)]);
      await rename(temporary, path);
    } catch {
      await rm(temporary, { force: true }).catch(() => {});
    }
    await this.#trim(this.#groupOf(hash));
    this.#sweep ??= this.#trimAll();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#sweep;
  }

  #path(hash: string): string {
    return join(this.#folder, hash.slice(0, 2), hash);
  }

  #groupOf(hash: string): number {
    return Math.floor((Number.parseInt(hash.slice(0, 2), 16) * this.#numGroups) / NUM_FOLDERS);
  }

  async #trimAll(): Promise<void> {
    for (let group = 0; group < this.#numGroups && !this.#isClosed; group++)
      await this.#trim(group);
  }

  async #trim(group: number): Promise<void> {
    const perGroup = NUM_FOLDERS / this.#numGroups;
    const files = [];
    for (let i = 0; i < perGroup; i++) {
      const name = (group * perGroup + i).toString(16).padStart(2, '0');
      files.push(...(await listFiles(join(this.#folder, name))));
    }
    files.sort((a, b) => b.usedMs - a.usedMs);
    let held = 0;
    for (const { path, bytes, usedMs } of files) {
      const isStale = path.endsWith('.tmp') && Date.now() - usedMs > STALE_MS;
      if (!isStale) held += bytes;
      if (isStale || held > this.#maxBytes / this.#numGroups) {
        await rm(path, { force: true }).catch(() => {}); // Another process may be at it too.
      }
    }
  }
}

async function readChecked(
  file: FileHandle,
  { hash, bytes }: BlockRef,
  { start, into }: { start: number; into: readonly Uint8Array[] },
): Promise<boolean> {
  const wanted = countParts(into);
  const firstPiece = Math.floor(start / PIECE_BYTES);
  const endPiece = Math.ceil((start + wanted) / PIECE_BYTES);
  const from = firstPiece * PIECE_BYTES;
  const content = Buffer.allocUnsafeSlow(Math.min(endPiece * PIECE_BYTES, bytes) - from);
  const sums = Buffer.allocUnsafe((endPiece - firstPiece) * CRC_BYTES);
  const sumsFrom = bytes + firstPiece * CRC_BYTES;
  for (const [buffer, position] of [
    [content, from],
    [sums, sumsFrom],
  ] as const) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    if (bytesRead < buffer.length) return false;
  }
  if (!checksums(content, hash, firstPiece).equals(sums)) return false;
  copyInto(into, content.subarray(start - from, start - from + wanted));
  return true;
}

/** The checksums of consecutive pieces; name and number of a piece go in first. */
function checksums(content: Uint8Array, hash: string, firstPiece: number): Buffer {
  const numPieces = Math.ceil(content.length / PIECE_BYTES);
  const sums = Buffer.allocUnsafe(numPieces * CRC_BYTES);
  for (let i = 0; i < numPieces; i++) {
    const piece = content.subarray(i * PIECE_BYTES, (i + 1) * PIECE_BYTES);
    sums.writeUInt32LE(crc32(piece, crc32(`${hash} ${firstPiece + i}`)), i * CRC_BYTES);
  }
  return sums;
}

/** `wx`: never into a file that another process is writing. */
async function writeBlock(path: string, parts: readonly Uint8Array[]): Promise<void> {
  const file = await open(path, 'wx');
  try {
    for (const part of parts) await file.writeFile(part);
  } finally {
    await file.close();
  }
}

/** Times of use matter to the minute; a note costs more than the read of a small part. */
async function noteUse(file: FileHandle): Promise<void> {
  const { mtimeMs } = await file.stat();
  const now = Date.now();
  if (now - mtimeMs > NOTE_USE_MS) await file.utimes(now / 1000, now / 1000).catch(() => {});
}

interface FoundFile {
  readonly path: string;
  readonly bytes: number;
  readonly usedMs: number;
}

/** The files of the cache in a folder; those that other processes remove meanwhile are left out. */
async function listFiles(folder: string): Promise<FoundFile[]> {
  const names = await readdir(folder).catch(() => []);
  const files: FoundFile[] = [];
  for (const name of names.filter((one) => OWN_NAME.test(one))) {
    const path = join(folder, name);
    const state = await stat(path).catch(() => null);
    if (state !== null) files.push({ path, bytes: state.size, usedMs: state.mtimeMs });
  }
  return files;
}
