/** One run of an ablation: pre-trained and judged, from wherever it stands. */

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readout } from '../../recipes/index.ts';
import { evaluate, findWeights, finetune, pretrain, probe } from '../../train/index.ts';
import { drawSamples } from './draw-samples.ts';
import { machineOf } from './options.ts';
import type { AblateOptions, AblationProgress } from './options.ts';
import type { AblationRun } from './plan.ts';
import type { RunResult } from './report.ts';
import { folderOf, listNames, writeResult } from './study-folder.ts';

/** Told of the stage, the part of the run that is done, and the loss. */
type Report = (stage: AblationProgress['stage'], part: number, loss: number | null) => void;

/**
 * Pre-trains and judges a run, and drops what only going on would need.
 *
 * @throws what the runs throw
 */
export async function carryOut(
  run: AblationRun,
  options: AblateOptions,
  report: Report,
): Promise<RunResult> {
  const { out, source, labelled = source, val, readouts = options.recipe.readouts } = options;
  const folder = folderOf(out, run.name);
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
  await writeResult(folder, result);
  for (const stage of ['pretrain', ...readouts]) await dropOptimizer(join(folder, stage));
  return result;
}

/** A run that was killed before it had said what it is has nothing to be gone on with. */
async function clearTorn(folder: string): Promise<void> {
  const names = await listNames(folder);
  if (!names.includes('config.json')) await rm(folder, { recursive: true, force: true });
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
async function dropOptimizer(stage: string): Promise<void> {
  const checkpoints = join(stage, 'checkpoints');
  for (const name of await listNames(checkpoints)) {
    await rm(join(checkpoints, name, 'optimizer.safetensors'), { force: true });
  }
}
