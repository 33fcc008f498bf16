/** Opens a video file for reading, and says in tubelet's words why it cannot be. */

import { closeSync, lstatSync, openSync, statSync } from 'node:fs';
import { TubeletError, systemCode } from '../core/index.ts';

/**
 * Opens a regular file that is not empty. A pipe without a writer would block for ever, so anything else is refused.
 *
 * @param file path as text, or as bytes where the name is not UTF-8
 * @returns a descriptor, which the caller closes
 * @throws {TubeletError} TUBE_FILE_NOT_FOUND, TUBE_FILE_UNREADABLE, TUBE_NOT_VIDEO
 */
export function openFile(file: string | Buffer): number {
  try {
    const stats = lstatSync(file).isSymbolicLink() ? statSync(file) : lstatSync(file);
    if (!stats.isFile())
      throw new TubeletError('TUBE_NOT_VIDEO', { message: 'not a regular file' });
    if (stats.size === 0)
      throw new TubeletError('TUBE_NOT_VIDEO', { message: 'the file is empty' });
    return openSync(file, 'r');
  } catch (error) {
    if (error instanceof TubeletError) throw error;
    const code = systemCode(error) ?? 'unknown';
    const isMissing = code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP';
    throw new TubeletError(
      isMissing ? 'TUBE_FILE_NOT_FOUND' : 'TUBE_FILE_UNREADABLE',
      { message: code },
      { cause: error },
    );
  }
}

/** Throws as {@link openFile} if the file cannot be opened, now. */
export function checkFile(file: string | Buffer): void {
  closeSync(openFile(file));
}
