/** Opens a file of weights, whatever its format; the content decides, not the extension. */

import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { TubeletError, messageText, readSpan } from '../core/index.ts';
import { readSafetensors } from './read-safetensors.ts';
import type { FileContent } from './read-safetensors.ts';
import { readArchive } from './torch/read-archive.ts';
import { isLegacy, readLegacy } from './torch/read-legacy.ts';
import { WeightsFault, namingFile } from './weights-fault.ts';
import type { WeightsFile } from './weight.ts';

type Reader = (file: FileHandle, path: string, bytes: number) => Promise<FileContent>;

const READERS: Readonly<Record<WeightsFile['format'], Reader>> = {
  safetensors: readSafetensors,
  torch: readArchive,
  'torch-legacy': readLegacy,
};

const ZIP_START = Buffer.from('504b0304', 'hex');
const PICKLE_START = 0x80;
/** Where a tar archive says that it is one. */
const TAR_MARK_OFFSET = 257;
const TAR_MARK = 'ustar';

/**
 * Opens a safetensors file or a checkpoint of PyTorch (`.pth`, `.pt`, `.bin`). What describes the weights is checked whole;
 * values are read by position when they are asked for. Close it with `await using`; weights cannot be read after that.
 *
 * Checkpoints of PyTorch are pickles, which are programs; none is run. One that names anything but tensors, plain
 * containers and a few harmless records is refused.
 *
 * @throws {TubeletError} TUBE_WEIGHTS_NOT_FOUND, TUBE_WEIGHTS_DAMAGED, TUBE_WEIGHTS_UNSAFE, TUBE_WEIGHTS_UNSUPPORTED
 */
export async function openWeights(path: string): Promise<WeightsFile> {
  const file = await openFile(path);
  try {
    const { size, isFile } = await statFile(file);
    if (!isFile) throw new TubeletError('TUBE_WEIGHTS_NOT_FOUND', { path, message: 'not a file' });
    const { format, content } = await namingFile(path, async () => {
      const found = await detectFormat(file, size);
      return { format: found, content: await READERS[found](file, path, size) };
    });
    const { weights, metadata } = content;
    return {
      path,
      format,
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

async function detectFormat(file: FileHandle, bytes: number): Promise<WeightsFile['format']> {
  const head = Buffer.from((await readSpan(file, 0, Math.min(bytes, 512))) ?? []);
  if (head.subarray(0, ZIP_START.length).equals(ZIP_START)) return 'torch';
  if (head[0] === PICKLE_START && isLegacy(head)) return 'torch-legacy';
  const unsupported =
    (head.toString('latin1', TAR_MARK_OFFSET, TAR_MARK_OFFSET + TAR_MARK.length) === TAR_MARK &&
      'a tar archive of PyTorch before 0.1.10') ||
    (head[0] === PICKLE_START &&
      head[1] !== undefined &&
      head[1] <= 5 &&
      'a pickle that is no checkpoint of PyTorch');
  if (unsupported !== false) throw new WeightsFault(unsupported, 'TUBE_WEIGHTS_UNSUPPORTED');
  return 'safetensors';
}
