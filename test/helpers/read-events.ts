/**
 * An event file of TensorBoard, decoded by code that shares nothing with the writer: checksums bit by bit, messages of
 * Protocol Buffers without knowing what fields mean.
 */

/** Fields of a message by number; bytes stay as they are. */
export type Fields = ReadonlyMap<number, readonly (number | Uint8Array)[]>;

/** CRC-32C one bit at a time. */
export function slowCrc32c(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    for (let bit = 0; bit < 8; bit++) {
      const isOdd = ((crc ^ (byte >> bit)) & 1) === 1;
      crc >>>= 1;
      if (isOdd) crc ^= 0x82f63b78;
    }
  }
  return ~crc >>> 0;
}

/** Messages of a file, frame after frame. */
export function readFrames(file: Buffer): Uint8Array[] {
  const messages: Uint8Array[] = [];
  for (let at = 0; at < file.length;) {
    const length = Number(file.readBigUInt64LE(at));
    checkSum(file.subarray(at, at + 8), file.readUInt32LE(at + 8));
    const message = file.subarray(at + 12, at + 12 + length);
    checkSum(message, file.readUInt32LE(at + 12 + length));
    messages.push(message);
    at += 16 + length;
  }
  return messages;
}

function checkSum(bytes: Uint8Array, masked: number): void {
  const rotated = (masked - 0xa282ead8) >>> 0;
  const crc = ((rotated << 15) | (rotated >>> 17)) >>> 0;
  if (crc !== slowCrc32c(bytes)) throw new Error('wrong checksum');
}

/** Takes a message apart. */
export function readFields(message: Uint8Array): Fields {
  const view = Buffer.from(message);
  const fields = new Map<number, (number | Uint8Array)[]>();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = view.readUInt8(at++);
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  const readers: Readonly<Record<number, () => number | Uint8Array>> = {
    0: varint,
    1: () => view.readDoubleLE((at += 8) - 8),
    2: () => {
      const length = varint();
      return view.subarray(at, (at += length));
    },
    5: () => view.readFloatLE((at += 4) - 4),
  };
  while (at < view.length) {
    const key = varint();
    const values = fields.get(key >> 3) ?? [];
    values.push(readers[key & 7]!());
    fields.set(key >> 3, values);
  }
  return fields;
}
