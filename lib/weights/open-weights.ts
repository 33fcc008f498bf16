/** Opens a file of weights, whatever its format; the content decides, not the extension. */

import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { TubeletError, messageText } from '../core/index.ts';
import { readSafetensors } from './read-safetensors.ts';
import type { FileContent } from './read-safetensors.ts';
import type { WeightsFile } from './weight.ts';

/**
 * Opens a safetensors file. Its header is checked whole; values are read by position when they are asked for. Close it with
 * `await using`; weights cannot be read after that.
 *
 * @throws {TubeletError} TUBE_WEIGHTS_NOT_FOUND, TUBE_WEIGHTS_DAMAGED
 */
export async function openWeights(path: string): Promise<WeightsFile> {
  const file = await openFile(path);
  try {
    const { size, isFile } = await statFile(file);
    if (!isFile) throw new TubeletError('TUBE_WEIGHTS_NOT_FOUND', { path, message: 'not a file' });
    const { weights, metadata }: FileContent = await readSafetensors(file, path, size);
    return {
      path,
      format: 'safetensors',
      bytes: size,
      weights,
      metadata,
      [Symbol.asyncDispose]: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    const details = { path, message: messageText(error) };
    throw new TubeletError('TUBE_WEIGHTS_NOT_FOUND', details, { cause: error });
  }
}

async function statFile(
  file: FileHandle,
): Promise<{ readonly size: number; readonly isFile: boolean }> {
  const stats = await file.stat();
  return { size: stats.size, isFile: stats.isFile() };
}
