/**
 * The directory of a zip archive in which nothing is compressed, as PyTorch writes it: names and where their bytes stand.
 * Values can then be read by position, and an archive cannot unfold to more than its own size.
 *
 * Source: PKWARE's APPNOTE (end records, central directory, ZIP64).
 */

import type { FileHandle } from 'node:fs/promises';
import { readSpan } from '../../core/index.ts';
import { WeightsFault } from '../weights-fault.ts';

/** A stored file of an archive. */
export interface ZipEntry {
  readonly name: string;
  readonly bytes: number;
  /** CRC-32 of the bytes; 0 if the writer left it out. */
  readonly crc32: number;
  /** Offset of the header before the bytes. */
  readonly headerOffset: number;
}

const END_BYTES = 22;
const LOCATOR_BYTES = 20;
const END64_BYTES = 56;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
/** An archive ends with its end record and at most this much comment. */
const MAX_COMMENT_BYTES = 0xffff;
/** Directories above this are refused; a checkpoint of ViT-H with its optimizer has some 200 kB. */
const MAX_DIRECTORY_BYTES = 2 ** 24;
const UNSTATED_16 = 0xffff;
const UNSTATED_32 = 0xffffffff;

interface Directory {
  readonly numEntries: number;
  readonly offset: number;
  readonly bytes: number;
}

/**
 * Reads the directory of an archive.
 *
 * @throws {WeightsFault} if the archive does not hold together, or has compressed, encrypted or overlapping files
 */
export async function readZipDirectory(
  file: FileHandle,
  fileBytes: number,
): Promise<ReadonlyMap<string, ZipEntry>> {
  const { numEntries, offset, bytes } = await findDirectory(file, fileBytes);
  if (bytes > MAX_DIRECTORY_BYTES) throw new WeightsFault(`directory of ${bytes} bytes`);
  const directory = Buffer.from(await read(file, offset, bytes));
  const entries = new Map<string, ZipEntry>();
  let position = 0;
  let total = 0;
  for (let i = 0; i < numEntries; i++) {
    const { entry, end } = readEntry(directory, position);
    if (entries.has(entry.name)) throw new WeightsFault(`${entry.name} stands twice`);
    entries.set(entry.name, entry);
    position = end;
    total += entry.bytes + LOCAL_BYTES;
  }
  if (total > fileBytes) throw new WeightsFault('files in it are larger than the archive');
  return entries;
}

/**
 * Offset of the first byte of a stored file.
 *
 * @throws {WeightsFault} if there is no header, or the file would reach past the end of the archive
 */
export async function locateEntry(
  file: FileHandle,
  fileBytes: number,
  entry: ZipEntry,
): Promise<number> {
  const { name, bytes, headerOffset } = entry;
  const header = Buffer.from(await read(file, headerOffset, LOCAL_BYTES));
  if (header.readUInt32LE(0) !== 0x04034b50) throw new WeightsFault(`${name} has no header`);
  const start = headerOffset + LOCAL_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28);
  if (start + bytes > fileBytes) throw new WeightsFault(`${name} reaches past the end`);
  return start;
}

/** The end record stands last, perhaps before a comment; a ZIP64 record before it has the larger numbers. */
async function findDirectory(file: FileHandle, fileBytes: number): Promise<Directory> {
  const tailBytes = Math.min(fileBytes, END_BYTES + MAX_COMMENT_BYTES);
  const tailStart = fileBytes - tailBytes;
  const tail = Buffer.from(await read(file, tailStart, tailBytes));
  let at = tail.length - END_BYTES;
  while (at >= 0 && !isEnd(tail, at)) at -= 1;
  if (at < 0) throw new WeightsFault('archive has no end record');
  const numEntries = tail.readUInt16LE(at + 10);
  const bytes = tail.readUInt32LE(at + 12);
  const offset = tail.readUInt32LE(at + 16);
  const isLarge = numEntries === UNSTATED_16 || bytes === UNSTATED_32 || offset === UNSTATED_32;
  const directory = isLarge
    ? await readLargeEnd(file, tailStart + at)
    : { numEntries, offset, bytes };
  const isInside = directory.offset + directory.bytes <= tailStart + at;
  if (!isInside || directory.numEntries * ENTRY_BYTES > directory.bytes) {
    throw new WeightsFault('directory of the archive does not fit');
  }
  return directory;
}

function isEnd(tail: Buffer, at: number): boolean {
  return (
    tail.readUInt32LE(at) === 0x06054b50 &&
    at + END_BYTES + tail.readUInt16LE(at + 20) === tail.length
  );
}

async function readLargeEnd(file: FileHandle, endOffset: number): Promise<Directory> {
  const locator = Buffer.from(await read(file, endOffset - LOCATOR_BYTES, LOCATOR_BYTES));
  if (locator.readUInt32LE(0) !== 0x07064b50) throw new WeightsFault('no ZIP64 locator');
  const end = Buffer.from(await read(file, toNumber(locator.readBigUInt64LE(8)), END64_BYTES));
  if (end.readUInt32LE(0) !== 0x06064b50) throw new WeightsFault('no ZIP64 end record');
  return {
    numEntries: toNumber(end.readBigUInt64LE(32)),
    bytes: toNumber(end.readBigUInt64LE(40)),
    offset: toNumber(end.readBigUInt64LE(48)),
  };
}

function readEntry(
  directory: Buffer,
  at: number,
): { readonly entry: ZipEntry; readonly end: number } {
  if (at + ENTRY_BYTES > directory.length || directory.readUInt32LE(at) !== 0x02014b50) {
    throw new WeightsFault('directory of the archive is damaged');
  }
  const nameEnd = at + ENTRY_BYTES + directory.readUInt16LE(at + 28);
  const extraEnd = nameEnd + directory.readUInt16LE(at + 30);
  const end = extraEnd + directory.readUInt16LE(at + 32);
  if (end > directory.length) throw new WeightsFault('directory of the archive is cut short');
  const name = directory.toString('utf8', at + ENTRY_BYTES, nameEnd);
  const isEncrypted = (directory.readUInt16LE(at + 8) & 1) !== 0;
  if (directory.readUInt16LE(at + 10) !== 0 || isEncrypted) {
    throw new WeightsFault(`${name} is compressed or encrypted`, 'TUBE_WEIGHTS_UNSUPPORTED');
  }
  const [bytes, packed, headerOffset] = readSizes(
    [24, 20, 42].map((field) => directory.readUInt32LE(at + field)),
    directory.subarray(nameEnd, extraEnd),
  );
  if (bytes === undefined || headerOffset === undefined || packed !== bytes) {
    throw new WeightsFault(`${name} has no proper size`);
  }
  return { entry: { name, bytes, crc32: directory.readUInt32LE(at + 16), headerOffset }, end };
}

/** Sizes that do not fit into 32 bits stand in an extra field, in this order, only those that are needed. */
function readSizes(sizes: readonly number[], extra: Buffer): number[] {
  if (!sizes.includes(UNSTATED_32)) return [...sizes];
  for (let at = 0; at + 4 <= extra.length;) {
    const end = at + 4 + extra.readUInt16LE(at + 2);
    if (extra.readUInt16LE(at) === 1 && end <= extra.length) {
      let field = at + 4;
      return sizes.map((size) => {
        if (size !== UNSTATED_32) return size;
        if (field + 8 > end) throw new WeightsFault('ZIP64 sizes are missing');
        field += 8;
        return toNumber(extra.readBigUInt64LE(field - 8));
      });
    }
    at = end;
  }
  throw new WeightsFault('ZIP64 sizes are missing');
}

function toNumber(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new WeightsFault('a size is beyond reason');
  return Number(value);
}

async function read(file: FileHandle, offset: number, bytes: number): Promise<Uint8Array> {
  const span = offset < 0 ? null : await readSpan(file, offset, bytes);
  if (span === null) throw new WeightsFault('archive is cut short');
  return span;
}
