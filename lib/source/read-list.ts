/** Reads a list file of any form into checked entries, row by row. */

import { TubeletError } from '../core/index.ts';
import type { ListRow } from './columns.ts';
import { READERS, detectForm } from './list-form.ts';
import type { ListForm } from './list-form.ts';
import { listSyntax, readChunks } from './list-text.ts';
import { bytesFromText, displayPath, normalizePath, textFromBytes } from './path-text.ts';
import type { SourceEntry } from './video-ref.ts';

/** Longest number that is looked at, in characters. */
const MAX_NUMBER = 40;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const LONE_SURROGATE = /\p{Surrogate}/u;
const LONE_BUT_NO_BYTE = /[\u{D800}-\u{DC7F}\u{DD00}-\u{DFFF}]/u;
const URL_SCHEME = /^[a-z][a-z0-9+.-]+:\/\//i;

/** How {@link readList} reads. */
export interface ReadListOptions {
  /** Absolute folder; absolute paths that lie below it become relative, so that a list says the same wherever its data lies. */
  readonly root?: string | undefined;
  /** Form of the list; told from its content by default. */
  readonly form?: ListForm | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Yields the entries of a list.
 * Order: that of the rows.
 *
 * @throws {TubeletError} TUBE_SOURCE_NOT_FOUND, TUBE_LIST_SYNTAX
 */
export async function* readList(
  list: string,
  { root, form, signal }: ReadListOptions = {},
): AsyncGenerator<SourceEntry> {
  const chunks = readChunks(list, signal);
  try {
    const first = await chunks.next();
    if (first.done === true) return;
    const prefix = root === undefined ? null : normalizePath(`${root}/`).replace(/\/?$/, '/');
    const read = READERS[form ?? detectForm(first.value, list)];
    for await (const row of read({ list, chunks: putBack(first.value, chunks) })) {
      const entry = checkRow(row, list);
      const isBelow = prefix !== null && entry.path.startsWith(prefix);
      yield isBelow ? { ...entry, path: entry.path.slice(prefix.length) } : entry;
    }
  } finally {
    await chunks.return(undefined);
  }
}

async function* putBack(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* rest;
}

function checkRow(row: ListRow, list: string): SourceEntry {
  try {
    const startSeconds = parseSeconds('start', row.startSeconds);
    const endSeconds = parseSeconds('end', row.endSeconds);
    if (endSeconds !== null && endSeconds <= (startSeconds ?? 0)) {
      throw new RangeError(`end ${endSeconds} is not after start ${startSeconds ?? 0}`);
    }
    return {
      line: row.line,
      path: parsePath(row.path ?? ''),
      startSeconds,
      endSeconds,
      label: row.label || null,
      className: row.className || null,
      split: row.split ?? null,
    };
  } catch (error) {
    if (error instanceof RangeError) throw listSyntax(list, row.line, error.message);
    throw error;
  }
}

function parsePath(text: string): string {
  if (URL_SCHEME.test(text)) throw new RangeError(`addresses are not supported: ${text}`);
  if (text.includes('\0')) throw new RangeError(`path holds a zero byte: ${text}`);
  if (LONE_BUT_NO_BYTE.test(text)) throw new RangeError(`path is not valid text: ${text}`);
  // One spelling for each name: escaped bytes that together are valid UTF-8 become what they stand for.
  const exact = LONE_SURROGATE.test(text) ? textFromBytes(bytesFromText(text)) : text;
  const path = normalizePath(exact);
  if (path === '' || path === '/') throw new RangeError('no path');
  return path;
}

function parseSeconds(name: string, text = ''): number | null {
  if (text === '') return null;
  const seconds = text.length <= MAX_NUMBER && NUMBER.test(text) ? Number(text) : NaN;
  if (!(seconds >= 0 && seconds < Infinity)) {
    throw new RangeError(`${name} must be a number of seconds of at least 0: ${text}`);
  }
  return seconds;
}

/** The error for a video that stands in a list twice, with different labels or in different splits. */
export function listConflict(list: string, entry: SourceEntry, firstLine: number): TubeletError {
  const path = displayPath(entry.path);
  return new TubeletError('TUBE_LIST_CONFLICT', { list, path, line: entry.line, firstLine });
}
