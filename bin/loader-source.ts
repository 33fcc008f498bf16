/** Places of datasets on the command line, with their weights. */

import type { LoaderSource } from '../lib/index.ts';
import { UsageError } from './flags.ts';

/**
 * One dataset as it is, several with their weights.
 *
 * @throws {UsageError} if there is none, a weight is missing or a dataset stands there twice
 */
export function sourceFrom(places: readonly string[]): LoaderSource {
  const [first, ...others] = places;
  if (first === undefined) throw new UsageError('DIR is missing: a folder or URL with shards.');
  if (others.length === 0) return first;
  const weights = places.map((place) => {
    const one = weighted(place);
    if (one !== null) return one;
    throw new UsageError(
      `Several datasets need weights, as in shards/a=0.7 shards/b=0.3 (got "${place}").`,
    );
  });
  const twice = weights.find(([name], i) => weights.findIndex(([other]) => other === name) < i);
  if (twice !== undefined) throw new UsageError(`"${twice[0]}" stands there twice.`);
  return Object.fromEntries(weights);
}

/** Cuts a weight off; null if there is none. */
function weighted(place: string): [name: string, weight: number] | null {
  const [, name, weight] = /^(.+)=(\d+(?:\.\d+)?|\.\d+)$/.exec(place) ?? [];
  return name === undefined ? null : [name, Number(weight)];
}
