/** The classes of what a loader is to read. */

import type { LoaderSource } from '../load/index.ts';
import { openDataset } from '../shard/index.ts';

/**
 * Names of the classes of a dataset; of the first one if there are several.
 *
 * @throws {TubeletError} as {@link openDataset}
 * @throws {RangeError} if it has none
 */
export async function readClasses(source: LoaderSource): Promise<readonly string[]> {
  const place = typeof source === 'string' ? source : (Object.keys(source)[0] ?? '');
  await using dataset = await openDataset(place);
  const { classes } = dataset.info;
  if (classes.length > 0) return classes;
  throw new RangeError(`"source" must have classes; ${place} has none.`);
}
