/** How a batch is mixed: drawn from its place, so that the trainer and the workers agree without talking. */

import { createRng } from '../core/index.ts';
import { drawMix } from '../sample/index.ts';
import type { Mix } from '../sample/index.ts';
import type { RunOptions } from './options.ts';
import type { ClipPlace } from './schedule.ts';

/** Draws the mix of a batch from the position of its first clip; undefined if it stays as it is. */
export function drawBatchMix(
  { seed, recipe: { mix, clipShape } }: RunOptions,
  clips: readonly ClipPlace[],
): Mix | undefined {
  const [first] = clips;
  if (mix === null || first === undefined) return undefined;
  const [, height, width] = clipShape;
  return drawMix({ width, height }, createRng(seed, 'batch-mix', first.epoch, first.position), mix);
}
