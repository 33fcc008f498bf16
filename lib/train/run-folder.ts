/**
 * The folder of a run: `config.json` says what it is, `checkpoints/` where it stands, `best.json` which one was best. Everything
 * appears whole or not at all.
 */

import { mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { TubeletError, messageText, toWriteError, writeFileAtomic } from '../core/index.ts';
import type { ClassifierConfig, EncoderConfig, PretrainConfig } from '../model/index.ts';
import type { Recipe } from '../recipes/index.ts';

/** A frozen encoder and the linear head on it. */
export interface ProbeConfig extends EncoderConfig {
  readonly numClasses: number;
  /** Whether features are normalised over the batch first. */
  readonly batchNorm: boolean;
  /** Which features; see the recipe. */
  readonly features: 'encoder' | 'classifier';
}

/** Which network a run trains. */
export type RunModel =
  | { readonly kind: 'pretrain'; readonly config: PretrainConfig }
  | { readonly kind: 'classifier'; readonly config: ClassifierConfig }
  | { readonly kind: 'probe'; readonly config: ProbeConfig };

/** What a run is; `config.json`. */
export interface RunConfig {
  /** Version, 1. */
  readonly v: number;
  readonly recipe: Recipe;
  readonly model: RunModel;
  /** Names of the classes; empty in pre-training. */
  readonly classes: readonly string[];
  /** Where the first weights come from: a path, or null for drawn ones. */
  readonly from: string | null;
}

/** What to do with a folder that has a run in it. */
export interface OpenRunOptions {
  /** Go on with the run that is there. */
  readonly resume: boolean;
  /** Remove the run that is there. */
  readonly overwrite: boolean;
}

const CONFIG_FILE = 'config.json';
const VERSION = 1;

/**
 * Looks at the folder of a run, which is new or has the run that is to be gone on with. What it gives makes the folder, or removes what
 * is to be overwritten: it is called when all else is known to be sound, so that a mistake leaves nothing behind.
 *
 * @throws {TubeletError} TUBE_RUN_EXISTS, TUBE_OPTIONS_DIFFER, TUBE_RUN_DAMAGED, TUBE_OUT_NOT_EMPTY; then TUBE_OUT_NOT_WRITABLE,
 * TUBE_DISK_FULL
 */
export async function checkRunFolder(
  folder: string,
  config: RunConfig,
  { resume, overwrite }: OpenRunOptions,
): Promise<() => Promise<void>> {
  const found = await listFolder(folder);
  const isRun = found.includes(CONFIG_FILE);
  if (isRun && resume) {
    checkSame(await readRunConfig(folder), config, folder);
    return () => Promise.resolve();
  }
  if (isRun && !overwrite) throw new TubeletError('TUBE_RUN_EXISTS', { path: folder });
  if (!isRun && found.length > 0) {
    throw new TubeletError('TUBE_OUT_NOT_EMPTY', { path: folder, found: found[0] ?? '' });
  }
  return () => makeRunFolder(folder, config, isRun);
}

async function makeRunFolder(folder: string, config: RunConfig, isThere: boolean): Promise<void> {
  try {
    if (isThere) await rm(folder, { recursive: true });
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw toWriteError(error, folder);
  }
  await writeFileAtomic(join(folder, CONFIG_FILE), `${JSON.stringify(config, null, 2)}\n`);
}

/**
 * Reads what a run is.
 *
 * @throws {TubeletError} TUBE_RUN_NOT_FOUND, TUBE_RUN_DAMAGED, TUBE_VERSION_UNSUPPORTED
 */
export async function readRunConfig(folder: string): Promise<RunConfig> {
  const path = join(folder, CONFIG_FILE);
  const config = (await readJson(path, 'TUBE_RUN_NOT_FOUND')) as Partial<RunConfig> | null;
  if (typeof config?.v === 'number' && config.v > VERSION) {
    throw new TubeletError('TUBE_VERSION_UNSUPPORTED', { path, version: config.v });
  }
  const isSound =
    config?.v === VERSION &&
    typeof config.recipe?.task === 'string' &&
    typeof config.model?.config?.encoder?.width === 'number' &&
    Array.isArray(config.classes);
  if (!isSound) throw new TubeletError('TUBE_RUN_DAMAGED', { path });
  return config as RunConfig;
}

/**
 * Reads a JSON file of a run.
 *
 * @throws {TubeletError} the code given if the file is not there, TUBE_RUN_DAMAGED if it is no JSON
 */
export async function readJson(
  path: string,
  missing: 'TUBE_RUN_NOT_FOUND' | 'TUBE_RUN_DAMAGED',
): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new TubeletError(missing, { path, message: messageText(error) }, { cause: error });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    const details = { path, message: messageText(error) };
    throw new TubeletError('TUBE_RUN_DAMAGED', details, { cause: error });
  }
}

/** Names in a folder; none if it does not exist. */
export async function listFolder(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

/** A run goes on with the same recipe; only how often it saves may change. */
function checkSame(was: RunConfig, now: RunConfig, folder: string): void {
  const relevant = ({ recipe, model, classes }: RunConfig): unknown =>
    JSON.parse(JSON.stringify({ recipe: { ...recipe, save: null }, model, classes }));
  const [before, after] = [relevant(was), relevant(now)];
  if (isDeepStrictEqual(before, after)) return;
  const message = differences(before, after).join('; ');
  throw new TubeletError('TUBE_OPTIONS_DIFFER', { path: folder, message });
}

function differences(before: unknown, after: unknown, name = ''): string[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (isRecord(before) && isRecord(after)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...names].flatMap((key) =>
      differences(before[key], after[key], name === '' ? key : `${name}.${key}`),
    );
  }
  return [`${name} was ${JSON.stringify(before)}, now ${JSON.stringify(after)}`];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
