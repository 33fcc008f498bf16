/**
 * Checkpoints of PyTorch before 1.6: five pickles in a row (magic number, version, system, the object, the keys of its
 * storages), then each storage with its number of values before it.
 */

import type { FileHandle } from 'node:fs/promises';
import { readSpan } from '../../core/index.ts';
import { dtypeBytes } from '../dtype.ts';
import type { FileContent } from '../read-safetensors.ts';
import { WeightsFault, namingFile } from '../weights-fault.ts';
import { findWeights } from './find-weights.ts';
import { isDict, isSequence } from './pickle-value.ts';
import type { PickleValue, TorchStorage } from './pickle-value.ts';
import { readTensor } from './read-tensor.ts';
import type { ReadStorage } from './read-tensor.ts';
import { unpickle } from './unpickle.ts';

/** The magic number, as pickles of every protocol write it. */
const MAGIC = Buffer.from('8a0a6cfc9c46f9206aa85019', 'hex');

const FRAME = 0x95;
/** Bytes of the protocol, and of a frame that may follow it. */
const PROTOCOL_BYTES = 2;
const FRAME_BYTES = 9;

/** Pickles stand in the first bytes; a checkpoint of ViT-H with its optimizer has some 400 kB of them. */
const MAX_PICKLE_BYTES = 2 ** 24;

const LEGACY_VERSION = 1001;

/** Whether a file begins as such a checkpoint does. */
export function isLegacy(head: Buffer): boolean {
  const start = PROTOCOL_BYTES + (head[PROTOCOL_BYTES] === FRAME ? FRAME_BYTES : 0);
  return head.subarray(start, start + MAGIC.length).equals(MAGIC);
}

interface Place {
  readonly start: number;
  readonly bytes: number;
}

/**
 * Lists the weights of an open checkpoint.
 *
 * @throws {WeightsFault} as reading its parts does
 */
export async function readLegacy(
  file: FileHandle,
  path: string,
  bytes: number,
): Promise<FileContent> {
  const head = await readSpan(file, 0, Math.min(bytes, MAX_PICKLE_BYTES));
  if (head === null) throw new WeightsFault('file is cut short');
  const { checkpoint, keys, storages, end } = readPickles(
    Buffer.from(head.buffer, head.byteOffset, head.length),
  );
  const places = await locateStorages(file, { keys, storages, start: end, fileBytes: bytes });
  const readStorage: ReadStorage = async (key, offset, length) => {
    const place = places.get(key);
    const isInside = place !== undefined && offset + length <= place.bytes;
    const part = isInside ? await readSpan(file, place.start + offset, length) : null;
    if (part === null) throw new WeightsFault(`the values of storage ${key} are cut short`);
    return part;
  };
  const weights = findWeights(checkpoint, bytes).map(([name, tensor]) => ({
    name,
    dtype: tensor.storage.dtype,
    shape: tensor.shape,
    read: () => namingFile(path, () => readTensor(name, tensor, readStorage)),
  }));
  return { weights, metadata: {} };
}

interface Pickles {
  readonly checkpoint: PickleValue;
  readonly keys: readonly string[];
  readonly storages: ReadonlyMap<string, TorchStorage>;
  readonly end: number;
}

function readPickles(head: Buffer): Pickles {
  const magic = unpickle(head);
  const version = unpickle(head, magic.end);
  const system = unpickle(head, version.end);
  if (version.value !== LEGACY_VERSION) {
    throw new WeightsFault('version of the file is unknown', 'TUBE_WEIGHTS_UNSUPPORTED');
  }
  if (isDict(system.value) && system.value.entries.get('little_endian') === false) {
    throw new WeightsFault('byte order is big', 'TUBE_WEIGHTS_UNSUPPORTED');
  }
  const storages = new Map<string, TorchStorage>();
  const checkpoint = unpickle(head, system.end, (storage) => storages.set(storage.key, storage));
  const keys = unpickle(head, checkpoint.end);
  const names = isSequence(keys.value) ? keys.value.items : [];
  if (!names.every((key) => typeof key === 'string')) throw new WeightsFault('no list of storages');
  return { checkpoint: checkpoint.value, keys: names, storages, end: keys.end };
}

interface StorageList {
  readonly keys: readonly string[];
  readonly storages: ReadonlyMap<string, TorchStorage>;
  readonly start: number;
  readonly fileBytes: number;
}

async function locateStorages(
  file: FileHandle,
  { keys, storages, start, fileBytes }: StorageList,
): Promise<ReadonlyMap<string, Place>> {
  const places = new Map<string, Place>();
  let position = start;
  for (const key of keys) {
    const storage = storages.get(key);
    const count = await readSpan(file, position, 8);
    const numValues = count === null ? -1n : Buffer.from(count).readBigInt64LE();
    if (storage === undefined || numValues !== BigInt(storage.numValues)) {
      throw new WeightsFault(`storage ${key} does not have the size that it announces`);
    }
    const bytes = storage.numValues * (dtypeBytes(storage.dtype) ?? 1);
    places.set(key, { start: position + 8, bytes });
    position += 8 + bytes;
    if (position > fileBytes) throw new WeightsFault(`storage ${key} is cut short`);
  }
  return places;
}
