/** Runs an ablation: every run in a folder of its own, what is done is kept, and tables and charts grow as runs end. */

import { mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import {
  TubeletError,
  messageText,
  systemCode,
  toWriteError,
  writeFileAtomic,
} from '../../core/index.ts';
import { fingerprintDatasets } from '../../load/index.ts';
import type { Readout } from '../../recipes/index.ts';
import { readDatasetInfo } from '../../shard/index.ts';
import type { DatasetInfo } from '../../shard/index.ts';
import { evaluate, findWeights, finetune, pretrain, probe } from '../../train/index.ts';
import type { OpenRunOptions, TrainingHooks } from '../../train/index.ts';
import { drawSamples } from './draw-samples.ts';
import { planAblation } from './plan.ts';
import type { AblationChoice, AblationPlan, AblationRun } from './plan.ts';
import { ablationHtml, ablationMarkdown, reportAblation } from './report.ts';
import type { AblationReport, RunResult } from './report.ts';
import { timeRun } from './time-run.ts';
import type { DataSizes } from './work.ts';

/** Where an ablation takes its videos from. */
export interface AblationData {
  /** Shards of pre-training. */
  readonly source: string;
  /** Shards whose labels the heads learn from. Default: `source`. */
  readonly labelled?: string;
  /** Shards to evaluate on. */
  readonly val: string;
}

/** Options of {@link ablate}. */
export interface AblateOptions
  extends
    AblationChoice,
    AblationData,
    OpenRunOptions,
    Pick<TrainingHooks, 'engine' | 'workers' | 'signal'> {
  /** Folder of the ablation. */
  readonly out: string;
  /** Called before the first run; for it some steps are measured. */
  readonly onEstimate?: (estimate: AblationEstimate) => void;
  readonly onProgress?: (progress: AblationProgress) => void;
}

/** What is still to be done. */
export interface AblationEstimate {
  readonly numRuns: number;
  /** More or less. */
  readonly seconds: number;
}

/** How far an ablation is. */
export interface AblationProgress {
  readonly run: string;
  /** Place of the run among all, from 1. */
  readonly number: number;
  readonly numRuns: number;
  readonly stage: 'pretrain' | Readout;
  /** Loss of pre-training, or null. */
  readonly loss: number | null;
  /** Billions of floating point operations: of all runs, of what is done, and of what was done before this call. */
  readonly gflopsTotal: number;
  readonly gflopsDone: number;
  readonly gflopsBefore: number;
}

const STUDY_FILE = 'study.json';
const RESULT_FILE = 'result.json';
const TABLE_FILE = 'ablation.json';
const MARKDOWN_FILE = 'ablation.md';
const PAGE_FILE = 'ablation.html';
const VERSION = 1;

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
  await openStudy(options, plan, data.fingerprint);
  const results = new Map<string, RunResult>();
  for (const run of plan.runs) {
    const result = await readResult(join(out, 'runs', run.name));
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

/** How the runs are carried out on this machine. */
function machineOf({
  engine,
  workers,
  signal,
}: AblateOptions): Pick<TrainingHooks, 'engine' | 'workers' | 'signal'> {
  return {
    ...(engine === undefined ? {} : { engine }),
    ...(workers === undefined ? {} : { workers }),
    ...(signal === undefined ? {} : { signal }),
  };
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

/** Makes the folder, or finds what is to be gone on with. */
async function openStudy(
  { out, recipe, resume, overwrite }: AblateOptions,
  { standard, readouts }: AblationPlan,
  data: string,
): Promise<void> {
  const path = join(out, STUDY_FILE);
  const study: unknown = JSON.parse(
    JSON.stringify({ v: VERSION, name: recipe.name, readouts, data, ...standard }),
  );
  const found = await readJson(path);
  if (found !== null && resume) {
    if (isDeepStrictEqual(found, study)) return;
    throw new TubeletError('TUBE_OPTIONS_DIFFER', { path: out, message: differing(found, study) });
  }
  if (found !== null && !overwrite) throw new TubeletError('TUBE_RUN_EXISTS', { path: out });
  const others = await listNames(out);
  if (found === null && others.length > 0) {
    throw new TubeletError('TUBE_OUT_NOT_EMPTY', { path: out, found: others[0] ?? '' });
  }
  try {
    await rm(out, { recursive: true, force: true });
    await mkdir(out, { recursive: true });
  } catch (error) {
    throw toWriteError(error, out);
  }
  await writeFileAtomic(path, `${JSON.stringify(study, null, 2)}\n`);
}

/** Names of the top values that differ. */
function differing(was: unknown, now: unknown): string {
  const [before, after] = [was, now] as [Record<string, unknown>, Record<string, unknown>];
  const names = Object.keys(after).filter((name) => !isDeepStrictEqual(before[name], after[name]));
  return `${names.join(', ')} of ${STUDY_FILE}`;
}

type Report = (stage: AblationProgress['stage'], part: number, loss: number | null) => void;

/** Pre-trains and judges one run, from wherever it stands. */
async function carryOut(
  run: AblationRun,
  options: AblateOptions,
  report: Report,
): Promise<RunResult> {
  const { out, source, labelled = source, val, readouts = options.recipe.readouts } = options;
  const folder = join(out, 'runs', run.name);
  const machine = machineOf(options);
  const resumed = { ...machine, resume: true, overwrite: false } as const;
  const pretraining = join(folder, 'pretrain');
  await clearTorn(pretraining);
  const { loss } = await pretrain(await sourceOf(run, options), {
    ...resumed,
    out: pretraining,
    recipe: run.pretrain,
    onProgress: (step) => report('pretrain', (0.9 * step.step) / step.numSteps, step.loss),
  });
  const judge = async (readout: Readout, from: string): Promise<number> => {
    report(readout, 0.9, null);
    const own = { out: join(folder, readout), from };
    await clearTorn(own.out);
    if (readout === 'probe') await probe(labelled, { ...resumed, ...own, recipe: run.probe });
    else await finetune(labelled, { ...resumed, ...own, recipe: run.finetune });
    return (await evaluate(own.out, val, { ...machine, which: 'last' })).top1;
  };
  const encoder = await findWeights(pretraining, 'last');
  const found: Partial<Record<Readout, number>> = {};
  if (readouts.includes('probe')) found.probe = await judge('probe', encoder);
  if (readouts.includes('finetune')) {
    const hasHead = readouts.includes('probe') && run.probe.model.features === 'classifier';
    const start = hasHead ? await findWeights(join(folder, 'probe'), 'last') : encoder;
    found.finetune = await judge('finetune', start);
  }
  const top1 = Object.fromEntries(readouts.map((readout) => [readout, found[readout]]));
  const result: RunResult = { loss: loss ?? Number.NaN, top1 };
  await writeFileAtomic(
    join(folder, RESULT_FILE),
    `${JSON.stringify({ v: VERSION, ...result })}\n`,
  );
  await dropOptimizers(folder);
  return result;
}

/** A run that was killed before it had said what it is has nothing to be gone on with. */
async function clearTorn(folder: string): Promise<void> {
  const names = await listNames(folder);
  if (!names.includes('config.json')) await rm(folder, { recursive: true, force: true });
}

/** Names in a folder; none if it does not exist. */
async function listNames(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

/** Shards that the run is pre-trained on. */
async function sourceOf(
  { numSamples }: AblationRun,
  { out, source, signal }: AblateOptions,
): Promise<string> {
  if (numSamples === null) return source;
  const folder = join(out, 'data', `${numSamples}-samples`);
  await drawSamples(source, { folder, count: numSamples, signal });
  return folder;
}

/** Two thirds of what a run leaves is of no use to a run that is done. */
async function dropOptimizers(folder: string): Promise<void> {
  for (const stage of await readdir(folder)) {
    const checkpoints = join(folder, stage, 'checkpoints');
    for (const name of await listNames(checkpoints)) {
      await rm(join(checkpoints, name, 'optimizer.safetensors'), { force: true });
    }
  }
}

async function readResult(folder: string): Promise<RunResult | null> {
  const path = join(folder, RESULT_FILE);
  const found = (await readJson(path)) as (Partial<RunResult> & { readonly v?: number }) | null;
  if (found === null) return null;
  const { v, loss, top1 } = found;
  if (v !== VERSION || typeof loss !== 'number' || typeof top1 !== 'object') {
    throw new TubeletError('TUBE_RUN_DAMAGED', { path });
  }
  return { loss, top1 };
}

/** Null if there is no such file. */
async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return null;
    const details = { path, message: messageText(error) };
    throw new TubeletError('TUBE_RUN_DAMAGED', details, { cause: error });
  }
}

async function writeTables(out: string, report: AblationReport, plan: AblationPlan): Promise<void> {
  await writeFileAtomic(join(out, TABLE_FILE), `${JSON.stringify(report, null, 2)}\n`);
  await writeFileAtomic(join(out, MARKDOWN_FILE), ablationMarkdown(report));
  await writeFileAtomic(join(out, PAGE_FILE), ablationHtml(report, { ...plan.standard }));
}
