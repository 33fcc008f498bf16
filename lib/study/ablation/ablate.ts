/** Runs an ablation: every run in a folder of its own, what is done is kept, and tables and charts grow as runs end. */

import { join } from 'node:path';
import { fingerprintDatasets } from '../../load/index.ts';
import { readDatasetInfo } from '../../shard/index.ts';
import type { DatasetInfo } from '../../shard/index.ts';
import { carryOut } from './carry-out.ts';
import { machineOf } from './options.ts';
import type { AblateOptions, AblationData } from './options.ts';
import { planAblation } from './plan.ts';
import type { AblationRun } from './plan.ts';
import { reportAblation } from './report.ts';
import type { AblationReport, RunResult } from './report.ts';
import { folderOf, openStudy, readResult, writeTables } from './study-folder.ts';
import { timeRun } from './time-run.ts';
import type { DataSizes } from './work.ts';

/**
 * Carries out an ablation and leaves `ablation.json`, `ablation.md` and `ablation.html` in its folder, renewed after every run. With
 * `resume`, runs that are done are kept and the one that was under way goes on; parts and seeds may be others than before. The weights
 * of each run stay, the optimizer's state goes when it is done.
 *
 * @throws {TubeletError} TUBE_RUN_EXISTS, TUBE_OPTIONS_DIFFER, TUBE_OUT_NOT_EMPTY, TUBE_RUN_DAMAGED, what the runs throw
 * @throws {RangeError} naming what is unknown or wrong
 * @throws the reason of `signal`, after a checkpoint
 */
export async function ablate(options: AblateOptions): Promise<AblationReport> {
  const { out, recipe, signal, onProgress } = options;
  const data = await readData(options);
  const plan = planAblation(options, data.sizes);
  await openStudy(options, { recipeName: recipe.name, plan, data: data.fingerprint });
  const results = new Map<string, RunResult>();
  for (const run of plan.runs) {
    const result = await readResult(folderOf(out, run.name));
    if (result !== null) results.set(run.name, result);
  }
  const facts = { recipe: recipe.name, numClasses: data.numClasses, ...data.sizes };
  const sum = (isWanted: (run: AblationRun) => boolean): number =>
    plan.runs.filter(isWanted).reduce((total, { gflops }) => total + gflops, 0);
  const gflopsTotal = sum(() => true);
  const gflopsBefore = sum(({ name }) => results.has(name));
  const left = plan.runs.filter(({ name }) => !results.has(name));
  await estimate(left, options);
  let report = reportAblation(plan, results, facts);
  for (const [index, run] of plan.runs.entries()) {
    if (results.has(run.name)) continue;
    signal?.throwIfAborted();
    const before = sum(({ name }) => results.has(name));
    const result = await carryOut(run, options, (stage, part, loss) =>
      onProgress?.({
        run: run.name,
        number: index + 1,
        numRuns: plan.runs.length,
        stage,
        loss,
        gflopsTotal,
        gflopsDone: before + part * run.gflops,
        gflopsBefore,
      }),
    );
    results.set(run.name, result);
    report = reportAblation(plan, results, facts);
    await writeTables(out, report, plan);
  }
  await writeTables(out, report, plan);
  return report;
}

/** Each run compiles a step for every stage; judging takes about as long to compile as pre-training. */
async function estimate(left: readonly AblationRun[], options: AblateOptions): Promise<void> {
  const { out, source, onEstimate, readouts = options.recipe.readouts } = options;
  const [first] = left;
  if (onEstimate === undefined || first === undefined) return;
  const folder = join(out, 'timing');
  const { startSeconds, secondsPerGflop } = await timeRun(source, first, {
    folder,
    ...machineOf(options),
  });
  const gflops = left.reduce((total, run) => total + run.gflops, 0);
  const starts = left.length * (1 + readouts.length) * startSeconds;
  onEstimate({ numRuns: left.length, seconds: starts + gflops * secondsPerGflop });
}

interface Data {
  readonly sizes: DataSizes;
  readonly numClasses: number;
  readonly fingerprint: string;
}

async function readData({ source, labelled = source, val }: AblationData): Promise<Data> {
  const infos: DatasetInfo[] = [];
  for (const folder of [source, labelled, val]) infos.push(await readDatasetInfo(folder));
  const [numPretrain = 0, numLabelled = 0, numVal = 0] = infos.map(({ totals }) => totals.samples);
  const numClasses = infos[1]?.classes.length ?? 0;
  if (numClasses === 0) throw new RangeError(`"labelled" must have classes; ${labelled} has none.`);
  const named = infos.map(({ shards }, i) => ({ name: String(i), shards }));
  return {
    sizes: { numPretrain, numLabelled, numVal },
    numClasses,
    fingerprint: fingerprintDatasets(named),
  };
}
