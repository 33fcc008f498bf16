/**
 * Lists what is in a tar without trusting it: regular files only, every size checked against the file before it is used,
 * bounded memory. Reads the ustar and pax forms, so shards repacked by other tools can be read too.
 *
 * Source: POSIX.1-2017, pax interchange format and ustar.
 */

import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { TubeletError, messageText, readSpan, systemCode } from '../core/index.ts';
import { TAR_BLOCK_BYTES } from './format.ts';
import type { Fail } from './fields.ts';

/** A regular file inside a tar. */
export interface TarEntry {
  readonly name: string;
  /** Byte at which the content starts. */
  readonly offset: number;
  /** Size of the content. */
  readonly bytes: number;
}

const MAX_PAX_BYTES = 2 ** 16;
const PAX_TYPES = new Set(['x', 'g']);

/**
 * Yields the files of a tar in order. Names are relative and have no `..`; they may repeat.
 *
 * @throws {TubeletError} TUBE_SHARD_NOT_FOUND; TUBE_SHARD_DAMAGED for anything but regular files, for broken headers and
 *   for a tar that ends early
 */
export async function* scanTar(path: string): AsyncGenerator<TarEntry> {
  const fail: Fail = (message) => {
    throw new TubeletError('TUBE_SHARD_DAMAGED', { path, message });
  };
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    const { size } = await file.stat();
    yield* scanEntries(file, size, fail);
  } catch (error) {
    const code = systemCode(error);
    if (error instanceof TubeletError || code === undefined) throw error;
    const message = messageText(error);
    const isMissing = code === 'ENOENT' || code === 'ENOTDIR';
    throw new TubeletError(
      isMissing ? 'TUBE_SHARD_NOT_FOUND' : 'TUBE_SHARD_DAMAGED',
      { path, message },
      { cause: error },
    );
  } finally {
    await file?.close();
  }
}

async function* scanEntries(file: FileHandle, size: number, fail: Fail): AsyncGenerator<TarEntry> {
  let position = 0;
  let pax: ReadonlyMap<string, string> | undefined;
  for (;;) {
    const block =
      (await readSpan(file, position, TAR_BLOCK_BYTES)) ?? fail('tar ends before its end mark');
    if (isZero(block)) break;
    const header = readHeader(block, fail);
    const offset = position + TAR_BLOCK_BYTES;
    const isPax = PAX_TYPES.has(header.type);
    const name = pax?.get('path') ?? header.name;
    const bytes = isPax ? header.bytes : (paxSize(pax, fail) ?? header.bytes);
    position = offset + Math.ceil(bytes / TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES;
    if (position > size) fail(`tar ends inside ${printable(name)}`);
    if (isPax) {
      if (pax !== undefined) fail('tar has more than one extended header before a file');
      pax = await readPax(file, { offset, bytes }, fail);
      if (header.type === 'g') pax = undefined;
      continue;
    }
    if (header.type !== '0' && header.type !== '\0') {
      fail(`tar has an entry of type "${printable(header.type)}", shards hold only regular files`);
    }
    if (!isSafeName(name)) fail(`tar has the name "${printable(name)}", which leads elsewhere`);
    pax = undefined;
    yield { name, offset, bytes };
  }
  if (pax !== undefined) fail('tar has an extended header without a file');
  const second = await readSpan(file, position + TAR_BLOCK_BYTES, TAR_BLOCK_BYTES);
  if (second === null || !isZero(second)) fail('tar has half an end mark');
}

interface TarHeader {
  readonly name: string;
  readonly bytes: number;
  readonly type: string;
}

function readHeader(block: Uint8Array, fail: Fail): TarHeader {
  const wanted = readOctal(block.subarray(148, 156));
  const sum = block.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
  if (wanted !== sum) fail('tar has a header with a wrong checksum');
  const bytes = readSize(block.subarray(124, 136));
  if (bytes === null) return fail('tar has a header with an impossible size');
  const isPosix = readText(block.subarray(257, 263)) === 'ustar';
  const prefix = isPosix ? readText(block.subarray(345, 500)) : '';
  const name = readText(block.subarray(0, 100));
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    bytes,
    type: String.fromCharCode(block[156] ?? 0),
  };
}

/** A size in octal digits, or in base 256 when the first bit is set; null if it is none or above 2^53. */
function readSize(field: Uint8Array): number | null {
  const [first = 0] = field;
  if (first < 0x80) return readOctal(field);
  if (first !== 0x80) return null; // Negative, or beyond 2^88.
  const size = field.subarray(1).reduce((total, byte) => total * 256 + byte, 0);
  return Number.isSafeInteger(size) ? size : null;
}

function readOctal(field: Uint8Array): number | null {
  const digits = /^ *([0-7]+)[ \0]*$/.exec(Buffer.from(field).toString('latin1'))?.[1];
  return digits === undefined ? null : Number.parseInt(digits, 8);
}

async function readPax(
  file: FileHandle,
  { offset, bytes }: { offset: number; bytes: number },
  fail: Fail,
): Promise<ReadonlyMap<string, string>> {
  if (bytes > MAX_PAX_BYTES) fail(`tar has an extended header of ${bytes} bytes`);
  const content = await readSpan(file, offset, bytes);
  if (content === null) return fail('tar ends inside an extended header');
  const records = new Map<string, string>();
  let rest = content;
  while (rest.length > 0) {
    const space = rest.indexOf(0x20);
    const digits = Buffer.from(rest.subarray(0, Math.max(space, 0))).toString('latin1');
    const length = /^[1-9][0-9]{0,5}$/.test(digits) ? Number(digits) : 0;
    const record = Buffer.from(rest.subarray(space + 1, length)).toString('utf8');
    const equals = record.indexOf('=');
    if (length > rest.length || equals < 1 || !record.endsWith('\n')) {
      fail('tar has an extended header that cannot be read');
    }
    const name = record.slice(0, equals);
    if (name.startsWith('GNU.sparse')) fail('tar has a sparse file');
    records.set(name, record.slice(equals + 1, -1));
    rest = rest.subarray(length);
  }
  return records;
}

function paxSize(pax: ReadonlyMap<string, string> | undefined, fail: Fail): number | null {
  const text = pax?.get('size');
  if (text === undefined) return null;
  const size = /^[0-9]{1,16}$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(size) ? size : fail('tar has an extended header with a wrong size');
}

function isSafeName(name: string): boolean {
  const parts = name.split('/');
  return (
    name.length > 0 &&
    name.length <= 1024 &&
    !/[\p{Cc}\\]/u.test(name) &&
    parts.every((part) => part !== '' && part !== '..')
  );
}

function isZero(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}

function readText(field: Uint8Array): string {
  const end = field.indexOf(0);
  return Buffer.from(end < 0 ? field : field.subarray(0, end)).toString('utf8');
}

function printable(text: string): string {
  return text.replace(/[^ -~]/g, '?').slice(0, 100);
}
