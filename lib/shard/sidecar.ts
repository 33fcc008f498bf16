/** The index beside every shard: where each sample lies, what the tar must hash to, and which videos gave nothing. */

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { TubeletError, systemCode } from '../core/index.ts';
import {
  FORMAT_VERSION,
  MAX_PAYLOAD_BYTES,
  TAR_BLOCK_BYTES,
  checkVersion,
  isSampleKey,
  isShardName,
} from './format.ts';
import { readFields } from './fields.ts';
import type { Fail, Fields } from './fields.ts';
import { readJson, writeJson } from './json-file.ts';
import type { ShardStore } from './store/store.ts';

/** Where one sample lies in its shard. */
export interface SidecarSample {
  readonly key: string;
  /** Byte at which the payload starts in the tar. */
  readonly offset: number;
  /** Size of the payload. */
  readonly bytes: number;
  /** CRC-32 of the payload, as zlib computes it. */
  readonly crc32: number;
  /** Class id. */
  readonly label: number | null;
  /** Number of stored frames. */
  readonly frames: number;
}

/** Something that was noticed in a video. */
export interface VideoNote {
  /** Path relative to the root of the source. */
  readonly path: string;
  /** Id of the video in the source; tells spans of one file apart. */
  readonly id: string;
  /** A code of this or another version. */
  readonly code: string;
  readonly message: string;
}

/** Why a video gave no samples. */
export interface VideoFailure extends VideoNote {
  /** Where in the conversion it failed, such as `open` or `decode`. */
  readonly stage: string;
}

/** The index of one shard. */
export interface Sidecar {
  readonly v: number;
  /** Name of the shard, without `.tar`. */
  readonly shard: string;
  /** Size of the tar. */
  readonly bytes: number;
  /** SHA-256 of the tar, in lower-case hexadecimal digits. */
  readonly sha256: string;
  /** Number of videos that gave the samples. */
  readonly videos: number;
  /** Sum of the durations of these videos. */
  readonly seconds: number;
  /** In the order of the tar. */
  readonly samples: readonly SidecarSample[];
  readonly failures: readonly VideoFailure[];
  /** Of videos that gave samples all the same. */
  readonly warnings: readonly VideoNote[];
}

/** A shard as `dataset.json` lists it. */
export interface ShardSummary {
  readonly name: string;
  readonly bytes: number;
  readonly samples: number;
  readonly sha256: string;
}

/** Path of the tar of a shard. */
export function tarPath(folder: string, name: string): string {
  return join(folder, `${name}.tar`);
}

/** Path of the sidecar index of a shard. */
export function sidecarPath(folder: string, name: string): string {
  return join(folder, `${name}.json`);
}

/** What `dataset.json` says of a shard. */
export function summarizeShard({ shard, bytes, samples, sha256 }: Sidecar): ShardSummary {
  return { name: shard, bytes, samples: samples.length, sha256 };
}

/**
 * Writes a sidecar, whole or not at all.
 *
 * @throws {RangeError} if it is larger than what is read
 * @throws {TubeletError} TUBE_DISK_FULL, TUBE_OUT_NOT_WRITABLE
 */
export async function writeSidecar(folder: string, sidecar: Sidecar): Promise<void> {
  await writeJson(sidecarPath(folder, sidecar.shard), JSON.stringify(sidecar));
}

/**
 * Reads and checks the sidecar of a shard.
 *
 * @throws {TubeletError} TUBE_DATASET_DAMAGED (also if it is missing), TUBE_VERSION_UNSUPPORTED
 */
export async function readSidecar(place: string | ShardStore, name: string): Promise<Sidecar> {
  const path = `${typeof place === 'string' ? place : place.location}/${name}.json`;
  const fail: Fail = (message) => {
    throw new TubeletError('TUBE_DATASET_DAMAGED', { path, message });
  };
  const json = await readJson(place, `${name}.json`);
  const fields = readFields(json, 'sidecar', fail);
  checkVersion(fields, { path });
  const { name: shard, bytes, sha256 } = readShard(fields, 'shard', fail);
  const sidecar: Sidecar = {
    v: FORMAT_VERSION,
    shard,
    bytes,
    sha256,
    videos: fields.integer('videos'),
    seconds: fields.number('seconds', { min: 0 }),
    samples: fields.maps('samples').map(readEntry),
    failures: fields.maps('failures').map(readFailure),
    warnings: fields.maps('warnings').map(readNote),
  };
  if (shard !== name) fail('sidecar belongs to another shard');
  checkEntries(sidecar, fail);
  return sidecar;
}

/**
 * Reads the sidecar of a finished shard: the sidecar is sound and the tar has the size that it states. Null if the shard is
 * unfinished, missing or damaged, so it has to be made.
 *
 * @throws {TubeletError} TUBE_VERSION_UNSUPPORTED, so that a newer shard is not taken for an unfinished one
 */
export async function readDoneSidecar(folder: string, name: string): Promise<Sidecar | null> {
  try {
    const sidecar = await readSidecar(folder, name);
    const { size } = await stat(tarPath(folder, name));
    return size === sidecar.bytes ? sidecar : null;
  } catch (error) {
    const isDamaged = error instanceof TubeletError && error.code === 'TUBE_DATASET_DAMAGED';
    if (isDamaged || systemCode(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Reads what a sidecar and `dataset.json` both say of a shard. */
export function readShard(
  fields: Fields,
  nameField: 'name' | 'shard',
  fail: Fail,
): Omit<ShardSummary, 'samples'> {
  const name = fields.text(nameField);
  const sha256 = fields.text('sha256');
  if (!isShardName(name)) fail('shard name has characters that it cannot have');
  if (!/^[0-9a-f]{64}$/.test(sha256)) fail('sha256 is not 64 hexadecimal digits');
  return { name, bytes: fields.integer('bytes'), sha256 };
}

function readEntry(fields: Fields): SidecarSample {
  return {
    key: fields.text('key'),
    offset: fields.integer('offset', { min: TAR_BLOCK_BYTES }),
    bytes: fields.integer('bytes', { min: 1, max: MAX_PAYLOAD_BYTES }),
    crc32: fields.integer('crc32', { max: 2 ** 32 - 1 }),
    label: fields.integerOrNull('label', { min: -(2 ** 31), max: 2 ** 32 - 1 }),
    frames: fields.integer('frames', { min: 1, max: 2 ** 32 - 1 }),
  };
}

function readNote(fields: Fields): VideoNote {
  return {
    path: fields.text('path'),
    id: fields.text('id'),
    code: fields.text('code'),
    message: fields.text('message'),
  };
}

function readFailure(fields: Fields): VideoFailure {
  const { path, id, code, message } = readNote(fields);
  return { path, id, stage: fields.text('stage'), code, message };
}

/** Keys are legal and unique; payloads start at blocks, follow each other and end inside the tar. */
function checkEntries({ bytes, samples }: Sidecar, fail: Fail): void {
  const keys = new Set<string>();
  let end = 0;
  for (const sample of samples) {
    if (!isSampleKey(sample.key)) fail('sidecar has a key with characters that a key cannot have');
    if (keys.has(sample.key)) fail(`sidecar has ${sample.key} twice`);
    keys.add(sample.key);
    if (sample.offset % TAR_BLOCK_BYTES !== 0 || sample.offset < end + TAR_BLOCK_BYTES) {
      fail(`sidecar: offset of ${sample.key} is not behind the sample before it`);
    }
    end = sample.offset + sample.bytes;
    if (end > bytes) fail(`sidecar: ${sample.key} ends behind the end of the tar`);
  }
}
