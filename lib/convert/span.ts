/** The wanted span of a video, start inclusive, end exclusive. */

import type { VideoRef } from '../source/index.ts';

/** Times come from ticks and bounds from decimal text, so equal ones may differ by a hair. Far below the time between two frames. */
export const HAIR_SECONDS: number = 1e-6;

/** Where a time lies, in seconds from the first frame. */
export function placeInSpan(
  seconds: number,
  { startSeconds, endSeconds }: Pick<VideoRef, 'startSeconds' | 'endSeconds'>,
): 'before' | 'inside' | 'behind' {
  if (startSeconds !== null && seconds < startSeconds - HAIR_SECONDS) return 'before';
  return endSeconds !== null && seconds >= endSeconds - HAIR_SECONDS ? 'behind' : 'inside';
}
