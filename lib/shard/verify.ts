/** Looks for damage: whatever is wrong with a shard is reported, and looking goes on as far as it can. */

import { open, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { TubeletError, messageText, readSpan, systemCode } from '../core/index.ts';
import type { ErrorCode } from '../core/index.ts';
import { entryName, keyOfEntry } from './format.ts';
import { hashFile } from './hash-file.ts';
import { decodeSample } from './sample.ts';
import type { Sample } from './sample-meta.ts';
import { readSidecar, tarPath } from './sidecar.ts';
import type { Sidecar, SidecarSample } from './sidecar.ts';
import { scanTar } from './tar-scan.ts';

/** One thing that is wrong. */
export interface Defect {
  readonly code: ErrorCode;
  /** Name of the shard, null if it is about the whole dataset. */
  readonly shard: string | null;
  /** Key of the sample, null if it is about the whole shard. */
  readonly key: string | null;
  readonly message: string;
}

/** How to verify. */
export interface VerifyOptions {
  /** Further check of every sound sample, such as decoding its pictures; reports by throwing a `TubeletError`. */
  readonly checkSample?: (sample: Sample) => void | Promise<void>;
  readonly signal?: AbortSignal;
}

/**
 * Yields everything that is wrong with a shard, nothing if it is sound: sidecar, size and SHA-256 of the tar, tar entries
 * against the index, CRC-32 and content of every sample. Reads the tar twice; holds one sample.
 */
export async function* verifyShard(
  folder: string,
  shard: string,
  options: VerifyOptions = {},
): AsyncGenerator<Defect> {
  yield* checkShard(folder, shard, options);
}

/** As {@link verifyShard}; returns the sidecar, null if it cannot be read. */
export async function* checkShard(
  folder: string,
  shard: string,
  options: VerifyOptions,
): AsyncGenerator<Defect, Sidecar | null> {
  const about = { shard, key: null };
  let sidecar: Sidecar | null = null;
  let file: FileHandle | undefined;
  try {
    sidecar = await readSidecar(folder, shard);
    const path = tarPath(folder, shard);
    const { size } = await stat(path);
    if (size !== sidecar.bytes) {
      const message = `the tar has ${size} bytes, its index says ${sidecar.bytes}`;
      yield { code: 'TUBE_SHARD_DAMAGED', ...about, message };
    }
    if ((await hashFile(path, options.signal)) !== sidecar.sha256) {
      yield { code: 'TUBE_SHARD_DAMAGED', ...about, message: 'the SHA-256 of the tar differs' };
    }
    yield* compareEntries(path, sidecar);
    file = await open(path, 'r');
    for (const entry of sidecar.samples) {
      options.signal?.throwIfAborted();
      yield* verifySample(file, { shard, size, entry }, options);
    }
  } catch (error) {
    yield { ...asDefect(error), ...about };
  } finally {
    await file?.close();
  }
  return sidecar;
}

async function* compareEntries(path: string, sidecar: Sidecar): AsyncGenerator<Defect> {
  const about = { code: 'TUBE_SHARD_DAMAGED', shard: sidecar.shard } as const;
  const missing = new Map(sidecar.samples.map((sample) => [entryName(sample.key), sample]));
  try {
    for await (const { name, offset, bytes } of scanTar(path)) {
      const sample = missing.get(name);
      const key = keyOfEntry(name);
      if (sample === undefined) {
        yield { ...about, key, message: `the tar has ${name}, the index does not or has it once` };
      } else if (sample.offset !== offset || sample.bytes !== bytes) {
        yield { ...about, key, message: 'the index has another offset or size' };
      }
      missing.delete(name);
    }
    for (const { key } of missing.values()) {
      yield { ...about, key, message: 'the index has the sample, the tar does not' };
    }
  } catch (error) {
    yield { ...asDefect(error), shard: sidecar.shard, key: null };
  }
}

interface Located {
  readonly shard: string;
  /** Size of the tar. */
  readonly size: number;
  readonly entry: SidecarSample;
}

async function* verifySample(
  file: FileHandle,
  { shard, size, entry }: Located,
  { checkSample }: VerifyOptions,
): AsyncGenerator<Defect> {
  const { key, offset, bytes } = entry;
  try {
    const payload = offset + bytes > size ? null : await readSpan(file, offset, bytes);
    if (payload === null) throw damaged('the shard is too short');
    if (crc32(payload) !== entry.crc32) throw damaged('the checksum differs');
    const sample = decodeSample(payload);
    const frames = sample.frameIndex.length;
    if (sample.key !== key || sample.label !== entry.label || frames !== entry.frames) {
      throw damaged('the index has another key, label or number of frames');
    }
    await checkSample?.(sample);
  } catch (error) {
    yield { ...asDefect(error), shard, key };
  }
}

function damaged(message: string): TubeletError {
  return new TubeletError('TUBE_SAMPLE_DAMAGED', { message });
}

/** What an error says, if it is one that the world can cause; others are thrown. */
export function asDefect(error: unknown): Pick<Defect, 'code' | 'message'> {
  if (error instanceof TubeletError) {
    const { code, details, message } = error;
    return { code, message: typeof details['message'] === 'string' ? details['message'] : message };
  }
  const code = systemCode(error);
  if (code === undefined || code.startsWith('ERR_')) throw error;
  const isMissing = code === 'ENOENT' || code === 'ENOTDIR';
  return {
    code: isMissing ? 'TUBE_SHARD_NOT_FOUND' : 'TUBE_SHARD_DAMAGED',
    message: messageText(error),
  };
}
