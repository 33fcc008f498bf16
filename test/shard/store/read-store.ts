/** Short cuts for the tests of stores. */

import type { ExecutionContext } from 'ava';
import { TubeletError } from '../../../lib/core/index.ts';
import type { ErrorCode } from '../../../lib/core/index.ts';
import { openStore } from '../../../lib/shard/store/open-store.ts';
import type { StoreOptions } from '../../../lib/shard/store/open-store.ts';
import type { ReadOptions, ShardStore } from '../../../lib/shard/store/store.ts';

/** Opens a store that retries at once and is closed after the test. */
export function openQuick(
  t: ExecutionContext,
  location: string,
  options: StoreOptions = {},
): ShardStore {
  const store = openStore(location, { retryDelaySeconds: 0.001, stallSeconds: 20, ...options });
  t.teardown(() => store[Symbol.asyncDispose]());
  return store;
}

/** Reads a span into one array. */
export async function readSpan(
  store: ShardStore,
  name: string,
  [start, end]: readonly [number, number],
  options?: ReadOptions,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(end - start);
  await store.read(name, start, [bytes], options);
  return bytes;
}

/** Asserts that work fails with a code; gives the error. */
export async function failsWith(
  t: ExecutionContext,
  code: ErrorCode,
  work: () => Promise<unknown>,
): Promise<TubeletError> {
  const error = await t.throwsAsync(work, { instanceOf: TubeletError });
  t.is(error.code, code);
  return error;
}

/** Bytes that are quick to make and differ everywhere. */
export function patternBytes(length: number, seed = 1): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
}

/** Asserts that bytes are equal; `deepEqual` takes a second per megabyte. */
export function equalBytes(t: ExecutionContext, actual: Uint8Array, expected: Uint8Array): void {
  t.is(actual.length, expected.length);
  t.is(Buffer.compare(actual, expected), 0);
}
