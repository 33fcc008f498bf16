/** Writes one shard: the tar under a temporary name, flushed, renamed; then its sidecar index the same way. */

import { open, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import { pack } from 'tar-stream';
import type { Pack } from 'tar-stream';
import { checkInteger, temporaryPath, toWriteError } from '../core/index.ts';
import {
  FORMAT_VERSION,
  MAX_PAYLOAD_BYTES,
  TAR_BLOCK_BYTES,
  entryName,
  isSampleKey,
  isShardName,
} from './format.ts';
import { sidecarPath, summarizeShard, tarPath, writeSidecar } from './sidecar.ts';
import { storeChunks } from './sink.ts';
import type { Stored } from './sink.ts';
import type { ShardSummary, Sidecar, SidecarSample } from './sidecar.ts';

/** A sample on its way into a shard. */
export interface ShardEntry {
  readonly key: string;
  /** Size of the payload; must be known before, since it stands in the tar before the payload. */
  readonly bytes: number;
  /** The packed sample in parts. Belongs to the writer from now on and must not be changed. */
  readonly payload: AsyncIterable<Uint8Array> | readonly Uint8Array[];
  /** Class id. */
  readonly label: number | null;
  /** Number of stored frames. */
  readonly frames: number;
}

/** What is known of a shard when its last sample is written. */
export type ShardFacts = Pick<Sidecar, 'videos' | 'seconds' | 'failures' | 'warnings'>;

const EPOCH = new Date(0);

/**
 * Writes a shard that appears only when it is complete. The bytes depend on nothing but the samples and their order.
 * Holds about 4 MiB more than the sample that is being added.
 *
 * ```ts
 * await using writer = await ShardWriter.create('out', 'train-000000');
 * await writer.add({ key, bytes: countBytes(payload), payload, label, frames });
 * const summary = await writer.finish({ videos: 1, seconds: 10, failures: [], warnings: [] });
 * ```
 */
export class ShardWriter {
  readonly #folder: string;
  readonly #name: string;
  readonly #file: FileHandle;
  readonly #pack: Pack = pack();
  readonly #samples: SidecarSample[] = [];
  readonly #keys = new Set<string>();
  /** Settles when the last byte is written or writing has failed; never rejects. */
  readonly #written: Promise<void>;
  #stored: Stored | undefined;
  #failure: unknown;
  #position = 0;
  #state: 'open' | 'busy' | 'broken' | 'closed' = 'open';

  private constructor(folder: string, name: string, file: FileHandle) {
    this.#folder = folder;
    this.#name = name;
    this.#file = file;
    const store = async (chunks: AsyncIterable<Uint8Array>): Promise<void> => {
      this.#stored = await storeChunks(chunks, file);
    };
    // The types of tar-stream leave out that its streams can be iterated.
    const chunks = this.#pack as unknown as AsyncIterable<Uint8Array>;
    this.#written = pipeline(chunks, store).catch((error: unknown) => {
      this.#failure = error;
    });
  }

  /**
   * Starts a shard named like `train-000003` in an existing folder.
   *
   * @throws {TubeletError} TUBE_OUT_NOT_WRITABLE, TUBE_DISK_FULL
   * @throws {RangeError} if the name has characters other than letters, digits, `_` and `-`
   */
  static async create(folder: string, name: string): Promise<ShardWriter> {
    if (!isShardName(name)) throw new RangeError(`"${name}" cannot be the name of a shard.`);
    const path = temporaryPath(tarPath(folder, name));
    try {
      return new ShardWriter(folder, name, await open(path, 'w'));
    } catch (error) {
      throw toWriteError(error, path);
    }
  }

  /**
   * Adds a sample; wait for it before adding the next. After an error only closing is possible.
   *
   * @throws {TubeletError} TUBE_DISK_FULL, TUBE_OUT_NOT_WRITABLE
   * @throws {RangeError} if the key is illegal or taken, or the payload has another size than stated
   * @throws whatever an iterable payload throws
   */
  async add({ key, bytes, payload, label, frames }: ShardEntry): Promise<void> {
    if (!isSampleKey(key)) throw new RangeError(`"${key}" cannot be the key of a sample.`);
    if (this.#keys.has(key)) throw new RangeError(`"${key}" is already in the shard.`);
    checkInteger('bytes', bytes, { min: 1, max: MAX_PAYLOAD_BYTES });
    checkInteger('frames', frames, { min: 1, max: 2 ** 32 - 1 });
    if (label !== null) checkInteger('label', label, { min: -(2 ** 31), max: 2 ** 32 - 1 });
    this.#claim();
    const counted: Counted = { bytes: 0, crc32: 0, failure: undefined };
    const header = { name: entryName(key), size: bytes, mode: 0o644, mtime: EPOCH };
    try {
      await pipeline(countedParts(payload, bytes, counted), this.#pack.entry(header));
    } catch (error) {
      const writeError = await this.#break(error);
      throw counted.failure ?? writeError;
    }
    const offset = this.#position + TAR_BLOCK_BYTES;
    this.#position = offset + Math.ceil(bytes / TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES;
    this.#keys.add(key);
    this.#samples.push({ key, offset, bytes, crc32: counted.crc32, label, frames });
    this.#state = 'open';
  }

  /**
   * Completes the shard: both files are on the disk when the promise resolves.
   *
   * @throws {TubeletError} TUBE_DISK_FULL, TUBE_OUT_NOT_WRITABLE
   */
  async finish({ videos, seconds, failures, warnings }: ShardFacts): Promise<ShardSummary> {
    this.#claim();
    const path = tarPath(this.#folder, this.#name);
    try {
      this.#pack.finalize();
      await this.#written;
      if (this.#stored === undefined) throw this.#failure;
      await this.#file.close();
      await rm(sidecarPath(this.#folder, this.#name), { force: true }); // It would speak of an older tar.
      await rename(temporaryPath(path), path);
      const sidecar: Sidecar = {
        v: FORMAT_VERSION,
        shard: this.#name,
        ...this.#stored,
        videos,
        seconds,
        samples: this.#samples,
        failures,
        warnings,
      };
      await writeSidecar(this.#folder, sidecar);
      this.#state = 'closed';
      return summarizeShard(sidecar);
    } catch (error) {
      throw await this.#break(error);
    }
  }

  /** Closes the shard and removes what is unfinished. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#pack.destroy();
    await this.#written;
    await this.#file.close();
    await rm(temporaryPath(tarPath(this.#folder, this.#name)), { force: true }).catch(() => {});
  }

  #claim(): void {
    if (this.#state !== 'open') throw new TypeError(`The shard writer is ${this.#state}.`);
    this.#state = 'busy';
  }

  /** Ends writing after an error; gives the error of the file behind it. */
  async #break(error: unknown): Promise<unknown> {
    this.#state = 'broken';
    this.#pack.destroy();
    await this.#written;
    return toWriteError(this.#failure ?? error, tarPath(this.#folder, this.#name));
  }
}

interface Counted {
  bytes: number;
  crc32: number;
  /** Why the parts ended early. */
  failure: unknown;
}

/** Passes parts on while counting them; refuses more or fewer bytes than were announced. */
async function* countedParts(
  parts: ShardEntry['payload'],
  announced: number,
  counted: Counted,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const part of parts) {
      counted.bytes += part.length;
      if (counted.bytes > announced) break;
      counted.crc32 = crc32(part, counted.crc32);
      yield part;
    }
    if (counted.bytes !== announced) {
      throw new RangeError(`"bytes" is ${announced}, but the payload has another size.`);
    }
  } catch (error) {
    counted.failure = error;
    throw error;
  }
}
