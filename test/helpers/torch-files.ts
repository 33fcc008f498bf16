/** Checkpoints of PyTorch made by hand: zip archives without compression, and pickles operation by operation. */

import { crc32 } from 'node:zlib';

/** A stored file of an archive. */
export interface StoredFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Method in the directory; 0 is stored. */
  readonly method?: number;
  /** Checksum, if not the right one. */
  readonly crc?: number;
}

/** A zip archive; with `large`, all sizes stand in ZIP64 records. */
export function makeZip(files: readonly StoredFile[], { large = false } = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, bytes, method = 0, crc = crc32(bytes) } of files) {
    const text = Buffer.from(name);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(text.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(crc, 16);
    entry.writeUInt16LE(text.length, 28);
    for (const [at, value] of [
      [20, bytes.length],
      [24, bytes.length],
      [42, offset],
    ] as const) {
      entry.writeUInt32LE(large ? 0xffffffff : value, at);
    }
    const extra = Buffer.alloc(large ? 28 : 0);
    if (large) {
      extra.writeUInt16LE(1, 0);
      extra.writeUInt16LE(24, 2);
      extra.writeBigUInt64LE(BigInt(bytes.length), 4);
      extra.writeBigUInt64LE(BigInt(bytes.length), 12);
      extra.writeBigUInt64LE(BigInt(offset), 20);
      entry.writeUInt16LE(extra.length, 30);
    }
    directory.push(entry, text, extra);
    parts.push(local, text, Buffer.from(bytes));
    offset += 30 + text.length + bytes.length;
  }
  const directoryBytes = directory.reduce((sum, { length }) => sum + length, 0);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(large ? 0xffff : files.length, 10);
  end.writeUInt32LE(large ? 0xffffffff : directoryBytes, 12);
  end.writeUInt32LE(large ? 0xffffffff : offset, 16);
  const end64 = Buffer.alloc(large ? 76 : 0);
  if (large) {
    end64.writeUInt32LE(0x06064b50, 0);
    end64.writeBigUInt64LE(BigInt(files.length), 32);
    end64.writeBigUInt64LE(BigInt(directoryBytes), 40);
    end64.writeBigUInt64LE(BigInt(offset), 48);
    end64.writeUInt32LE(0x07064b50, 56);
    end64.writeBigUInt64LE(BigInt(offset + directoryBytes), 64);
  }
  return Buffer.concat([...parts, ...directory, end64, end]);
}

/** An archive as PyTorch names its files. */
export function makeCheckpoint(
  pickle: Uint8Array,
  storages: Readonly<Record<string, Uint8Array>> = {},
): Buffer {
  return makeZip([
    { name: 'a/data.pkl', bytes: pickle },
    { name: 'a/byteorder', bytes: Buffer.from('little') },
    ...Object.entries(storages).map(([key, bytes]) => ({ name: `a/data/${key}`, bytes })),
  ]);
}

/** A pickle of protocol 2 around some operations. */
export function pickleOf(...operations: readonly Uint8Array[]): Buffer {
  return Buffer.concat([Buffer.from('\x80\x02', 'latin1'), ...operations, Buffer.from('.')]);
}

/** Operations written as characters. */
export function ops(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** The operation that names a function or class. */
export function globalOp(module: string, name: string): Buffer {
  return Buffer.from(`c${module}\n${name}\n`);
}

/** The operation that pushes a text. */
export function textOp(text: string): Buffer {
  const bytes = Buffer.from(text);
  const head = Buffer.from('X\0\0\0\0', 'latin1');
  head.writeUInt32LE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

/** The operation that pushes an integer. */
export function intOp(value: number): Buffer {
  const bytes = Buffer.from('J\0\0\0\0', 'latin1');
  bytes.writeInt32LE(value, 1);
  return bytes;
}

/** What a tensor of a checkpoint is made of. */
export interface TensorParts {
  readonly key?: string;
  readonly storage?: string;
  readonly numValues: number;
  readonly offset?: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** The operations that build a tensor. */
export function tensorOps(parts: TensorParts): Buffer {
  const { key = '0', storage = 'FloatStorage', numValues, offset = 0, shape, strides } = parts;
  const tuple = (values: readonly number[]): Buffer =>
    Buffer.concat([ops('('), ...values.map(intOp), ops('t')]);
  return Buffer.concat([
    globalOp('torch._utils', '_rebuild_tensor_v2'),
    ops('(('),
    textOp('storage'),
    globalOp('torch', storage),
    textOp(key),
    textOp('cpu'),
    intOp(numValues),
    ops('tQ'),
    intOp(offset),
    tuple(shape),
    tuple(strides),
    ops('\x89}tR'),
  ]);
}

/** A pickle of `{'model': {name: tensor}}`. */
export function modelPickle(tensors: Readonly<Record<string, Uint8Array>>): Buffer {
  const items = Object.entries(tensors).flatMap(([name, tensor]) => [textOp(name), tensor]);
  return pickleOf(ops('}'), textOp('model'), ops('}('), ...items, ops('us'));
}
