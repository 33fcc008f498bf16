/** The folder of an ablation: what it is about, the results of its runs, tables and charts. */

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
import type { OpenRunOptions } from '../../train/index.ts';
import type { AblationPlan } from './plan.ts';
import { ablationHtml, ablationMarkdown } from './report.ts';
import type { AblationReport, RunResult } from './report.ts';

const STUDY_FILE = 'study.json';
const RESULT_FILE = 'result.json';
const TABLE_FILE = 'ablation.json';
const MARKDOWN_FILE = 'ablation.md';
const PAGE_FILE = 'ablation.html';
const VERSION = 1;

/** Which folder, and what to do if something is in it. */
type FolderOptions = OpenRunOptions & { readonly out: string };

/** What the runs of a folder have in common. */
interface Study {
  readonly recipeName: string;
  readonly plan: AblationPlan;
  /** Fingerprint of the shards. */
  readonly data: string;
}

/**
 * Makes the folder, or finds what is to be gone on with.
 *
 * @throws {TubeletError} TUBE_RUN_EXISTS, TUBE_OPTIONS_DIFFER, TUBE_OUT_NOT_EMPTY, TUBE_RUN_DAMAGED, TUBE_OUT_NOT_WRITABLE, TUBE_DISK_FULL
 */
export async function openStudy(
  { out, resume, overwrite }: FolderOptions,
  { recipeName, plan: { standard, readouts }, data }: Study,
): Promise<void> {
  const path = join(out, STUDY_FILE);
  const study: unknown = JSON.parse(
    JSON.stringify({ v: VERSION, name: recipeName, readouts, data, ...standard }),
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

/** Folder of a run. */
export function folderOf(out: string, run: string): string {
  return join(out, 'runs', run);
}

/** Writes down that a run is done. */
export async function writeResult(folder: string, result: RunResult): Promise<void> {
  const text = `${JSON.stringify({ v: VERSION, ...result })}\n`;
  await writeFileAtomic(join(folder, RESULT_FILE), text);
}

/**
 * What a run came to; null while it is not done.
 *
 * @throws {TubeletError} TUBE_RUN_DAMAGED
 */
export async function readResult(folder: string): Promise<RunResult | null> {
  const path = join(folder, RESULT_FILE);
  const found = (await readJson(path)) as (Partial<RunResult> & { readonly v?: number }) | null;
  if (found === null) return null;
  const { v, loss, top1 } = found;
  if (v !== VERSION || typeof loss !== 'number' || typeof top1 !== 'object') {
    throw new TubeletError('TUBE_RUN_DAMAGED', { path });
  }
  return { loss, top1 };
}

/** Renews tables and charts. */
export async function writeTables(
  out: string,
  report: AblationReport,
  plan: AblationPlan,
): Promise<void> {
  await writeFileAtomic(join(out, TABLE_FILE), `${JSON.stringify(report, null, 2)}\n`);
  await writeFileAtomic(join(out, MARKDOWN_FILE), ablationMarkdown(report));
  await writeFileAtomic(join(out, PAGE_FILE), ablationHtml(report, { ...plan.standard }));
}

/**
 * Names in a folder; none if it does not exist.
 *
 * @throws {TubeletError} TUBE_OUT_NOT_WRITABLE if it is no folder, or not to be read
 */
export async function listNames(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw toWriteError(error, folder);
  }
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
