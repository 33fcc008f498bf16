/** Reads a dataset: any sample by position or key, or all of them in order. */

import { crc32 } from 'node:zlib';
import { TubeletError, checkInteger } from '../core/index.ts';
import { readDatasetInfo } from './dataset-info.ts';
import type { DatasetInfo } from './dataset-info.ts';
import { buildKeyIndex, lowerBound } from './key-index.ts';
import type { KeyIndex } from './key-index.ts';
import { openStore } from './store/open-store.ts';
import type { StoreOptions } from './store/open-store.ts';
import type { ShardStore } from './store/store.ts';
import { decodeHead, decodeRawHead, decodeSample } from './sample.ts';
import type { Sample, SampleMeta } from './sample-meta.ts';
import { packShardIndex } from './shard-index.ts';
import type { ShardIndex } from './shard-index.ts';
import { readSidecar } from './sidecar.ts';
import type { SidecarSample } from './sidecar.ts';

/** Where a sample lies in the dataset. */
export interface SampleEntry extends SidecarSample {
  /** Name of the shard. */
  readonly shard: string;
}

/** Bounds on what an open dataset holds. */
export interface DatasetOptions extends StoreOptions {
  /** Samples whose index is kept in memory, about 100 bytes each. Default 2^21. */
  readonly maxIndexedSamples?: number;
  /**
   * One bit per sample, set when its checksum was found right; such a sample is not checked again. May be shared by threads, whose
   * datasets must be the same. Default: every read is checked.
   */
  readonly checked?: Uint8Array;
  /** Gives up opening, also when the server is silent. A dataset that is open is closed by its owner. */
  readonly signal?: AbortSignal;
}

/** Which samples to read. */
export interface SamplesOptions {
  /** Positions in the order in which they are wanted. Default: all, ascending. */
  readonly positions?: Iterable<number>;
  readonly signal?: AbortSignal;
}

/** With one, its read would start only after the check of the sample before, which holds the thread. */
const READ_AHEAD = 2;
/** Read first of a sample of which only the head is wanted. */
const HEAD_BYTES = 2 ** 16;

/**
 * Opens the dataset in a folder. Indexes are read when the first of their samples is wanted.
 *
 * @throws {TubeletError} TUBE_DATASET_NOT_FOUND, TUBE_DATASET_DAMAGED, TUBE_VERSION_UNSUPPORTED
 * @throws the reason of `signal`
 */
export async function openDataset(
  location: string,
  options: DatasetOptions = {},
): Promise<Dataset> {
  const { signal } = options;
  signal?.throwIfAborted();
  const store = openStore(location, options);
  const close = (): void => void store[Symbol.asyncDispose]();
  signal?.addEventListener('abort', close, { once: true });
  try {
    const info = await readDatasetInfo(store);
    signal?.throwIfAborted();
    return new Dataset(store, info, options);
  } catch (error) {
    await store[Symbol.asyncDispose]();
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', close);
  }
}

/** An open dataset. Positions count its samples from 0, shard after shard. Close it when done. */
export class Dataset {
  readonly info: DatasetInfo;
  readonly numSamples: number;
  readonly #store: ShardStore;
  readonly #maxIndexedSamples: number;
  readonly #checked: Uint8Array | null;
  /** Indexes by shard number, in order of last use. */
  readonly #indexes = new Map<number, Promise<ShardIndex>>();
  /** First position behind each shard. */
  readonly #ends: Float64Array;
  #keys: Promise<KeyIndex> | undefined;

  /** @internal Use {@link openDataset}. */
  constructor(
    store: ShardStore,
    info: DatasetInfo,
    { maxIndexedSamples = 2 ** 21, checked }: DatasetOptions,
  ) {
    checkInteger('maxIndexedSamples', maxIndexedSamples, { min: 1 });
    const numBytes = Math.ceil(info.totals.samples / 8);
    if (checked !== undefined)
      checkInteger('checked.length', checked.length, { min: numBytes, max: numBytes });
    this.info = info;
    this.numSamples = info.totals.samples;
    this.#store = store;
    this.#maxIndexedSamples = maxIndexedSamples;
    this.#checked = checked ?? null;
    let end = 0;
    this.#ends = Float64Array.from(info.shards, ({ samples }) => (end += samples));
  }

  /**
   * Where the sample at a position lies.
   *
   * @throws {RangeError} if there is no such position
   * @throws {TubeletError} TUBE_DATASET_DAMAGED, TUBE_VERSION_UNSUPPORTED
   */
  async entry(position: number): Promise<SampleEntry> {
    checkInteger('position', position, { min: 0, max: this.numSamples - 1 });
    const number = lowerBound(this.#ends, position + 1);
    const index = await this.#index(number);
    const shard = this.info.shards[number]?.name ?? '';
    return { shard, ...index.at(position - (this.#ends[number - 1] ?? 0)) };
  }

  /** All entries in order of position. */
  async *entries(): AsyncGenerator<SampleEntry> {
    for (const [number, { name: shard }] of this.info.shards.entries()) {
      const index = await this.#index(number);
      for (let i = 0; i < index.length; i++) yield { shard, ...index.at(i) };
    }
  }

  /** All keys in order of position. */
  async *keys(): AsyncGenerator<string> {
    for await (const { key } of this.entries()) yield key;
  }

  /**
   * Position of a key. The first call reads all indexes and keeps 8 bytes per sample.
   *
   * @throws {TubeletError} TUBE_SAMPLE_NOT_FOUND, TUBE_DATASET_DAMAGED, TUBE_VERSION_UNSUPPORTED
   */
  async find(key: string): Promise<number> {
    this.#keys ??= buildKeyIndex(this.keys(), this.numSamples).catch((error: unknown) => {
      this.#keys = undefined;
      throw error;
    });
    const keys = await this.#keys;
    for (const position of keys.candidates(key)) {
      if ((await this.entry(position)).key === key) return position;
    }
    throw new TubeletError('TUBE_SAMPLE_NOT_FOUND', { key });
  }

  /**
   * Reads the sample at a position. It has memory of its own; `data` is a view of it.
   *
   * @throws {TubeletError} TUBE_SAMPLE_DAMAGED, TUBE_SHARD_NOT_FOUND, TUBE_SHARD_DAMAGED, TUBE_DATASET_DAMAGED,
   *   TUBE_VERSION_UNSUPPORTED
   */
  async read(position: number): Promise<Sample> {
    return this.#unpack(await this.#load(position));
  }

  /**
   * Reads what a sample says of itself, without its pixels: mostly no more than the first 64 KiB, which no checksum covers.
   * Errors as {@link Dataset.read}.
   */
  async readHead(position: number): Promise<SampleMeta> {
    const entry = await this.entry(position);
    const { shard, key } = entry;
    for (let bytes = HEAD_BYTES; bytes < entry.bytes; bytes *= 4) {
      const start = await this.#readStart(position, entry, bytes);
      const head = decodeHead(start, { shard, key });
      if (head !== null) return checkKey(head, entry);
    }
    const { data: _pixels, ...head } = await this.read(position);
    return head;
  }

  /**
   * Reads a sample of codec `raw` with its pixels straight from the file into `pixels`, which may be shared memory. After an error
   * their content is undefined.
   *
   * @throws {TubeletError} TUBE_SAMPLE_SHAPE if the sample does not have just so many pixels; else as {@link Dataset.read}
   */
  async readPixels(position: number, pixels: Uint8Array): Promise<SampleMeta> {
    const entry = await this.entry(position);
    const { shard, key } = entry;
    const headBytes = entry.bytes - pixels.length;
    if (headBytes > 0 && headBytes <= HEAD_BYTES) {
      const head = Buffer.allocUnsafe(headBytes);
      await this.#readInto(position, entry, [head, pixels]);
      this.#checkSum(position, entry, [head, pixels]);
      const meta = decodeRawHead(head, pixels.length, { shard, key });
      if (meta !== null) return checkKey(meta, entry);
    }
    const { data, ...meta } = await this.read(position);
    if (!(data instanceof Uint8Array) || data.length !== pixels.length) {
      const details = { shard, key, codec: meta.codec, shape: meta.shape.join(' × ') };
      throw new TubeletError('TUBE_SAMPLE_SHAPE', { ...details, wantedBytes: pixels.length });
    }
    pixels.set(data);
    return meta;
  }

  /** Reads the sample with a key; errors as {@link Dataset.read} and {@link Dataset.find}. */
  async readByKey(key: string): Promise<Sample> {
    return this.read(await this.find(key));
  }

  /** Reads the packed sample at a position, checked against its CRC-32; errors as {@link Dataset.read}. */
  async readBytes(position: number): Promise<Uint8Array> {
    return this.#check(await this.#load(position));
  }

  /**
   * Reads samples one after the other, in order; while one is checked and used, the next two are on their way from the disk.
   * Ends with the first error; errors as {@link Dataset.read}.
   */
  async *samples({ positions, signal }: SamplesOptions = {}): AsyncGenerator<Sample> {
    const queue: Promise<Loaded>[] = [];
    try {
      for (const position of positions ?? countTo(this.numSamples)) {
        signal?.throwIfAborted();
        const loading = this.#load(position);
        loading.catch(() => {}); // Reported when its turn comes.
        queue.push(loading);
        if (queue.length > READ_AHEAD) yield this.#unpack(await (queue.shift() ?? loading));
      }
      for (const loading of queue) {
        signal?.throwIfAborted();
        yield this.#unpack(await loading);
      }
    } finally {
      await Promise.allSettled(queue);
    }
  }

  /** Closes all files, after the reads that are under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]();
  }

  async #load(position: number): Promise<Loaded> {
    const entry = await this.entry(position);
    return { position, entry, payload: await this.#readStart(position, entry, entry.bytes) };
  }

  #unpack(loaded: Loaded): Sample {
    const { shard, key } = loaded.entry;
    return checkKey(decodeSample(this.#check(loaded), { shard, key }), loaded.entry);
  }

  #check({ position, entry, payload }: Loaded): Uint8Array {
    this.#checkSum(position, entry, [payload]);
    return payload;
  }

  #checkSum(position: number, entry: SampleEntry, parts: readonly Uint8Array[]): void {
    const [place, bit] = [position >> 3, 1 << (position & 7)];
    if (this.#checked !== null && (Atomics.load(this.#checked, place) & bit) !== 0) return;
    const { shard, key } = entry;
    if (parts.reduce((sum, part) => crc32(part, sum), 0) !== entry.crc32)
      throw new TubeletError('TUBE_SAMPLE_DAMAGED', {
        shard,
        key,
        message: 'the checksum differs',
      });
    if (this.#checked !== null) Atomics.or(this.#checked, place, bit);
  }

  /** The first bytes of a payload. */
  async #readStart(position: number, entry: SampleEntry, bytes: number): Promise<Uint8Array> {
    const start = Buffer.allocUnsafeSlow(bytes);
    await this.#readInto(position, entry, [start]);
    return start;
  }

  /** Fills parts, one after the other, from the start of a payload. */
  async #readInto(
    position: number,
    { shard, key, offset }: SampleEntry,
    parts: readonly Uint8Array[],
  ): Promise<void> {
    const fileBytes = this.info.shards[lowerBound(this.#ends, position + 1)]?.bytes;
    const options = fileBytes === undefined ? {} : { fileBytes };
    try {
      await this.#store.read(`${shard}.tar`, offset, parts, options);
    } catch (error) {
      if (!(error instanceof TubeletError) || error.code !== 'TUBE_SAMPLE_DAMAGED') throw error;
      throw new TubeletError(
        error.code,
        { shard, key, message: 'the shard is too short' },
        { cause: error },
      );
    }
  }

  #index(number: number): Promise<ShardIndex> {
    const index = this.#indexes.get(number) ?? this.#readIndex(number);
    this.#indexes.delete(number);
    this.#indexes.set(number, index);
    let held = 0;
    for (const other of [...this.#indexes.keys()].reverse()) {
      held += this.info.shards[other]?.samples ?? 0;
      if (held > this.#maxIndexedSamples && other !== number) this.#indexes.delete(other);
    }
    return index;
  }

  async #readIndex(number: number): Promise<ShardIndex> {
    const summary = this.info.shards[number];
    if (summary === undefined) throw new TubeletError('TUBE_INTERNAL', { shard: number });
    try {
      const sidecar = await readSidecar(this.#store, summary.name);
      const { name: shard } = summary;
      const isSame =
        sidecar.bytes === summary.bytes &&
        sidecar.sha256 === summary.sha256 &&
        sidecar.samples.length === summary.samples;
      if (isSame) return packShardIndex(sidecar);
      const message = 'dataset.json and the sidecar disagree';
      throw new TubeletError('TUBE_DATASET_DAMAGED', { shard, message });
    } catch (error) {
      this.#indexes.delete(number);
      throw error;
    }
  }
}

interface Loaded {
  readonly position: number;
  readonly entry: SampleEntry;
  readonly payload: Uint8Array;
}

function checkKey<T extends SampleMeta>(sample: T, { shard, key }: SampleEntry): T {
  if (sample.key === key) return sample;
  throw new TubeletError('TUBE_SAMPLE_DAMAGED', {
    shard,
    key,
    message: `it says ${sample.key}`,
  });
}

function* countTo(end: number): Generator<number> {
  for (let i = 0; i < end; i++) yield i;
}
