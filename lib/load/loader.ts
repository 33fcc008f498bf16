/** Shards become batches: starts the workers, hands out what they make in order, and knows the place of the run. */

import { TubeletError, checkInteger } from '../core/index.ts';
import { assembleBatch } from './batch.ts';
import type { Batch } from './batch.ts';
import type { RunJob } from './batch-filler.ts';
import { batchTensors } from './clip/batch-tensors.ts';
import type { TensorSpec } from './clip/batch-tensors.ts';
import { isRandom, resolveRecipe } from './clip/recipe.ts';
import type { ClipRecipe } from './clip/recipe.ts';
import {
  checkOnce,
  closeMembers,
  describeClips,
  fingerprintMembers,
  openMembers,
  sharesOf,
} from './members.ts';
import type { LoaderSource } from './members.ts';
import { cursorOptions, resolveHost, resolveRun } from './options.ts';
import type { HostOptions, LoaderOptions, RunOptions } from './options.ts';
import { checkCursor, makeCursor, resumeAt } from './order/cursor.ts';
import type { Cursor, CursorOwner } from './order/cursor.ts';
import { Ring, createRing, placeBytes } from './ring.ts';
import type { RingLayout } from './ring.ts';
import { batchPlace, createSchedule } from './schedule.ts';
import type { BatchPlace, Schedule } from './schedule.ts';
import { noteBytes } from './unit-loader.ts';
import type { UnitNote } from './unit-loader.ts';
import { WorkerTeam } from './worker-team.ts';

/** What a loader will do; known before the first batch. */
export interface LoaderInfo {
  /** Samples of an epoch, over all ranks; with views, views of samples. */
  readonly numSamples: number;
  /** Batches of an epoch on this rank. */
  readonly numBatches: number;
  /** Batches of this run from where it starts; maybe `Infinity`. */
  readonly numBatchesLeft: number;
  /** The tensors of a batch, with the shape of one clip. */
  readonly tensors: readonly TensorSpec[];
  /** Class names of the first dataset. */
  readonly classes: readonly string[];
  /** Memory of one batch in bytes. */
  readonly batchBytes: number;
  /** Batches that are made ahead. */
  readonly prefetchBatches: number;
  readonly workers: number;
  readonly recipe: ClipRecipe;
}

/** What became of a run so far. */
export interface LoaderReport {
  /** Batches that were handed out. */
  readonly batches: number;
  /** Clips in these batches, missing ones included. */
  readonly clips: number;
  /** Bad samples in place of which another one was taken, by code. */
  readonly skipped: Readonly<Record<string, number>>;
  /** Clips that were left empty, by code. */
  readonly missing: Readonly<Record<string, number>>;
  /** Time for which the trainer had to wait for batches. */
  readonly waitSeconds: number;
}

const DEFAULT_PREFETCH = 3;

/**
 * Opens a loader. Its batches are a pure function of the datasets, the seed and the options that decide over clips and order;
 * workers, prefetching and, up to the split, ranks change nothing.
 *
 * @throws {RangeError} if an option is unknown, out of bounds or does not go with another or with the shards
 * @throws {TubeletError} TUBE_CURSOR_MISMATCH; TUBE_DATASET_NOT_FOUND and others, as {@link openDataset}
 * @throws the reason of `signal`
 */
export async function openLoader(source: LoaderSource, options: LoaderOptions): Promise<Loader> {
  const { store = {}, signal } = options;
  signal?.throwIfAborted();
  const members = await openMembers(source, signal === undefined ? store : { ...store, signal });
  try {
    const clips = describeClips(members);
    const recipe = resolveRecipe(options, clips);
    const classLists = members.map(({ dataset }) => dataset.info.classes);
    const setting = { recipe, isRandom: isRandom(recipe, clips.hasFrames), classLists };
    const run = resolveRun(options, setting);
    const owner = {
      data: fingerprintMembers(members),
      options: { ...cursorOptions(run), shares: sharesOf(members) },
    };
    const plain = members.map(({ dataset: _open, ...member }) => member);
    const schedule = createSchedule(plain, run);
    const { start, numBatches } = planRun(schedule, options, owner);
    const host = resolveHost(options);
    const shared = host.check === 'once' ? plain.map(checkOnce) : plain;
    const job = { members: shared, run, start, numBatches };
    const setup = { job, schedule, owner, host, store, options };
    return new Loader({ ...setup, classes: members[0]?.dataset.info.classes ?? [] });
  } finally {
    await closeMembers(members);
  }
}

interface LoaderSetup {
  readonly job: RunJob;
  readonly schedule: Schedule;
  readonly owner: CursorOwner;
  readonly host: HostOptions;
  readonly store: NonNullable<LoaderOptions['store']>;
  readonly classes: readonly string[];
  readonly options: LoaderOptions;
}

/** An open loader: an async iterable of batches, once. Leaving the loop closes it; else close it when done. */
export class Loader implements AsyncIterable<Batch> {
  readonly info: LoaderInfo;
  readonly #setup: LoaderSetup;
  readonly #ring: Ring;
  readonly #team: WorkerTeam;
  readonly #skipped = new Map<string, number>();
  readonly #missing = new Map<string, number>();
  #numHandedOut = 0;
  #numClips = 0;
  #waitSeconds = 0;
  #isBusy = false;
  #isClosed = false;

  /** @internal Use {@link openLoader}. */
  constructor(setup: LoaderSetup) {
    const { job, schedule, host, options } = setup;
    const { recipe } = job.run;
    const layout = layOut(job.run, host);
    this.#setup = setup;
    const memory = createRing(layout);
    this.#ring = new Ring(layout, memory);
    this.info = {
      numSamples: schedule.plan.numSamples,
      numBatches: schedule.numBatches,
      numBatchesLeft: job.numBatches,
      tensors: layout.tensors,
      classes: setup.classes,
      batchBytes: placeBytes(layout),
      prefetchBatches: layout.numPlaces - 1,
      workers: host.workers,
      recipe,
    };
    for (let batch = 0; batch < Math.min(layout.numPlaces, job.numBatches); batch++)
      this.#expect(batch);
    const { store, owner } = setup;
    this.#team = new WorkerTeam(host.workers, this.#ring, {
      run: job,
      layout,
      memory,
      store,
      fingerprint: owner.data,
    });
    options.signal?.addEventListener('abort', this.#abort, { once: true });
    if (options.signal?.aborted === true) this.#abort();
  }

  /**
   * Gives the next batch, or null at the end of the run. The batch before is no longer valid then.
   *
   * @throws {TubeletError} that of a bad sample with `onError: 'throw'`; TUBE_REMOTE_FAILED, TUBE_WORKER_START
   * @throws the reason of `signal`
   */
  async next(): Promise<Batch | null> {
    this.#setup.options.signal?.throwIfAborted();
    if (this.#isClosed) throw closedLoader();
    if (this.#isBusy) throw new TypeError('One batch at a time: await the one before.');
    this.#isBusy = true;
    try {
      return await this.#takeNext();
    } finally {
      this.#isBusy = false;
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Batch> {
    try {
      for (let batch = await this.next(); batch !== null; batch = await this.next()) yield batch;
    } finally {
      await this[Symbol.asyncDispose]();
    }
  }

  /** The place of the run behind the last batch that was handed out; plain JSON, to be stored with a checkpoint. */
  cursor(): Cursor {
    const { owner, schedule, job } = this.#setup;
    const { epoch, batchIndex } =
      schedule.numBatches === 0
        ? job.start
        : batchPlace(job.start, schedule.numBatches, this.#numHandedOut);
    return makeCursor(owner, schedule.plan, { epoch, numBatches: batchIndex });
  }

  /** What became of the run so far. */
  report(): LoaderReport {
    return {
      batches: this.#numHandedOut,
      clips: this.#numClips,
      skipped: Object.fromEntries(this.#skipped),
      missing: Object.fromEntries(this.#missing),
      waitSeconds: this.#waitSeconds,
    };
  }

  /** Ends the workers, after what they are doing, and closes all files. Batches are no longer valid then. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#setup.options.signal?.removeEventListener('abort', this.#abort);
    this.#team.fail(closedLoader());
    await this.#team[Symbol.asyncDispose]();
  }

  async #takeNext(): Promise<Batch | null> {
    const { job } = this.#setup;
    if (this.#numHandedOut > this.#ring.numReleased()) this.#releaseLast();
    const batch = this.#numHandedOut;
    if (batch >= job.numBatches) return null;
    const before = performance.now();
    await this.#team.untilWhole(batch);
    this.#waitSeconds += (performance.now() - before) / 1000;
    return this.#handOut(batch);
  }

  #handOut(batch: number): Batch {
    const { job, schedule } = this.#setup;
    const place = batchPlace(job.start, schedule.numBatches, batch);
    const clips = schedule.clips(place);
    const notes = clips.map((_, unit) => this.#ring.readNote(batch, unit) as UnitNote);
    const failure = notes.find(({ error }) => error !== null)?.error ?? null;
    if (failure !== null) throw TubeletError.fromPlain(failure);
    const step = place.epoch * schedule.numBatches + place.batchIndex;
    const { run, members } = job;
    const ring = this.#ring;
    const made = assembleBatch({ ring, batch, place, step, clips, notes, members, run });
    for (const [unit, note] of notes.entries()) this.#count(note, clips[unit]?.member ?? 0);
    this.#numHandedOut += 1;
    this.#numClips += made.keys.length;
    return made;
  }

  #count(note: UnitNote, member: number): void {
    const { onBadSample } = this.#setup.options;
    const dataset = this.#setup.job.members[member]?.name ?? '';
    const counts = note.isMissing ? this.#missing : this.#skipped;
    for (const { code, details, sample, key } of note.bad) {
      counts.set(code, (counts.get(code) ?? 0) + 1);
      const { message } = TubeletError.fromPlain({ code, details });
      onBadSample?.({ dataset, sample, key, code, message });
    }
  }

  #releaseLast(): void {
    const next = this.#numHandedOut - 1 + this.#ring.layout.numPlaces;
    if (next < this.#setup.job.numBatches) this.#expect(next);
    this.#ring.release();
    this.#team.wake();
  }

  #expect(batch: number): void {
    const { job, schedule } = this.#setup;
    const place = batchPlace(job.start, schedule.numBatches, batch);
    this.#ring.expect(batch, schedule.countClips(place));
  }

  readonly #abort = (): void => {
    const { signal } = this.#setup.options;
    this.#team.fail(signal?.reason);
    void this[Symbol.asyncDispose]();
  };
}

function closedLoader(): TypeError {
  return new TypeError('The loader is closed.');
}

/** Where the run starts and how many batches it has. */
function planRun(
  { plan, numBatches }: Schedule,
  { epoch = 0, epochs = 1, cursor }: LoaderOptions,
  owner: CursorOwner,
): { readonly start: BatchPlace; readonly numBatches: number } {
  checkInteger('epoch', epoch, { min: 0 });
  if (epochs !== Infinity) checkInteger('epochs', epochs, { min: 1 });
  const resumed =
    cursor === undefined ? { epoch, batchIndex: 0 } : resumeAt(checkCursor(cursor, owner), plan);
  if (plan.numBatches === 0) {
    const { numSamples, worldBatchSize } = plan;
    throw new RangeError(
      `"batchSize" times "worldSize" must be at most the ${numSamples} clips of an epoch with "remainder" drop (got ${worldBatchSize}).`,
    );
  }
  if (numBatches === 0) return { start: resumed, numBatches: 0 };
  const { batchIndex } = resumed;
  const start = batchIndex < numBatches ? resumed : { epoch: resumed.epoch + 1, batchIndex: 0 };
  const left = (epoch + epochs - start.epoch) * numBatches - start.batchIndex;
  return { start, numBatches: Math.max(0, left) };
}

/** Sizes of the ring: one place for the batch in the trainer's hands, and the others for what is made ahead. */
function layOut(run: RunOptions, { prefetchBatches, maxBytes }: HostOptions): RingLayout {
  const { batchSize, repeats, recipe } = run;
  const layout = {
    numPlaces: 1 + (prefetchBatches ?? DEFAULT_PREFETCH),
    numUnits: batchSize,
    repeats,
    tensors: batchTensors(recipe),
    noteBytes: noteBytes(recipe.clipShape[0]),
  };
  const bytes = placeBytes(layout);
  const room = Math.floor(maxBytes / bytes);
  if (room < (prefetchBatches === null ? 2 : layout.numPlaces)) {
    const needed = prefetchBatches === null ? 2 : layout.numPlaces;
    throw new RangeError(
      `"maxBytes" must hold ${needed} batches of ${bytes} bytes each (got ${maxBytes}).`,
    );
  }
  return { ...layout, numPlaces: Math.min(layout.numPlaces, room) };
}
