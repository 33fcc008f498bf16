/** The two sets of the demo's videos as shards: those to train on, and those that nothing is trained on. */

import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TubeletError, convert, makeDemoVideos, verify } from '../lib/index.ts';
import type { ConvertSummary, VerifyReport } from '../lib/index.ts';
import { formatRate } from './format.ts';
import { ProgressLine } from './progress-line.ts';

/** Name of the picture of some samples. */
export const SHEET = 'contact-sheet.png';

/** File in the folder of a demo that says what it was told; a folder without it is somebody else's. */
const DEMO_FILE = 'demo.json';

/** Names of the sets, which are those of their folders. */
export const SET_NAMES = ['train', 'held-out'] as const;

/** One of the sets. */
export type SetName = (typeof SET_NAMES)[number];

/** Videos of each class in each set. */
export type SetSizes = Readonly<Record<SetName, number>>;

/** As many as a demo of four minutes on two cores has time for. */
export const STANDARD_SIZES: SetSizes = Object.freeze({
  train: 64,
  'held-out': 20,
});

/** Raised whenever the same plan gives other videos, shards or runs than before. */
const PLAN_VERSION = 2;

/** What a demo is told; another one's shards and runs are no use to it. */
export interface DemoPlan {
  readonly sizes: SetSizes;
  readonly seed: number;
  /** Null for those of the recipes. */
  readonly epochs: number | null;
}

/** How sets are made. */
export interface DemoSetOptions {
  readonly sizes: SetSizes;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly isQuiet: boolean;
}

/**
 * Makes sure that what is written over is an earlier demo's. Shards and runs of a demo that was told something else are removed.
 *
 * @throws {TubeletError} TUBE_OUT_NOT_EMPTY if shards, runs or contact sheet are somebody else's
 */
export async function prepareDemo(out: string, plan: DemoPlan): Promise<void> {
  await mkdir(out, { recursive: true });
  const file = join(out, DEMO_FILE);
  const text = `${JSON.stringify({ ...plan, v: PLAN_VERSION })}\n`;
  const before = await readFile(file, 'utf8').catch(() => '');
  if (before === text) return;
  if (!before.startsWith('{"sizes":{')) {
    const own = new Set([DEMO_FILE, 'shards', 'runs', SHEET]);
    const found = (await readdir(out)).find((name) => own.has(name));
    if (found !== undefined) throw new TubeletError('TUBE_OUT_NOT_EMPTY', { path: out, found });
  }
  for (const name of ['shards', 'runs']) {
    await rm(join(out, name), { recursive: true, force: true });
  }
  await writeFile(file, text);
}

/**
 * Makes the sets of the standard demo where they are not there, and gives their folders.
 *
 * @throws {TubeletError} as {@link prepareDemo}, {@link makeSet} and {@link convertSet}
 */
export async function demoShards(
  out: string,
  { signal, isQuiet }: { readonly signal: AbortSignal; readonly isQuiet: boolean },
): Promise<{ readonly source: string; readonly val: string }> {
  const plan = { sizes: STANDARD_SIZES, seed: 0, epochs: null };
  await prepareDemo(out, plan);
  for (const name of SET_NAMES) {
    await makeSet(out, name, { ...plan, signal, isQuiet });
    await convertSet(out, name, { ...plan, signal, isQuiet });
  }
  return { source: shardsOf(out, 'train'), val: shardsOf(out, 'held-out') };
}

/** Folder of the videos of a set. */
function videosOf(out: string, name: SetName): string {
  return join(out, 'videos', name);
}

/** Folder of the shards of a set. */
export function shardsOf(out: string, name: SetName): string {
  return join(out, 'shards', name);
}

/**
 * Makes the videos of a set; those that are there are kept. No video is in two sets.
 *
 * @throws {TubeletError} as {@link makeDemoVideos}
 */
export async function makeSet(out: string, name: SetName, options: DemoSetOptions): Promise<void> {
  const { sizes, seed, signal, isQuiet } = options;
  const line = new ProgressLine(`make ${name}`, isQuiet);
  const startedAt = performance.now();
  await makeDemoVideos(videosOf(out, name), {
    perClass: sizes[name],
    firstIndex: name === 'train' ? 0 : sizes.train,
    seconds: 1,
    isPlain: true,
    seed,
    signal,
    onProgress: ({ done, total }) => {
      const secondsElapsed = (performance.now() - startedAt) / 1000;
      const facts = [`${formatRate(done / secondsElapsed)} videos/s`];
      line.show(() => ({ done, total, secondsElapsed, facts }));
    },
  });
  line.close();
}

/**
 * Converts a set; a conversion that was stopped goes on.
 *
 * @throws {TubeletError} as {@link convert}
 */
export async function convertSet(
  out: string,
  name: SetName,
  { seed, signal, isQuiet }: DemoSetOptions,
): Promise<ConvertSummary> {
  const line = new ProgressLine(`convert ${name}`, isQuiet);
  const summary = await convert(videosOf(out, name), {
    out: shardsOf(out, name),
    name,
    fps: 8,
    shortSide: 32,
    seed,
    signal,
    onProgress: ({ videosDone, videosTotal, secondsElapsed, frames }) =>
      line.show(() => ({
        done: videosDone,
        total: videosTotal,
        secondsElapsed,
        facts: [`${formatRate(frames / Math.max(secondsElapsed, 0.001))} frames/s`],
      })),
  });
  line.close();
  return summary;
}

/** Checks every hash and every frame of all sets. */
export async function verifySets(
  out: string,
  signal: AbortSignal,
): Promise<Pick<VerifyReport, 'defects' | 'frames'>> {
  const reports: VerifyReport[] = [];
  for (const name of SET_NAMES) reports.push(await verify(shardsOf(out, name), { signal }));
  return {
    defects: reports.flatMap(({ defects }) => defects),
    frames: reports.reduce((sum, { frames }) => sum + frames, 0),
  };
}
