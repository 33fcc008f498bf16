/**
 * Writes safetensors files: whole or not at all, one weight in memory at a time, the same bytes for the same weights in any
 * order.
 *
 * Source: the safetensors format. As its own writer does, larger value types come first and the header ends on a multiple of
 * 8 bytes, so that every weight can be mapped into memory as it is.
 */

import { writeFileAtomic } from '../core/index.ts';
import { dtypeBytes, writtenDtype } from './dtype.ts';
import { LENGTH_BYTES, MAX_HEADER_BYTES, METADATA_KEY } from './safetensors-header.ts';
import { countValues } from './weight.ts';
import type { Weight } from './weight.ts';

/** Settings of {@link writeSafetensors}. */
export interface WriteSafetensorsOptions {
  /** Texts that are written beside the weights, sorted by key. */
  readonly metadata?: Readonly<Record<string, string>>;
}

interface Planned {
  readonly weight: Weight;
  readonly dtype: string;
  readonly bytes: number;
}

/**
 * Writes weights to a safetensors file. What is stored: F32 for floating point of any width, I32 for signed integers, U8,
 * BOOL for what was read as BOOL.
 *
 * @throws {RangeError} if two weights have one name, or one is named `__metadata__`
 * @throws {TypeError} if a weight gives other values than it announced
 * @throws {TubeletError} TUBE_DISK_FULL, TUBE_OUT_NOT_WRITABLE, TUBE_WEIGHTS_UNSUPPORTED, and what reading the weights throws
 */
export async function writeSafetensors(
  path: string,
  weights: Iterable<Weight>,
  { metadata = {} }: WriteSafetensorsOptions = {},
): Promise<void> {
  const plan = planFile(weights);
  const header = makeHeader(plan, metadata);
  await writeFileAtomic(path, makeParts(header, plan));
}

/** By size of a value, largest first, then by name in code units. */
function planFile(weights: Iterable<Weight>): Planned[] {
  const names = new Set<string>([METADATA_KEY]);
  const plan = Array.from(weights, (weight) => {
    const { name, shape } = weight;
    if (names.has(name)) throw new RangeError(`"weights" must have one weight named ${name}.`);
    names.add(name);
    const dtype = writtenDtype(weight.dtype, name);
    return { weight, dtype, bytes: countValues(shape) * (dtypeBytes(dtype) ?? 0) };
  });
  return plan.sort(
    (a, b) =>
      (dtypeBytes(b.dtype) ?? 0) - (dtypeBytes(a.dtype) ?? 0) ||
      compareText(a.dtype, b.dtype) ||
      compareText(a.weight.name, b.weight.name),
  );
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function makeHeader(plan: readonly Planned[], metadata: Readonly<Record<string, string>>): Buffer {
  const members: string[] = [];
  const texts = Object.entries(metadata).toSorted(([a], [b]) => compareText(a, b));
  if (texts.length > 0) {
    const pairs = texts.map(([key, text]) => `${JSON.stringify(key)}:${JSON.stringify(text)}`);
    members.push(`"${METADATA_KEY}":{${pairs.join(',')}}`);
  }
  let position = 0;
  for (const { weight, dtype, bytes } of plan) {
    const offsets = [position, position + bytes];
    position += bytes;
    const entry = JSON.stringify({ dtype, shape: weight.shape, data_offsets: offsets });
    members.push(`${JSON.stringify(weight.name)}:${entry}`);
  }
  const text = Buffer.from(`{${members.join(',')}}`);
  const padded = Math.ceil(text.length / 8) * 8;
  if (padded > MAX_HEADER_BYTES) {
    throw new RangeError(`"metadata" and names must fit into ${MAX_HEADER_BYTES} bytes.`);
  }
  const header = Buffer.alloc(LENGTH_BYTES + padded, ' ');
  header.writeBigUInt64LE(BigInt(padded));
  text.copy(header, LENGTH_BYTES);
  return header;
}

async function* makeParts(
  header: Uint8Array,
  plan: readonly Planned[],
): AsyncGenerator<Uint8Array> {
  yield header;
  for (const { weight, bytes } of plan) {
    const { data } = await weight.read();
    if (data.byteLength !== bytes) {
      const got = `got ${data.byteLength} bytes instead of ${bytes}`;
      throw new TypeError(`"${weight.name}" must have the values that it announces (${got}).`);
    }
    yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
}
