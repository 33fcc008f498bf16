/** SHA-256 of a whole file. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

const BLOCK_BYTES = 2 ** 20;

/** Gives the SHA-256 of a file in lower-case hexadecimal digits; the next block is read while one is hashed. */
export async function hashFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const block of createReadStream(path, { highWaterMark: BLOCK_BYTES })) {
    signal?.throwIfAborted();
    hash.update(block as Uint8Array);
  }
  return hash.digest('hex');
}
