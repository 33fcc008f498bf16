/** The names and numbers of the shard format, version 1; `shards/README.md` describes it for people. */

import { TubeletError } from '../core/index.ts';
import type { ErrorDetails } from '../core/index.ts';
import type { Fields } from './fields.ts';

/** Version of the format that is written, and the highest that is read. */
export const FORMAT_VERSION = 1;

/** Largest sample payload in bytes; one read call cannot fill more. */
export const MAX_PAYLOAD_BYTES: number = 2 ** 31 - 1;

/** Name of the file that describes a dataset. */
export const DATASET_FILE = 'dataset.json';

/** Tar blocks: every header is one block, every payload is padded to whole blocks. */
export const TAR_BLOCK_BYTES = 512;

const EXTENSION = '.msgpack';
/** 92 characters, since `KEY.msgpack` must fit the 100 bytes that a plain tar header has for a name. */
const KEY = /^[!-~]{1,92}$/;
const FORBIDDEN_IN_KEY = /["*./:<>?\\|]/;
const SHARD_NAME = /^[A-Za-z0-9_-]{1,200}$/;

/**
 * Says whether a text can be the key of a sample: 1 to 92 printable ASCII characters, without space, dot, slash and
 * the other characters that tar tools or file systems treat specially (`" * / : < > ? \ |`).
 */
export function isSampleKey(text: string): boolean {
  return KEY.test(text) && !FORBIDDEN_IN_KEY.test(text);
}

/** Says whether a text can be the name of a shard, such as `train-000003`: letters, digits, `_` and `-`. */
export function isShardName(text: string): boolean {
  return SHARD_NAME.test(text);
}

/** Name of a sample inside the tar. */
export function entryName(key: string): string {
  return key + EXTENSION;
}

/** Key of the sample that has this name inside the tar, or null if no sample can have it. */
export function keyOfEntry(name: string): string | null {
  const key = name.slice(0, -EXTENSION.length);
  return name.endsWith(EXTENSION) && isSampleKey(key) ? key : null;
}

/**
 * Checks the version of something read.
 *
 * @throws {TubeletError} TUBE_VERSION_UNSUPPORTED if it is newer than this library
 */
export function checkVersion(fields: Fields, details: ErrorDetails): void {
  const version = fields.integer('v', { min: 1 });
  if (version > FORMAT_VERSION) {
    throw new TubeletError('TUBE_VERSION_UNSUPPORTED', { ...details, version });
  }
}
