/**
 * The text of a list: its bytes in pieces, never whole in memory. Text is kept one character per byte ("latin1") until its
 * fields are known, so that paths which are not UTF-8 survive; see `path-text.ts`.
 */

import { createReadStream } from 'node:fs';
import { TextDecoder } from 'node:util';
import { TubeletError, messageText } from '../core/index.ts';
import { displayPath, fsPath } from './path-text.ts';

const CHUNK_BYTES = 64 * 1024;
/** Longest line, in bytes: a file of another kind must not be read into one line. */
export const MAX_LINE_BYTES: number = 1024 * 1024;
/** Longest part of a list that a message repeats, in characters. */
const MAX_MESSAGE = 200;

/** A list that is being read. */
export interface ListText {
  /** Path of the list. */
  readonly list: string;
  /** Its bytes in UTF-8 (or whatever its paths are in), without byte order mark. */
  readonly chunks: AsyncIterable<Buffer>;
}

/** A line that is neither blank nor a comment. */
export interface TextLine {
  /** From 1. */
  readonly line: number;
  /** One character per byte, without blanks around it. */
  readonly text: string;
}

/** The error for a place in a list. */
export function listSyntax(list: string, line: number, message: string): TubeletError {
  const shown = displayPath(message.slice(0, MAX_MESSAGE));
  return new TubeletError('TUBE_LIST_SYNTAX', { list: displayPath(list), line, message: shown });
}

/**
 * Reads a list in pieces. UTF-16 with a byte order mark, as spreadsheets write it, becomes UTF-8.
 *
 * @throws {TubeletError} TUBE_SOURCE_NOT_FOUND if the list cannot be read
 */
export async function* readChunks(list: string, signal?: AbortSignal): AsyncGenerator<Buffer> {
  let decoder: TextDecoder | undefined;
  let isFirst = true;
  try {
    for await (const piece of createReadStream(fsPath(list), { highWaterMark: CHUNK_BYTES })) {
      signal?.throwIfAborted();
      const bytes = piece as Buffer;
      if (isFirst) decoder = utf16Decoder(bytes);
      if (decoder !== undefined) yield Buffer.from(decoder.decode(bytes, { stream: true }));
      else yield isFirst && startsWith(bytes, [0xef, 0xbb, 0xbf]) ? bytes.subarray(3) : bytes;
      isFirst = false;
    }
  } catch (cause) {
    signal?.throwIfAborted();
    const details = { path: displayPath(list), message: messageText(cause) };
    throw new TubeletError('TUBE_SOURCE_NOT_FOUND', details, { cause });
  }
}

/** Yields the lines that hold something; any of `\n`, `\r\n` and `\r` ends a line. */
export async function* readLines({ list, chunks }: ListText): AsyncGenerator<TextLine> {
  let line = 0;
  let rest = '';
  for await (const chunk of chunks) {
    // A `\r` at the very end may be half of a `\r\n`: it waits for the next piece.
    const pieces = (rest + chunk.toString('latin1')).split(/\r?\n|\r(?!$)/);
    rest = pieces.pop() ?? '';
    for (const piece of pieces) {
      line += 1;
      const text = trimBlanks(piece);
      if (isContent(text)) yield { line, text };
    }
    if (rest.length > MAX_LINE_BYTES) throw listSyntax(list, line + 1, 'line is too long');
  }
  const text = trimBlanks(rest);
  if (isContent(text)) yield { line: line + 1, text };
}

/** Says whether a trimmed line is neither blank nor a comment. */
export function isContent(text: string): boolean {
  return text !== '' && !text.startsWith('#');
}

/** Trims what is blank in bytes; `String.trim` would take the byte A0, the end of `à`, for a blank. */
export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text[start])) start += 1;
  while (end > start && isBlank(text[end - 1])) end -= 1;
  return text.slice(start, end);
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t' || character === '\r';
}

function utf16Decoder(bytes: Buffer): TextDecoder | undefined {
  if (startsWith(bytes, [0xff, 0xfe])) return new TextDecoder('utf-16le');
  return startsWith(bytes, [0xfe, 0xff]) ? new TextDecoder('utf-16be') : undefined;
}

function startsWith(bytes: Buffer, mark: readonly number[]): boolean {
  return mark.every((byte, at) => bytes[at] === byte);
}
