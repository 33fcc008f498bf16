/** Opens the place where a dataset lies, whatever it is. */

import { fileURLToPath } from 'node:url';
import { checkInteger, checkNumber } from '../../core/index.ts';
import { CachedStore } from './cached-store.ts';
import { HttpStore } from './http-store.ts';
import { LocalStore } from './local-store.ts';
import type { ShardStore } from './store.ts';

/** How files are read. Those of a folder know only `maxOpenShards`. */
export interface StoreOptions {
  /** Shards that are open at the same time. Default 32. */
  readonly maxOpenShards?: number;
  /** Folder in which what comes from a server is kept; processes may share it. Default: nothing is kept. */
  readonly cacheFolder?: string;
  /** Budget for the files in `cacheFolder`, at least one block. Default 2^35, which is 32 GiB. */
  readonly cacheBytes?: number;
  /** Size of the aligned blocks that are fetched and kept; 64 KiB to 1 GiB. Default 2^22, which is 4 MiB. */
  readonly cacheBlockBytes?: number;
  /** Requests to the server at the same time. Default 16. */
  readonly maxRequests?: number;
  /** Headers of every request, such as `authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Longest silence of the server, in seconds, before a request is tried again. Default 30. */
  readonly stallSeconds?: number;
  /** How often a request is tried again after network errors and HTTP 408, 429 and 5xx. Default 5. */
  readonly maxRetries?: number;
  /** Pause before the first retry, in seconds; each further one is twice as long. Default 0.2. */
  readonly retryDelaySeconds?: number;
}

const DEFAULTS = Object.freeze({
  maxOpenShards: 32,
  cacheBytes: 2 ** 35,
  cacheBlockBytes: 2 ** 22,
  maxRequests: 16,
  headers: {},
  stallSeconds: 30,
  maxRetries: 5,
  retryDelaySeconds: 0.2,
});

/**
 * Opens the store for a folder, a `file:` URL or an `http(s):` URL. Nothing is read yet. User name and password in a URL are sent
 * as Basic authorization; its query goes with every request.
 *
 * @throws {TypeError} if the location is a URL of another kind
 * @throws {RangeError} if an option is out of its bounds
 */
export function openStore(location: string, options: StoreOptions = {}): ShardStore {
  const all = { ...DEFAULTS, ...options };
  checkOptions(all);
  const scheme = /^([a-z][a-z0-9+.-]+):(?=\/)/i.exec(location)?.[1]?.toLowerCase();
  if (scheme === undefined) return new LocalStore(location, all);
  if (scheme === 'file') {
    return new LocalStore(location, { ...all, folder: fileURLToPath(location) });
  }
  if (!['http', 'https'].includes(scheme) || !URL.canParse(location)) {
    throw new TypeError('"location" must be a folder, a file: URL or an http(s): URL.');
  }
  const remote = new HttpStore(new URL(location), all);
  const { cacheFolder: folder, cacheBytes: maxBytes, cacheBlockBytes: blockBytes } = all;
  return folder === undefined ? remote : new CachedStore(remote, { folder, maxBytes, blockBytes });
}

function checkOptions(options: Required<Omit<StoreOptions, 'cacheFolder'>>): void {
  checkInteger('maxOpenShards', options.maxOpenShards, { min: 1 });
  checkInteger('cacheBlockBytes', options.cacheBlockBytes, { min: 2 ** 16, max: 2 ** 30 });
  checkInteger('cacheBytes', options.cacheBytes, { min: options.cacheBlockBytes });
  checkInteger('maxRequests', options.maxRequests, { min: 1 });
  checkInteger('maxRetries', options.maxRetries, { min: 0 });
  checkNumber('stallSeconds', options.stallSeconds, { min: 0.001, max: 2 ** 20 });
  checkNumber('retryDelaySeconds', options.retryDelaySeconds, { min: 0, max: 2 ** 20 });
}
