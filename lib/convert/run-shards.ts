/** Writes the pending shards: videos are converted in parallel, somewhat ahead, and land in their order. */

import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { TubeletError, mapOrdered } from '../core/index.ts';
import { ProcessPool } from '../decode/index.ts';
import { readSidecar } from '../shard/index.ts';
import { videoFilePath } from '../source/index.ts';
import type { Source, VideoRef } from '../source/index.ts';
import { videosOfShard } from './plan.ts';
import type { Plan } from './plan.ts';
import type { RunMeter } from './progress.ts';
import type { RunOptions } from './run-options.ts';
import { ShardJob } from './shard-job.ts';
import type { VideoOutcome } from './shard-job.ts';
import { SpoolFiles } from './spool-files.ts';
import type { Survey } from './survey.ts';
import { failureOf, isVideoFault } from './video-outcome.ts';
import type { VideoResult, VideoTask } from './video-task.ts';

/** What a run works on. */
export interface Work {
  readonly videos: Source;
  readonly plan: Plan;
  readonly names: readonly string[];
  readonly survey: Survey;
  readonly meter: RunMeter;
}

/** One video on its way. */
interface Job {
  readonly shard: number;
  readonly ref: VideoRef;
  readonly isLast: boolean;
  /** Taken over from the shard that is there. */
  readonly isKept: boolean;
}

/** Videos whose results may wait for an earlier one, per worker: enough work for the others while one hangs. */
const AHEAD_PER_WORKER = 64;

/** Writes shards until all are done, too many videos have failed, or the signal says stop. */
export async function runShards(
  work: Work,
  options: RunOptions,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { videos, plan, names, survey, meter } = work;
  const limit = options.failureLimit(videos.numVideos);
  if (survey.failures > limit) return;
  await using spools = await SpoolFiles.create(join(options.folder, '.work'));
  await using pool = new ProcessPool<VideoTask, VideoResult>({
    ...options,
    module: new URL('video-worker.js', import.meta.url),
  });
  using _abort = onAbort(signal, () => void pool[Symbol.asyncDispose]());
  const convertVideo = async (job: Job): Promise<{ job: Job; outcome: VideoOutcome }> => {
    if (job.isKept) return { job, outcome: { kind: 'kept' } };
    const spool = await spools.take();
    const file = videoFilePath(videos.root, job.ref.path);
    const { video: content } = plan.content;
    const split = job.ref.split ?? plan.content.split;
    try {
      const result = await pool.run({ file, ref: job.ref, split, content, spool });
      spools.fill(spool, bytesOf(result));
      return { job, outcome: { kind: 'done', result, spool } };
    } catch (error) {
      signal?.throwIfAborted();
      await spools.discard(spool);
      if (!isVideoFault(error)) throw error;
      if (error.code === 'TUBE_FILE_NOT_FOUND') await checkSourceIsThere(videos.root);
      return { job, outcome: { kind: 'failed', failure: failureOf(job.ref, error) } };
    }
  };
  let failures = survey.failures;
  let current: ShardJob | null = null;
  try {
    const jobs = mapOrdered(listJobs(work, options), convertVideo, {
      concurrency: options.workers,
      window: options.workers * AHEAD_PER_WORKER,
    });
    for await (const { job, outcome } of jobs) {
      signal?.throwIfAborted();
      const name = names[job.shard] ?? '';
      current ??= await ShardJob.begin(options.folder, name, survey.rewritten.has(job.shard));
      const before = {
        frames: current.frames,
        bytes: current.bytes,
        failures: current.numFailures,
      };
      await current.add(job.ref, outcome);
      if (outcome.kind === 'done') spools.giveBack(outcome.spool);
      meter.videosDone++;
      meter.frames += current.frames - before.frames;
      meter.bytes += current.bytes - before.bytes;
      meter.failures += current.numFailures - before.failures;
      meter.report();
      if (!job.isLast) continue;
      survey.digests.set(job.shard, await current.finish());
      failures += current.numFailures;
      current = null;
      meter.shardsDone++;
      meter.report();
      if (failures > limit) return;
    }
  } finally {
    await current?.[Symbol.asyncDispose]();
  }
}

function bytesOf({ samples }: VideoResult): number {
  return samples.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** The videos of all pending shards, in order. */
async function* listJobs(
  { videos, plan, names, survey }: Work,
  { folder, retryCodes }: RunOptions,
): AsyncGenerator<Job, void, undefined> {
  for (const shard of survey.pending) {
    const refs = await videosOfShard(videos, plan, shard);
    const retried = survey.rewritten.has(shard)
      ? await failedVideos(folder, names[shard] ?? '', retryCodes)
      : null;
    for (const [place, ref] of refs.entries()) {
      const isKept = retried !== null && !retried.has(ref.id);
      yield { shard, ref, isLast: place === refs.length - 1, isKept };
    }
  }
}

/** Ids of a finished shard's videos that failed in one of these ways. */
async function failedVideos(
  folder: string,
  name: string,
  codes: ReadonlySet<string>,
): Promise<Set<string>> {
  const { failures } = await readSidecar(folder, name);
  return new Set(failures.filter(({ code }) => codes.has(code)).map(({ id }) => id));
}

/** A file that is gone is a failure of that video; a root that is gone is not the videos' fault. */
async function checkSourceIsThere(root: string): Promise<void> {
  try {
    await access(root);
  } catch (error) {
    throw new TubeletError(
      'TUBE_SOURCE_NOT_FOUND',
      { path: root, message: 'vanished during the conversion' },
      { cause: error },
    );
  }
}

function onAbort(signal: AbortSignal | undefined, act: () => void): Disposable {
  if (signal?.aborted === true) act();
  signal?.addEventListener('abort', act, { once: true });
  return { [Symbol.dispose]: () => signal?.removeEventListener('abort', act) };
}
