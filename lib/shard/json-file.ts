/** Reads the JSON files of a dataset with a bound on their size. */

import { readFile, stat } from 'node:fs/promises';
import { TubeletError, messageText, systemCode } from '../core/index.ts';
import type { ErrorCode, ErrorDetails } from '../core/index.ts';

const MAX_JSON_BYTES = 2 ** 28;

/**
 * Reads a JSON file of at most 256 MiB.
 *
 * @param missing the code for a file that does not exist
 * @throws {TubeletError} the code `missing`, or TUBE_DATASET_DAMAGED
 */
export async function readJson(
  path: string,
  missing: ErrorCode,
  details: ErrorDetails,
): Promise<unknown> {
  try {
    const { size } = await stat(path);
    if (size > MAX_JSON_BYTES) throw new RangeError(`${size} bytes are too many`);
    const text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path));
    return JSON.parse(text) as unknown;
  } catch (error) {
    const isMissing = ['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '');
    throw new TubeletError(
      isMissing ? missing : 'TUBE_DATASET_DAMAGED',
      { ...details, message: isMissing ? 'file is missing' : messageText(error) },
      { cause: error },
    );
  }
}
