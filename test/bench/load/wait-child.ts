/**
 * A trainer that takes as long for a step as the loader needs for a batch, and how long it waits for each batch.
 *
 * `busy` computes on the trainer's own thread, which takes one core from the loader; `sleep` blocks its thread and uses no core, as
 * with a GPU that computes. Usage: wait-child.js FOLDER RECIPE WARM_BATCHES BATCHES WORKERS busy|sleep SLACK
 *
 * First the loader's pace is measured with the same workers and, if the trainer is to be busy, a second thread that computes: that
 * is what a batch costs while the other core is taken. SLACK 1.1 makes steps a tenth longer than that.
 */

import { Worker } from 'node:worker_threads';
import { openLoader } from '../../../lib/load/index.ts';
import type { Loader } from '../../../lib/load/index.ts';
import { median, quantile, round } from '../bench.ts';
import { loaderOptions } from './child-options.ts';
import type { Recipe } from './child-options.ts';

const [folder = '', recipe = '', warm = '', count = '', workers = '', kind = '', slack = '1'] =
  process.argv.slice(2);
const numBatches = Number(count);
/** A thread that takes a core. */
const SPIN = 'for (;;);';

const batchMs = await measurePace();
const stepMs = batchMs * Number(slack);
await using loader = await openLoader(folder, loaderOptions(recipe as Recipe, Number(workers)));
await takeSteps(loader, Number(warm));
const waits = await takeSteps(loader, numBatches);
const sorted = [0.5, 0.9, 0.99, 1].map((share) => quantile(waits, share));
const [p50, p90, p99, max] = sorted.map((wait) => round(wait / stepMs, 4));
const total = waits.reduce((sum, wait) => sum + wait, 0);
console.log(
  JSON.stringify({
    clips: numBatches,
    seconds: 1,
    stepMs: round(stepMs),
    waitOfStep: { p50, p90, p99, max, mean: round(total / numBatches / stepMs, 4) },
  }),
);

/** Milliseconds per batch of a loader that is never waited on. */
async function measurePace(): Promise<number> {
  const rival = kind === 'busy' ? new Worker(SPIN, { eval: true }) : null;
  await using free = await openLoader(folder, loaderOptions(recipe as Recipe, Number(workers)));
  for (let i = 0; i < Number(warm); i++) await free.next();
  const times: number[] = [];
  const perStretch = Math.ceil(numBatches / 15);
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    for (let k = 0; k < perStretch; k++) await free.next();
    times.push((performance.now() - start) / perStretch);
  }
  await rival?.terminate();
  return median(times);
}

/** Waits in milliseconds, one a step. */
async function takeSteps(of: Loader, steps: number): Promise<number[]> {
  const taken: number[] = [];
  for (let i = 0; i < steps; i++) {
    const start = performance.now();
    await of.next();
    const end = performance.now();
    taken.push(end - start);
    if (kind === 'busy') while (performance.now() - end < stepMs);
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, stepMs);
  }
  return taken;
}
