/** Positional reads of whole spans from an open file. */

import type { FileHandle } from 'node:fs/promises';

/** Reads exactly `bytes` bytes; null if the file ends before. */
export async function readSpan(
  handle: FileHandle,
  offset: number,
  bytes: number,
): Promise<Uint8Array | null> {
  const buffer = Buffer.allocUnsafeSlow(bytes);
  for (let filled = 0; filled < bytes;) {
    const { bytesRead } = await handle.read(buffer, filled, bytes - filled, offset + filled);
    if (bytesRead === 0) return null;
    filled += bytesRead;
  }
  return buffer;
}
