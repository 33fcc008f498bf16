/** Bounded parallel work over an async sequence, results in the order of the input. */

import pLimit from 'p-limit';
import { checkInteger } from './check.ts';

/** How far work may run ahead. */
export interface MapOrderedOptions {
  /** Calls under way at once. */
  readonly concurrency: number;
  /** Inputs taken whose results the consumer has not asked for yet; the bound on memory. At least `concurrency`. */
  readonly window: number;
}

/**
 * Calls `map` on every item, several at a time, and yields the results in the order of the items.
 *
 * A rejected call rejects the loop at that place. When the loop is left early, no further calls are started; those under way are
 * the caller's to stop, and their results and errors are dropped.
 *
 * @throws {RangeError} if the options are not integers ≥ 1
 */
export async function* mapOrdered<In, Out>(
  items: AsyncIterable<In>,
  map: (item: In) => Promise<Out>,
  { concurrency, window }: MapOrderedOptions,
): AsyncGenerator<Out, void, undefined> {
  checkInteger('concurrency', concurrency, { min: 1 });
  checkInteger('window', window, { min: concurrency });
  const limit = pLimit(concurrency);
  const pending: Promise<Out>[] = [];
  const source = items[Symbol.asyncIterator]();
  let isExhausted = false;
  try {
    for (;;) {
      while (!isExhausted && pending.length < window) {
        const next = await source.next();
        if (next.done === true) {
          isExhausted = true;
        } else {
          const result = limit(map, next.value);
          result.catch(() => undefined); // seen when its turn comes, or not at all if the loop ends before
          pending.push(result);
        }
      }
      const head = pending.shift();
      if (head === undefined) return;
      yield await head;
    }
  } finally {
    limit.clearQueue();
    await source.return?.();
  }
}
