/**
 * The place of a run, small enough to stand in any checkpoint: after which position of which epoch to go on, of which data and in
 * which order. Nothing about workers, ranks or batches, so these may change.
 *
 * Source: a print of sampler and data in the state, from Grain.
 */

import { createHash } from 'node:crypto';
import { TubeletError, checkInteger } from '../../core/index.ts';
import type { ErrorCode } from '../../core/index.ts';
import type { ShardSummary } from '../../shard/index.ts';
import type { EpochPlan } from './split.ts';

/** A value that a cursor keeps of an option. */
type Scalar = string | number | boolean | null;

/** The place of a run, as plain JSON of at most 1000 bytes. */
export interface Cursor {
  /** Version, 1. */
  readonly v: number;
  /** See {@link fingerprintDatasets}. */
  readonly data: string;
  /** Options that decide over the samples and their order; lists and objects as JSON, long values as `#` and a hash. */
  readonly options: Readonly<Record<string, Scalar>>;
  /** Epoch to go on in, from 0. */
  readonly epoch: number;
  /** Positions of this epoch that are done, over all ranks. */
  readonly position: number;
}

/** What a cursor belongs to. */
export interface CursorOwner {
  /** Fingerprint of the datasets. */
  readonly data: string;
  /** Options that decide over the samples and their order, as plain JSON; those that are undefined are left out. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** Where a rank goes on. */
export interface ResumePoint {
  readonly epoch: number;
  /** The next batch of the epoch; on ranks with fewer batches it may not exist. */
  readonly batchIndex: number;
}

const VERSION = 1;
const MAX_BYTES = 1000;
const MAX_VALUE_LENGTH = 32;
const MISMATCH: ErrorCode = 'TUBE_CURSOR_MISMATCH';

/** Gives 32 hexadecimal digits that change with the names of the datasets and the names, hashes and counts of their shards. */
export function fingerprintDatasets(
  datasets: readonly { readonly name: string; readonly shards: readonly ShardSummary[] }[],
): string {
  const sorted = datasets.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const facts = sorted.map(({ name, shards }) => [
    name,
    shards.map((shard) => [shard.name, shard.sha256, shard.samples]),
  ]);
  return hashText(JSON.stringify(facts), 32);
}

/**
 * Makes the cursor of a run that has done `numBatches` batches of an epoch, on all ranks. After the last it stands at the start
 * of the next epoch.
 *
 * @throws {RangeError} if a number is out of bounds, or the names of the options are too long for a cursor
 */
export function makeCursor(
  owner: CursorOwner,
  plan: EpochPlan,
  { epoch, numBatches }: { readonly epoch: number; readonly numBatches: number },
): Cursor {
  checkInteger('epoch', epoch, { min: 0 });
  checkInteger('numBatches', numBatches, { min: 0, max: plan.numBatches });
  const isOver = numBatches === plan.numBatches;
  const cursor: Cursor = {
    v: VERSION,
    data: owner.data,
    options: shorten(owner.options),
    epoch: isOver ? epoch + 1 : epoch,
    position: isOver ? 0 : numBatches * plan.worldBatchSize,
  };
  const bytes = Buffer.byteLength(JSON.stringify(cursor));
  if (bytes <= MAX_BYTES) return cursor;
  throw new RangeError(`"options" of a cursor must fit in ${MAX_BYTES} bytes (got ${bytes}).`);
}

/**
 * Makes sure that a value, such as parsed JSON, is a cursor of the same datasets and options.
 *
 * @throws {TubeletError} TUBE_CURSOR_MISMATCH naming every difference, TUBE_VERSION_UNSUPPORTED
 */
export function checkCursor(value: unknown, owner: CursorOwner): Cursor {
  const cursor = readCursor(value);
  const wanted = shorten(owner.options);
  const names = new Set([...Object.keys(cursor.options), ...Object.keys(wanted)]);
  const differences = [...names]
    .filter((name) => cursor.options[name] !== wanted[name])
    .map((name) => `${name} was ${show(cursor.options[name])}, now ${show(wanted[name])}`);
  if (cursor.data !== owner.data) differences.unshift('the shards are others');
  if (differences.length === 0) return cursor;
  throw new TubeletError(MISMATCH, { message: differences.join('; ') });
}

/**
 * Says where to go on under a plan, which may have another batch size or world size than the run that made the cursor.
 *
 * @throws {TubeletError} TUBE_CURSOR_MISMATCH if what is done does not fill whole batches of the plan
 */
export function resumeAt({ epoch, position }: Cursor, plan: EpochPlan): ResumePoint {
  const { worldBatchSize, numSamples, batchSize, worldSize } = plan;
  if (position > numSamples || position % worldBatchSize !== 0) {
    const message = `position is no multiple of batchSize × worldSize within ${numSamples} samples`;
    throw new TubeletError(MISMATCH, { message, position, batchSize, worldSize });
  }
  const batchIndex = position / worldBatchSize;
  return batchIndex < plan.numBatches ? { epoch, batchIndex } : { epoch: epoch + 1, batchIndex: 0 };
}

function readCursor(value: unknown): Cursor {
  const { v, data, options, epoch, position } = toRecord(value);
  if (Number.isSafeInteger(v) && Number(v) > VERSION) {
    throw new TubeletError('TUBE_VERSION_UNSUPPORTED', { message: 'cursor', version: Number(v) });
  }
  const isSound =
    v === VERSION &&
    typeof data === 'string' &&
    typeof options === 'object' &&
    options !== null &&
    isCount(epoch) &&
    isCount(position);
  if (!isSound) throw new TubeletError(MISMATCH, { message: 'this is no sound cursor' });
  return { v, data, options: shorten(toRecord(options)), epoch, position };
}

function toRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function shorten(options: Readonly<Record<string, unknown>>): Record<string, Scalar> {
  return Object.fromEntries(
    Object.entries(options)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, shortValue(value)]),
  );
}

function shortValue(value: unknown): Scalar {
  const isScalar = value === null || typeof value === 'number' || typeof value === 'boolean';
  if (isScalar || (typeof value === 'string' && value.length <= MAX_VALUE_LENGTH)) return value;
  const text = JSON.stringify(value, sortKeys);
  return text.length <= MAX_VALUE_LENGTH ? text : `#${hashText(text, 12)}`;
}

/** A replacer that makes equal objects equal texts. */
function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function show(value: Scalar | undefined): string {
  return value === undefined ? 'not set' : JSON.stringify(value);
}

function hashText(text: string, numDigits: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, numDigits);
}
