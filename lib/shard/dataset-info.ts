/** `dataset.json`: what a dataset is, how it was made, and the list of its shards. */

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TubeletError, toWriteError } from '../core/index.ts';
import { DATASET_FILE, FORMAT_VERSION, checkVersion } from './format.ts';
import { readFields, refuse } from './fields.ts';
import type { Fail, Fields } from './fields.ts';
import { readJson, writeJson } from './json-file.ts';
import type { ShardStore } from './store/store.ts';
import { readShard } from './sidecar.ts';
import type { ShardSummary } from './sidecar.ts';

/** Sums over all shards of a dataset. */
export interface DatasetTotals {
  /** Videos that gave at least one sample. */
  readonly videos: number;
  readonly samples: number;
  /** Stored frames. */
  readonly frames: number;
  /** Size of all tars. */
  readonly bytes: number;
  /** Sum of the durations of the videos. */
  readonly seconds: number;
  /** Videos that gave nothing, counted by error code. */
  readonly failures: Readonly<Record<string, number>>;
}

/** What `dataset.json` says. Holds no time of day and no absolute path, so equal inputs give equal bytes. */
export interface DatasetInfo {
  /** Format version, 1. */
  readonly v: number;
  readonly name: string;
  readonly split: string;
  readonly tool: { readonly name: string; readonly version: string };
  /** Every option of the conversion, as plain JSON. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly source: {
    readonly kind: string;
    /** Videos in the source, failed ones included. */
    readonly videos: number;
    /** Hash of the source list. */
    readonly fingerprint: string;
  };
  /** Class names; the position is the class id. */
  readonly classes: readonly string[];
  readonly totals: DatasetTotals;
  /** In the order that positions of samples count. */
  readonly shards: readonly ShardSummary[];
}

/** Path of the file that describes the dataset in a folder. */
function datasetPath(folder: string): string {
  return join(folder, DATASET_FILE);
}

/**
 * Writes `dataset.json`, whole or not at all.
 *
 * @throws {RangeError} if the fields contradict each other or fill more than is read
 * @throws {TubeletError} TUBE_DISK_FULL, TUBE_OUT_NOT_WRITABLE
 */
export async function writeDatasetInfo(folder: string, info: DatasetInfo): Promise<void> {
  const checked = readInfo(readFields(info, 'dataset', refuse), refuse);
  if (checked.v !== FORMAT_VERSION) refuse(`dataset: v is not ${FORMAT_VERSION}`);
  await writeJson(datasetPath(folder), JSON.stringify(checked, null, 2));
}

/** Removes `dataset.json`, if it is there: the dataset is about to change. */
export async function removeDatasetInfo(folder: string): Promise<void> {
  const path = datasetPath(folder);
  await rm(path, { force: true }).catch((error: unknown) => {
    throw toWriteError(error, path);
  });
}

/**
 * Reads and checks `dataset.json`.
 *
 * @throws {TubeletError} TUBE_DATASET_NOT_FOUND, TUBE_DATASET_DAMAGED, TUBE_VERSION_UNSUPPORTED
 */
export async function readDatasetInfo(place: string | ShardStore): Promise<DatasetInfo> {
  const path = `${typeof place === 'string' ? place : place.location}/${DATASET_FILE}`;
  const fail: Fail = (message) => {
    throw new TubeletError('TUBE_DATASET_DAMAGED', { path, message });
  };
  const fields = readFields(await readJson(place, DATASET_FILE), 'dataset', fail);
  checkVersion(fields, { path });
  return readInfo(fields, fail);
}

function readInfo(fields: Fields, fail: Fail): DatasetInfo {
  const tool = fields.map('tool');
  const source = fields.map('source');
  fields.map('options');
  const info: DatasetInfo = {
    v: fields.integer('v', { min: 1 }),
    name: fields.text('name'),
    split: fields.text('split'),
    tool: { name: tool.text('name'), version: tool.text('version') },
    options: fields.get('options') as DatasetInfo['options'],
    source: {
      kind: source.text('kind'),
      videos: source.integer('videos'),
      fingerprint: source.text('fingerprint'),
    },
    classes: fields.texts('classes'),
    totals: readTotals(fields.map('totals')),
    shards: fields.maps('shards').map((shard) => readSummary(shard, fail)),
  };
  checkShards(info, fail);
  return info;
}

function readSummary(fields: Fields, fail: Fail): ShardSummary {
  const { name, bytes, sha256 } = readShard(fields, 'name', fail);
  return { name, bytes, samples: fields.integer('samples'), sha256 };
}

function readTotals(fields: Fields): DatasetTotals {
  const failures = fields.map('failures');
  return {
    videos: fields.integer('videos'),
    samples: fields.integer('samples'),
    frames: fields.integer('frames'),
    bytes: fields.integer('bytes'),
    seconds: fields.number('seconds', { min: 0 }),
    failures: Object.fromEntries(failures.names().map((code) => [code, failures.integer(code)])),
  };
}

function checkShards({ shards, totals }: DatasetInfo, fail: Fail): void {
  if (new Set(shards.map(({ name }) => name)).size < shards.length) {
    fail('dataset: shards has a name twice');
  }
  for (const field of ['samples', 'bytes'] as const) {
    const sum = shards.reduce((total, shard) => total + shard[field], 0);
    if (sum !== totals[field]) fail(`dataset: totals.${field} is not the sum over the shards`);
  }
}
