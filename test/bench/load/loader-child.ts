/** Hands out batches with tubelet as fast as they come. Usage: loader-child.js FOLDER RECIPE WARM_BATCHES BATCHES [WORKERS] */

import { openLoader } from '../../../lib/load/index.ts';
import { BATCH_SIZE, loaderOptions } from './child-options.ts';
import type { Recipe } from './child-options.ts';
import { cpuSecondsBetween } from './threads.ts';

const [folder = '', recipe = '', warm = '', batches = '', workers = '2'] = process.argv.slice(2);
await using loader = await openLoader(folder, loaderOptions(recipe as Recipe, Number(workers)));
for (let i = 0; i < Number(warm); i++) await loader.next();
const cpu = process.cpuUsage();
const start = performance.now();
for (let i = 0; i < Number(batches); i++) await loader.next();
const seconds = (performance.now() - start) / 1000;
const cpuSeconds = cpuSecondsBetween(cpu, process.cpuUsage());
console.log(JSON.stringify({ clips: Number(batches) * BATCH_SIZE, seconds, cpuSeconds }));
