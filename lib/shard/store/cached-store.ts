/** Puts a cache on the local disk before another store. */

import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { toWriteError } from '../../core/index.ts';
import { BlockFolder } from './block-folder.ts';
import { copyInto, countParts, sliceParts } from './parts.ts';
import { MAX_FILE_BYTES, badFile, checkSize, shortFile } from './store.ts';
import type { FileState, ReadOptions, ShardStore } from './store.ts';

/** Where blocks are kept, and how many. */
export interface CacheOptions {
  readonly folder: string;
  /** Budget for all files in the folder. */
  readonly maxBytes: number;
  /** Files are fetched and kept in aligned blocks of this size. */
  readonly blockBytes: number;
}

/** Blocks of one read that are fetched at the same time; bounds the memory of a large read. */
const BLOCKS_AT_ONCE = 4;

/** The part of a block that a read wants. */
interface Span {
  readonly block: number;
  readonly start: number;
  readonly into: readonly Uint8Array[];
}

/**
 * A store whose blocks are kept in a folder. Blocks are named by file, version and place, so a file that changed is another one;
 * files without a version are not kept. Closing it closes the store behind it.
 */
export class CachedStore implements ShardStore {
  readonly location: string;
  readonly #behind: ShardStore;
  readonly #options: CacheOptions;
  readonly #blocks: BlockFolder;
  readonly #states = new Map<string, Promise<FileState>>();
  /** Blocks on their way, by hash; all who want one share it. */
  readonly #fetches = new Map<string, Promise<Uint8Array>>();
  #isReady: Promise<unknown> | undefined;

  constructor(behind: ShardStore, options: CacheOptions) {
    this.location = behind.location;
    this.#behind = behind;
    this.#options = options;
    this.#blocks = new BlockFolder(options.folder, options);
  }

  async describe(name: string, { fileBytes }: ReadOptions = {}): Promise<FileState> {
    const describing = this.#states.get(name) ?? this.#behind.describe(name);
    this.#states.set(name, describing);
    try {
      const state = await describing;
      checkSize(this.#path(name), name, { bytes: state.bytes, fileBytes });
      return state;
    } catch (error) {
      this.#states.delete(name);
      throw error;
    }
  }

  async readFile(name: string): Promise<Uint8Array> {
    const { bytes, version } = await this.describe(name);
    if (version === null) return this.#behind.readFile(name);
    if (bytes > MAX_FILE_BYTES) throw badFile(this.#path(name), name, 'it is too large');
    const content = Buffer.allocUnsafeSlow(bytes);
    await this.read(name, 0, [content]);
    return content;
  }

  /** @throws {TubeletError} also TUBE_OUT_NOT_WRITABLE if the folder of the cache cannot be made */
  async read(
    name: string,
    offset: number,
    into: readonly Uint8Array[],
    options?: ReadOptions,
  ): Promise<void> {
    const state = await this.describe(name, options);
    if (state.version === null) return this.#behind.read(name, offset, into, options);
    if (offset + countParts(into) > state.bytes) throw shortFile(this.#path(name));
    await this.#makeFolder();
    const spans = cutSpans(offset, into, this.#options.blockBytes);
    const readSpans = async (): Promise<void> => {
      for (let span = spans.shift(); span !== undefined; span = spans.shift()) {
        try {
          await this.#readSpan(name, state, span);
        } catch (error) {
          spans.length = 0;
          throw error;
        }
      }
    };
    const runs = await Promise.allSettled(Array.from({ length: BLOCKS_AT_ONCE }, readSpans));
    for (const run of runs) if (run.status === 'rejected') throw run.reason;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#behind[Symbol.asyncDispose]();
    await Promise.allSettled(this.#fetches.values());
    await this.#blocks[Symbol.asyncDispose]();
  }

  async #readSpan(name: string, state: FileState, { block, start, into }: Span): Promise<void> {
    const { blockBytes } = this.#options;
    const key = [1, this.location, name, state.version, state.bytes, blockBytes, block];
    const hash = createHash('sha256').update(JSON.stringify(key)).digest('hex');
    const bytes = Math.min(blockBytes, state.bytes - block * blockBytes);
    const isFound =
      !this.#fetches.has(hash) && (await this.#blocks.read({ hash, bytes }, start, into));
    if (isFound) return;
    const fetching = this.#fetches.get(hash) ?? this.#fetch(name, block, { hash, bytes });
    const content = await fetching;
    copyInto(into, content.subarray(start, start + countParts(into)));
  }

  /** Fetches a block and keeps it. It stays in `#fetches` until it is on the disk, so that no reader falls in between. */
  #fetch(name: string, block: number, ref: { hash: string; bytes: number }): Promise<Uint8Array> {
    const fetching = (async () => {
      const content = Buffer.allocUnsafeSlow(ref.bytes);
      try {
        await this.#behind.read(name, block * this.#options.blockBytes, [content]);
        await this.#blocks.add(ref, content);
        return content;
      } finally {
        this.#fetches.delete(ref.hash);
      }
    })();
    this.#fetches.set(ref.hash, fetching);
    return fetching;
  }

  async #makeFolder(): Promise<void> {
    const { folder } = this.#options;
    this.#isReady ??= mkdir(folder, { recursive: true });
    await this.#isReady.catch((error: unknown) => {
      this.#isReady = undefined;
      throw toWriteError(error, folder);
    });
  }

  #path(name: string): string {
    return `${this.location}/${name}`;
  }
}

/** Cuts what a read wants at the borders of blocks. */
function cutSpans(offset: number, into: readonly Uint8Array[], blockBytes: number): Span[] {
  const end = offset + countParts(into);
  const spans: Span[] = [];
  for (let at = offset; at < end;) {
    const block = Math.floor(at / blockBytes);
    const next = Math.min((block + 1) * blockBytes, end);
    const parts = sliceParts(into, at - offset, next - offset);
    spans.push({ block, start: at - block * blockBytes, into: parts });
    at = next;
  }
  return spans;
}
