/** Reads random spans of `a.tar` through a cache, as one of several processes; fails if a byte is wrong. */

import { createRng } from '../../../lib/core/index.ts';
import { openStore } from '../../../lib/shard/store/open-store.ts';
import { patternBytes } from './read-store.ts';

const [location = '', cacheFolder = '', cacheBytes, cacheBlockBytes] = process.argv.slice(2);
const block = Number(cacheBlockBytes);
const wanted = patternBytes(7 * block + 5);
const rng = createRng(process.pid, 'test-child');
const options = { cacheFolder, cacheBytes: Number(cacheBytes), cacheBlockBytes: block };
await using store = openStore(location, { ...options, maxRequests: 2 });
for (let i = 0; i < 200; i++) {
  const start = rng.integer(0, wanted.length - 1000);
  const bytes = Buffer.alloc(1000);
  await store.read('a.tar', start, [bytes]);
  if (!bytes.equals(wanted.subarray(start, start + 1000))) throw new Error('wrong bytes');
}
