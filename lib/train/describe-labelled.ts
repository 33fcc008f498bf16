/** What shards hold that are to be learned with their labels. */

import { TubeletError } from '../core/index.ts';
import { describeSource } from '../load/index.ts';
import type { LoaderSource, SourceDescription } from '../load/index.ts';
import type { Recipe } from '../recipes/index.ts';
import { checkClips } from './clip-options.ts';

/**
 * Looks at the datasets of a source.
 *
 * @throws {TubeletError} TUBE_LABELS_MISSING if they have no classes, TUBE_CLIPS_DIFFER, what opening throws
 */
export async function describeLabelled(
  source: LoaderSource,
  data: Recipe['data'],
): Promise<SourceDescription> {
  const found = await describeSource(source);
  if (found.classes.length === 0) {
    const path = typeof source === 'string' ? source : (Object.keys(source)[0] ?? '');
    throw new TubeletError('TUBE_LABELS_MISSING', { path });
  }
  checkClips(data, found);
  return found;
}
