/** Threads that work on clips without end, counted between two moments while all of them are busy. */

import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

/** What such a thread is started with. */
export interface ThreadJob<T> {
  readonly job: T;
  readonly thread: number;
  readonly threads: number;
  /** Clips done by all threads, and whether to stop. */
  readonly words: Int32Array;
}

interface Moment {
  readonly done: number;
  readonly at: number;
  readonly cpu: NodeJS.CpuUsage;
}

/** How long to measure, in clips. */
export interface Stretch {
  readonly threads: number;
  readonly warm: number;
  readonly clips: number;
}

/** Measures threads that each run the module at `url`. */
export async function measureThreads(
  url: URL,
  job: unknown,
  { threads, warm, clips }: Stretch,
): Promise<{ readonly clips: number; readonly seconds: number; readonly cpuSeconds: number }> {
  const words = new Int32Array(new SharedArrayBuffer(8));
  const ends = Array.from({ length: threads }, (_, thread) => {
    const worker = new Worker(url, { workerData: { job, thread, threads, words } });
    return new Promise<void>((resolve, reject) => {
      worker.once('error', reject);
      worker.once('exit', () => resolve());
    });
  });
  const failed = Promise.race(
    ends.map((end) => end.then(() => Promise.reject(new Error('ended')))),
  );
  const reach = async (wanted: number): Promise<Moment> => {
    while (Atomics.load(words, 0) < wanted) await Promise.race([sleep(1), failed]);
    return { done: Atomics.load(words, 0), at: performance.now(), cpu: process.cpuUsage() };
  };
  const first = await reach(warm);
  const last = await reach(warm + clips);
  failed.catch(() => {}); // now they may end
  Atomics.store(words, 1, 1);
  await Promise.all(ends);
  return {
    clips: last.done - first.done,
    seconds: (last.at - first.at) / 1000,
    cpuSeconds: cpuSecondsBetween(first.cpu, last.cpu),
  };
}

/** Time of all threads of this process, user and system. */
export function cpuSecondsBetween(first: NodeJS.CpuUsage, last: NodeJS.CpuUsage): number {
  return (last.user + last.system - first.user - first.system) / 1e6;
}

/** Works on clips 0, 1, 2 … until it is told to stop; each thread has numbers of its own. */
export async function workOnClips(
  { thread, threads, words }: ThreadJob<unknown>,
  work: (clip: number) => Promise<void> | void,
): Promise<void> {
  for (let clip = thread; Atomics.load(words, 1) === 0; clip += threads) {
    await work(clip);
    Atomics.add(words, 0, 1);
  }
}
