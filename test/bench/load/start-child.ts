/**
 * Opens a loader and takes its first batch, in a fresh process. Usage: start-child.js FOLDER RECIPE [POSITION SHUFFLE]
 *
 * With a position it goes on from a cursor there. `planMs` is the time until all is known and the workers start, `firstMs` that until the
 * first batch is there.
 */

import { openLoader } from '../../../lib/load/index.ts';
import type { LoaderOptions, Shuffle } from '../../../lib/load/index.ts';
import { round } from '../bench.ts';
import { loaderOptions } from './child-options.ts';
import type { Recipe } from './child-options.ts';

const [folder = '', recipe = '', position, shuffle = 'global'] = process.argv.slice(2);
const options = { ...loaderOptions(recipe as Recipe, 2), shuffle: shuffle as Shuffle };
const cursor = position === undefined ? undefined : await cursorAt(Number(position));
const start = performance.now();
const resumed: LoaderOptions = cursor === undefined ? options : { ...options, cursor };
await using loader = await openLoader(folder, resumed);
const planMs = performance.now() - start;
const batch = await loader.next();
const firstMs = performance.now() - start;
if (batch === null) throw new Error('bench: no batch');
if (position !== undefined && batch.batchIndex * batch.keys.length !== Number(position)) {
  throw new Error(`bench: batch ${batch.batchIndex} is not at ${position}`);
}
console.log(JSON.stringify({ planMs: round(planMs), firstMs: round(firstMs) }));

/** A cursor as a run would have left it; only the place in it is made up. */
async function cursorAt(at: number): Promise<unknown> {
  await using other = await openLoader(folder, options);
  return { ...other.cursor(), position: at };
}
