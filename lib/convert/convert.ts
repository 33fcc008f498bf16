/** A folder or list of videos becomes a dataset of shards: resumable, the same bytes every time, every bad video named. */

import { tmpdir } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import {
  FORMAT_VERSION,
  readDatasetInfo,
  removeDatasetInfo,
  writeDatasetInfo,
} from '../shard/index.ts';
import type { DatasetInfo } from '../shard/index.ts';
import { openSource } from '../source/index.ts';
import type { Source, SourceNotes } from '../source/index.ts';
import { FolderLock } from './folder-lock.ts';
import { resolveContent } from './options.ts';
import { checkFolder, emptyFolder, prepareFolder, sweepFolder } from './out-folder.ts';
import { checkPlan, planFor, shardNames, writePlan } from './plan.ts';
import type { Plan } from './plan.ts';
import { RunMeter } from './progress.ts';
import { resolveRun } from './run-options.ts';
import type { ConvertOptions, RunOptions } from './run-options.ts';
import { runShards } from './run-shards.ts';
import { collectDigests, writeFailures } from './shard-digest.ts';
import type { Collected } from './shard-digest.ts';
import { surveyShards } from './survey.ts';
import type { Survey } from './survey.ts';
import { TOOL } from './tool.ts';

/** What a conversion has made. Counts are of all finished shards, rates of this run. */
export interface ConvertSummary {
  /** Videos that gave samples. */
  readonly videos: number;
  readonly clips: number;
  /** Stored frames. */
  readonly frames: number;
  readonly shards: number;
  /** Size of all shards. */
  readonly bytes: number;
  /** Videos that gave nothing, by error code. */
  readonly failures: Readonly<Record<string, number>>;
  /** Things noted about videos that could be read, by kind. */
  readonly warnings: Readonly<Record<string, number>>;
  /** What the source named or held and was left out: other kinds of files, repeated rows, hidden files and the like. */
  readonly notes: SourceNotes;
  /** False if too many failures ended the run before its last shard; then there is no `dataset.json` yet. */
  readonly isComplete: boolean;
  /** True if more videos failed than `maxFailures` allows. */
  readonly hasTooManyFailures: boolean;
  readonly seconds: number;
  readonly videosPerSecond: number;
  readonly framesPerSecond: number;
}

/** What a conversion would do. */
export interface ConvertPlan {
  readonly videos: number;
  readonly classes: readonly string[];
  readonly shards: number;
  readonly shardsDone: number;
  readonly notes: SourceNotes;
  readonly plan: Plan;
}

/**
 * Converts a source. To go on with an unfinished conversion call it again; finished shards are kept.
 *
 * Shard k is a function of source, options, seed and k alone: the same bytes for any number of workers, after any number of
 * interruptions.
 *
 * @param source a folder, or a list file
 * @throws {TubeletError} TUBE_SOURCE_*, TUBE_LIST_*, TUBE_OPTIONS_DIFFER, TUBE_PLAN_DAMAGED, TUBE_OUT_*, TUBE_DISK_FULL. A
 *   video that cannot be read is counted, not thrown; see `hasTooManyFailures`.
 * @throws {RangeError} for an option that is wrong
 * @throws the signal's reason when aborted; finished shards stay
 */
export async function convert(source: string, options: ConvertOptions): Promise<ConvertSummary> {
  const content = resolveContent(options);
  const runOptions = resolveRun(options);
  const { folder } = runOptions;
  await using videos = await openVideos(source, options);
  await prepareFolder(folder);
  await using _lock = await FolderLock.take(folder);
  await sweepFolder(folder);
  const plan = planFor(videos, content);
  if (options.overwrite === true) await emptyFolder(folder, content.name);
  const isBegun = await checkPlan(folder, plan);
  if (!isBegun) await writePlan(folder, plan);
  const names = shardNames(plan);
  const survey = await surveyShards(folder, names, { ...runOptions, ...signalOf(options) });
  const meter = meterFor(plan, survey, options);
  const work = { videos, plan, names, survey, meter };
  meter.report();
  try {
    options.signal?.throwIfAborted();
    if (survey.pending.length > 0) {
      await removeDatasetInfo(folder); // what it says of the shards is about to change
      await runShards(work, runOptions, options.signal);
    }
  } catch (error) {
    // Whatever ended the run, the list of failures is to be right for what is finished.
    const { failureLines } = collectDigests(survey.digests);
    await writeFailures(folder, failureLines).catch(() => undefined);
    throw error;
  }
  return finish(work, runOptions);
}

/**
 * Says what {@link convert} would do, without writing anything.
 *
 * @throws as {@link convert} for the source, the options and what the folder holds
 */
export async function planConvert(source: string, options: ConvertOptions): Promise<ConvertPlan> {
  const content = resolveContent(options);
  const { folder, retryCodes } = resolveRun(options);
  await using videos = await openVideos(source, options);
  const plan = planFor(videos, content);
  const names = shardNames(plan);
  await checkFolder(folder);
  const isBegun = options.overwrite !== true && (await checkPlan(folder, plan));
  const pending = isBegun
    ? (await surveyShards(folder, names, { retryCodes, ...signalOf(options) })).pending.length
    : names.length;
  const { numVideos, classes, notes } = videos;
  return {
    videos: numVideos,
    classes,
    shards: names.length,
    shardsDone: names.length - pending,
    notes,
    plan,
  };
}

function openVideos(
  source: string,
  { list, root, form, split, ...options }: ConvertOptions,
): Promise<Source> {
  return openSource(source, {
    workDir: tmpdir(),
    ...(list === undefined ? {} : { list }),
    ...(root === undefined ? {} : { root }),
    ...(form === undefined ? {} : { form }),
    ...(split === undefined ? {} : { split }),
    ...signalOf(options),
  });
}

function signalOf({ signal }: Pick<ConvertOptions, 'signal'>): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

function meterFor(
  { content, source }: Plan,
  { pending }: Survey,
  options: ConvertOptions,
): RunMeter {
  const { videosPerShard } = content;
  const videosPending = pending.reduce(
    (sum, shard) => sum + Math.min(videosPerShard, source.videos - shard * videosPerShard),
    0,
  );
  const shardsTotal = Math.ceil(source.videos / videosPerShard);
  return new RunMeter(
    {
      videosBefore: source.videos - videosPending,
      videosTotal: source.videos,
      shardsDone: shardsTotal - pending.length,
      shardsTotal,
    },
    options.onProgress ?? (() => undefined),
  );
}

interface Finished {
  readonly videos: Source;
  readonly plan: Plan;
  readonly names: readonly string[];
  readonly survey: Survey;
  readonly meter: RunMeter;
}

/** Writes what describes the whole dataset, if it is whole. */
async function finish(
  { videos, plan, names, survey, meter }: Finished,
  { folder, failureLimit }: RunOptions,
): Promise<ConvertSummary> {
  const isComplete = meter.shardsDone === names.length;
  const collected = collectDigests(survey.digests);
  await writeFailures(folder, collected.failureLines);
  if (isComplete) await describeDataset(folder, infoOf(videos, plan, collected));
  const { totals, shards, warnings } = collected;
  const failed = Object.values(totals.failures).reduce((sum, count) => sum + count, 0);
  const seconds = meter.secondsElapsed;
  return {
    videos: totals.videos,
    clips: totals.samples,
    frames: totals.frames,
    shards: shards.length,
    bytes: totals.bytes,
    failures: totals.failures,
    seconds,
    videosPerSecond: meter.videosDone / seconds,
    framesPerSecond: meter.frames / seconds,
    warnings,
    notes: videos.notes,
    isComplete,
    hasTooManyFailures: failed > failureLimit(videos.numVideos),
  };
}

/** Writes `dataset.json` unless it is there already. */
async function describeDataset(folder: string, info: DatasetInfo): Promise<void> {
  const found = await readDatasetInfo(folder).catch(() => null);
  // A newer version of the program does not claim what an older one has made.
  const isSame = found !== null && isDeepStrictEqual({ ...found, tool: info.tool }, info);
  if (!isSame) await writeDatasetInfo(folder, info);
}

function infoOf(
  videos: Source,
  { content, source }: Plan,
  { totals, shards }: Collected,
): DatasetInfo {
  const { name, split, ...options } = content;
  const { classes } = videos;
  return { v: FORMAT_VERSION, name, split, tool: TOOL, options, source, classes, totals, shards };
}
