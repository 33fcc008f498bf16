/** A cursor in a file of its own, for runs without a checkpoint to keep it in. */

import { readFile, stat } from 'node:fs/promises';
import { TubeletError, messageText, systemCode, writeFileAtomic } from '../core/index.ts';
import type { Cursor } from './order/cursor.ts';

/** Far more than any cursor has; another file was meant. */
const MAX_FILE_BYTES = 2 ** 16;

/**
 * Writes a cursor as JSON. A crash at any moment leaves the old file or the new one. One writer per path at a time.
 *
 * @throws {TubeletError} TUBE_DISK_FULL, TUBE_OUT_NOT_WRITABLE
 */
export async function saveCursor(path: string, cursor: Cursor): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(cursor)}\n`);
}

/**
 * Reads what {@link saveCursor} wrote, to be given to {@link openLoader}, which checks it; undefined if there is no such file.
 *
 * @throws {TubeletError} TUBE_CURSOR_MISMATCH if the file cannot be read or is no JSON
 */
export async function loadCursor(path: string): Promise<unknown> {
  try {
    const { size } = await stat(path);
    if (size > MAX_FILE_BYTES) throw new RangeError(`a cursor does not have ${size} bytes`);
    return JSON.parse(await readFile(path, 'utf8')) as unknown;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    const details = { path, message: `this is no sound cursor: ${messageText(error)}` };
    throw new TubeletError('TUBE_CURSOR_MISMATCH', details, { cause: error });
  }
}
