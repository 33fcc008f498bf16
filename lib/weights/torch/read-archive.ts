/** Checkpoints that PyTorch 1.6 and later write: a zip archive with a pickle and one file per storage. */

import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { readSpan } from '../../core/index.ts';
import { dtypeBytes } from '../dtype.ts';
import type { FileContent } from '../read-safetensors.ts';
import { WeightsFault, namingFile } from '../weights-fault.ts';
import { findWeights } from './find-weights.ts';
import type { TorchTensor } from './pickle-value.ts';
import { readTensor } from './read-tensor.ts';
import type { ReadStorage } from './read-tensor.ts';
import { unpickle } from './unpickle.ts';
import { locateEntry, readZipDirectory } from './zip-directory.ts';
import type { ZipEntry } from './zip-directory.ts';

/** Pickles above this are refused; a checkpoint of ViT-H with its optimizer has some 400 kB. */
const MAX_PICKLE_BYTES = 2 ** 24;

const PICKLE_NAME = 'data.pkl';

interface Archive {
  readonly file: FileHandle;
  readonly bytes: number;
  readonly entries: ReadonlyMap<string, ZipEntry>;
}

/**
 * Lists the weights of an open checkpoint.
 *
 * @throws {WeightsFault} as reading its parts does
 */
export async function readArchive(
  file: FileHandle,
  path: string,
  bytes: number,
): Promise<FileContent> {
  const archive: Archive = { file, bytes, entries: await readZipDirectory(file, bytes) };
  const folder = findFolder(archive);
  await checkByteOrder(archive, folder);
  const pickle = await readWhole(archive, folder + PICKLE_NAME, MAX_PICKLE_BYTES);
  const tensors = findWeights(
    unpickle(Buffer.from(pickle.buffer, pickle.byteOffset, pickle.length)).value,
    bytes,
  );
  for (const [name, { storage }] of tensors) checkStorage(archive, folder, { name, storage });
  const readStorage: ReadStorage = (key, offset, length) =>
    readPart(archive, `${folder}data/${key}`, { offset, length });
  const weights = tensors.map(([name, tensor]) => ({
    name,
    dtype: tensor.storage.dtype,
    shape: tensor.shape,
    read: () => namingFile(path, () => readTensor(name, tensor, readStorage)),
  }));
  return { weights, metadata: {} };
}

/** All files stand in one folder, named after the archive. */
function findFolder({ entries }: Archive): string {
  const folders = Array.from(entries.keys())
    .filter((name) => name === PICKLE_NAME || name.endsWith(`/${PICKLE_NAME}`))
    .map((name) => name.slice(0, -PICKLE_NAME.length));
  const [folder, ...others] = folders.filter((name) => !/\/.*\//.test(name));
  if (folder === undefined || others.length > 0) {
    throw new WeightsFault('the archive is not one of PyTorch');
  }
  if (entries.has(`${folder}constants.pkl`)) {
    throw new WeightsFault('TorchScript is a program, not weights', 'TUBE_WEIGHTS_UNSUPPORTED');
  }
  return folder;
}

async function checkByteOrder(archive: Archive, folder: string): Promise<void> {
  const name = `${folder}byteorder`;
  if (!archive.entries.has(name)) return;
  const order = Buffer.from(await readWhole(archive, name, 16)).toString('latin1');
  if (order !== 'little')
    throw new WeightsFault(`byte order is ${order}`, 'TUBE_WEIGHTS_UNSUPPORTED');
}

function checkStorage(
  { entries }: Archive,
  folder: string,
  { name, storage }: { readonly name: string; readonly storage: TorchTensor['storage'] },
): void {
  const entry = entries.get(`${folder}data/${storage.key}`);
  if (entry === undefined) throw new WeightsFault(`the values of ${name} are missing`);
  if (storage.numValues * (dtypeBytes(storage.dtype) ?? 1) > entry.bytes) {
    throw new WeightsFault(`the values of ${name} are cut short`);
  }
}

async function readWhole(archive: Archive, name: string, maxBytes: number): Promise<Uint8Array> {
  const length = archive.entries.get(name)?.bytes ?? 0;
  if (length > maxBytes) throw new WeightsFault(`${name} has ${length} bytes`);
  return readPart(archive, name, { offset: 0, length });
}

/** Bytes of a stored file; if it is all of them, they are checked. */
async function readPart(
  { file, bytes, entries }: Archive,
  name: string,
  { offset, length }: { readonly offset: number; readonly length: number },
): Promise<Uint8Array> {
  const entry = entries.get(name);
  if (entry === undefined) throw new WeightsFault(`${name} is missing`);
  const start = await locateEntry(file, bytes, entry);
  const part = await readSpan(file, start + offset, length);
  if (part === null) throw new WeightsFault(`${name} is cut short`);
  const isWhole = offset === 0 && length === entry.bytes;
  if (isWhole && entry.crc32 !== 0 && crc32(part) !== entry.crc32) {
    throw new WeightsFault(`${name} does not have its checksum`);
  }
  return part;
}
