/** The clips of an evaluation: views of each video, in the order of the dataset. */

import { describeSource, openLoader } from '../load/index.ts';
import type { Loader, LoaderOptions, LoaderSource } from '../load/index.ts';
import type { Recipe, TestSection } from '../recipes/index.ts';
import { checkShape, viewOptions, viewsOf } from './clip-options.ts';

/** Which clips, and how they are read. */
export interface OpenViewsOptions {
  readonly clip: Recipe['data'];
  /** Views where nobody asks for others. */
  readonly own: TestSection;
  /** Views that are asked for. */
  readonly asked?: TestSection | undefined;
  readonly batchSize: number;
  readonly workers?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Further options of the loader. */
  readonly load?: Partial<LoaderOptions>;
}

/** A loader of views, which belongs to the caller, and how many views of each video there are. */
export interface OpenViews {
  readonly loader: Loader;
  readonly views: TestSection;
}

/**
 * Opens the loader of an evaluation.
 *
 * @throws {TubeletError} TUBE_CLIPS_DIFFER; what loading throws
 */
export async function openViews(
  source: LoaderSource,
  { clip, own, asked, batchSize, workers, signal, load }: OpenViewsOptions,
): Promise<OpenViews> {
  const shards = await describeSource(source);
  checkShape(clip, shards);
  const views = viewsOf(shards, own, asked);
  const loader = await openLoader(source, {
    ...viewOptions(clip, views, shards),
    ...load,
    batchSize,
    ...(workers === undefined ? {} : { workers }),
    ...(signal === undefined ? {} : { signal }),
  });
  return { loader, views };
}
