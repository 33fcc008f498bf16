/** How long the runs of an ablation will take, from a few steps of one. */

import { rm } from 'node:fs/promises';
import { pretrain } from '../../train/index.ts';
import type { TrainingHooks } from '../../train/index.ts';
import type { AblationRun } from './plan.ts';

/** What a run costs on this machine. */
export interface RunTimes {
  /** Before the first step. */
  readonly startSeconds: number;
  /** Per billion floating point operations. */
  readonly secondsPerGflop: number;
}

/** The first two are slower. */
const FIRST_STEP = 2;
const LAST_STEP = 8;

/**
 * Measures some steps of a pre-training in a folder that is removed afterwards.
 *
 * @throws what the run throws
 * @throws the reason of `signal`
 */
export async function timeRun(
  source: string,
  run: AblationRun,
  {
    folder,
    signal,
    ...machine
  }: { readonly folder: string } & Pick<TrainingHooks, 'engine' | 'workers' | 'signal'>,
): Promise<RunTimes> {
  const enough = new AbortController();
  const startedAt = performance.now();
  const ends: number[] = [];
  let gflopsPerStep = 0;
  try {
    await pretrain(source, {
      ...machine,
      out: folder,
      recipe: { ...run.pretrain, save: { ...run.pretrain.save, everySteps: null } },
      resume: false,
      overwrite: true,
      signal: signal === undefined ? enough.signal : AbortSignal.any([signal, enough.signal]),
      onStart: ({ gflopsPerClip, globalBatchSize }) => {
        gflopsPerStep = gflopsPerClip * globalBatchSize;
      },
      onProgress: ({ step }) => {
        ends.push(performance.now());
        if (step === LAST_STEP) enough.abort();
      },
    });
  } catch (error) {
    if (signal?.aborted === true || !enough.signal.aborted) throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const [first = startedAt] = ends;
  const last = ends.at(-1) ?? first;
  const numSteps = Math.max(1, ends.length - FIRST_STEP);
  const seconds = (last - (ends[FIRST_STEP - 1] ?? startedAt)) / 1000 / numSteps;
  return {
    startSeconds: (first - startedAt) / 1000,
    secondsPerGflop: gflopsPerStep === 0 ? 0 : seconds / gflopsPerStep,
  };
}
