/**
 * Checkpoints: weights and optimizer as safetensors, and where the run stands. A checkpoint is written under a temporary name and
 * renamed, so each that has its name is whole; older ones are removed after that.
 */

import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TubeletError, toWriteError, writeFileAtomic } from '../core/index.ts';
import type { ParameterShapes } from '../model/index.ts';
import { openWeights, writeSafetensors } from '../weights/index.ts';
import type { Weight, WeightData } from '../weights/index.ts';
import { listFolder, readJson } from './run-folder.ts';
import { STATE_PREFIXES } from './train-step.ts';

/** Where a run stands, in plain JSON. */
export interface Progress {
  /** Version, 1. */
  readonly v: number;
  /** Optimizer steps done. */
  readonly step: number;
  /** Place of the loader. */
  readonly cursor: unknown;
  /** Sum of the losses of the steps of this epoch so far. */
  readonly lossSum: number;
  /** Moving average of the loss, and its lowest value so far; null before the first step. */
  readonly average: number | null;
  readonly lowest: number | null;
  /** Steps in a row whose loss was far above the lowest average. */
  readonly badSteps: number;
  readonly best: Best | null;
}

/** The best checkpoint so far. */
export interface Best {
  readonly step: number;
  /** What was compared, such as `loss` or `top1`. */
  readonly measure: string;
  readonly value: number;
}

/** Which weights of a run: those of its best checkpoint, of the last, or the moving average of the last. */
export type WeightsChoice = 'best' | 'last' | 'average';

/** The choices, for option parsers. */
export const WEIGHTS_CHOICES: readonly WeightsChoice[] = ['best', 'last', 'average'];

/** Values of a state of a step. */
type StateValues = Float32Array | Int32Array | Uint8Array;

/** Values of all state of a step, by name. */
export type StateData = Readonly<Record<string, StateValues>>;

/** A state with its name. */
export type StateEntry = readonly [name: string, data: StateValues];

/** All state of a step, copied one by one: together it would be a second copy of weights and moments. */
export interface StateReader {
  readonly names: readonly string[];
  readonly read: (name: string) => Float32Array;
}

const FOLDER = 'checkpoints';
const STATE_FILE = 'state.json';
const WEIGHTS_FILE = 'weights.safetensors';
const OPTIMIZER_FILE = 'optimizer.safetensors';
/** The moving average under the names of the parameters. */
const AVERAGE_FILE = 'average.safetensors';
const BEST_FILE = 'best.json';
const VERSION = 1;

/**
 * Writes a checkpoint and removes those that are no longer to be kept.
 *
 * @throws {TubeletError} TUBE_DISK_FULL, TUBE_OUT_NOT_WRITABLE
 */
export async function saveCheckpoint(
  run: string,
  {
    progress,
    state,
    shapes,
    keep,
  }: {
    readonly progress: Progress;
    readonly state: StateReader;
    readonly shapes: ParameterShapes;
    readonly keep: number;
  },
): Promise<void> {
  const folder = checkpointFolder(run, progress.step);
  const temporary = `${folder}.tmp`;
  try {
    await rm(temporary, { recursive: true, force: true });
    await mkdir(temporary, { recursive: true });
    for (const [file, weights] of Object.entries(splitState(state, shapes))) {
      await writeSafetensors(join(temporary, file), weights);
    }
    await writeFileAtomic(join(temporary, STATE_FILE), `${JSON.stringify(progress)}\n`);
    await rm(folder, { recursive: true, force: true });
    await rename(temporary, folder);
  } catch (error) {
    throw toWriteError(error, folder);
  }
  const { best } = progress;
  if (best?.step === progress.step) {
    await writeFileAtomic(join(run, BEST_FILE), `${JSON.stringify(best)}\n`);
  }
  await removeOld(run, keep, best?.step ?? null);
}

/**
 * Finds the last checkpoint of a run; null if there is none.
 *
 * @throws {TubeletError} TUBE_RUN_DAMAGED, TUBE_VERSION_UNSUPPORTED
 */
export async function readProgress(run: string): Promise<Progress | null> {
  const steps = await listSteps(run);
  const last = steps.at(-1);
  if (last === undefined) return null;
  const path = join(checkpointFolder(run, last), STATE_FILE);
  const progress = (await readJson(path, 'TUBE_RUN_DAMAGED')) as Partial<Progress> | null;
  if (typeof progress?.v === 'number' && progress.v > VERSION) {
    throw new TubeletError('TUBE_VERSION_UNSUPPORTED', { path, version: progress.v });
  }
  if (progress?.v !== VERSION || progress.step !== last) {
    throw new TubeletError('TUBE_RUN_DAMAGED', { path });
  }
  return progress as Progress;
}

/**
 * Reads all state of a checkpoint, one by one.
 *
 * @throws {TubeletError} TUBE_WEIGHTS_NOT_FOUND, TUBE_WEIGHTS_DAMAGED
 */
export async function* readCheckpoint(run: string, step: number): AsyncGenerator<StateEntry> {
  const folder = checkpointFolder(run, step);
  const hasAverage = (await listFolder(folder)).includes(AVERAGE_FILE);
  for (const file of [WEIGHTS_FILE, OPTIMIZER_FILE, ...(hasAverage ? [AVERAGE_FILE] : [])]) {
    await using open = await openWeights(join(folder, file));
    const prefix = file === AVERAGE_FILE ? STATE_PREFIXES.ema : '';
    for (const weight of open.weights)
      yield [`${prefix}${weight.name}`, (await weight.read()).data];
  }
}

/** Reads weights as numbers by name. */
export async function readNamed(
  weights: Iterable<Weight>,
): Promise<Record<string, Float32Array<ArrayBuffer>>> {
  const named: Record<string, Float32Array<ArrayBuffer>> = {};
  for (const weight of weights) {
    const { data } = await weight.read();
    named[weight.name] = Float32Array.from(data);
  }
  return named;
}

/**
 * Path of the weights of a run: the best ones where a run says which these are, else the last.
 *
 * @throws {TubeletError} TUBE_RUN_NOT_FOUND if there is no checkpoint, TUBE_RUN_DAMAGED
 * @throws {RangeError} if the average is wanted of a run that keeps none
 */
export async function findWeights(run: string, which: WeightsChoice): Promise<string> {
  const steps = await listSteps(run);
  const last = steps.at(-1);
  if (last === undefined) {
    throw new TubeletError('TUBE_RUN_NOT_FOUND', { path: run, message: 'no checkpoint yet' });
  }
  if (which === 'average') {
    const folder = checkpointFolder(run, last);
    if ((await listFolder(folder)).includes(AVERAGE_FILE)) return join(folder, AVERAGE_FILE);
    throw new RangeError(
      '"which" must be best or last: without train.emaDecay there is no average.',
    );
  }
  const hasBest = which === 'best' && (await listFolder(run)).includes(BEST_FILE);
  const best = hasBest
    ? ((await readJson(join(run, BEST_FILE), 'TUBE_RUN_DAMAGED')) as Best)
    : null;
  const step = best !== null && steps.includes(best.step) ? best.step : last;
  return join(checkpointFolder(run, step), WEIGHTS_FILE);
}

function checkpointFolder(run: string, step: number): string {
  return join(run, FOLDER, `step-${String(step).padStart(8, '0')}`);
}

/** Steps of all whole checkpoints, ascending. */
async function listSteps(run: string): Promise<number[]> {
  const names = await listFolder(join(run, FOLDER));
  return names
    .flatMap((name) => {
      const digits = /^step-(\d{8,})$/.exec(name)?.[1];
      return digits === undefined ? [] : [Number(digits)];
    })
    .sort((a, b) => a - b);
}

async function removeOld(run: string, keep: number, best: number | null): Promise<void> {
  const steps = await listSteps(run);
  const old = steps.slice(0, Math.max(0, steps.length - keep)).filter((step) => step !== best);
  for (const step of old) await rm(checkpointFolder(run, step), { recursive: true, force: true });
}

/** Parameters, their average if there is one, and everything else, by the file that they stand in; each is read when it is written. */
function splitState(state: StateReader, shapes: ParameterShapes): Record<string, Weight[]> {
  const files: Record<string, Weight[]> = { [WEIGHTS_FILE]: [], [OPTIMIZER_FILE]: [] };
  for (const name of state.names) {
    const prefix = Object.values(STATE_PREFIXES).find((one) => name.startsWith(one)) ?? '';
    const own = name.slice(prefix.length);
    const isAverage = prefix === STATE_PREFIXES.ema;
    const file = isAverage ? AVERAGE_FILE : prefix === '' ? WEIGHTS_FILE : OPTIMIZER_FILE;
    const shape = shapes[own];
    if (shape === undefined) throw new RangeError(`"shapes" must have "${own}".`);
    const read = (): Promise<WeightData> => Promise.resolve({ shape, data: state.read(name) });
    (files[file] ??= []).push({ name: isAverage ? own : name, dtype: 'F32', shape, read });
  }
  return files;
}
