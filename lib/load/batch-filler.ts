/** The work of one thread: takes units from the ring, one after the other, until the run is over or stopped. */

import { mixBatch } from '../sample/index.ts';
import { ClipMaker } from './clip/clip-maker.ts';
import { drawBatchMix } from './draw-batch-mix.ts';
import type { ExitGuard } from './exit-guard.ts';
import { closeMembers, isRemote } from './members.ts';
import type { Member, OpenMember } from './members.ts';
import type { RunOptions } from './options.ts';
import type { Ring } from './ring.ts';
import { batchPlace, createSchedule } from './schedule.ts';
import type { BatchPlace, ClipPlace, Schedule } from './schedule.ts';
import { UnitLoader } from './unit-loader.ts';

/** What a run is; plain data that is the same in all threads. */
export interface RunJob {
  readonly members: readonly Member[];
  readonly run: RunOptions;
  readonly start: BatchPlace;
  /** Batches until the end of the run, maybe `Infinity`. */
  readonly numBatches: number;
}

/** Samples in the works at the same time: while one is made into clips, the next ones are on their way from disk or server. */
const LANES_LOCAL = 2;
const LANES_REMOTE = 8;

/** Fills batches; belongs to the caller, who must dispose of it, which also closes the datasets. */
export class BatchFiller {
  readonly #job: RunJob;
  readonly #ring: Ring;
  readonly #members: readonly OpenMember[];
  readonly #schedule: Schedule;
  readonly #guard: ExitGuard;
  readonly #maker: ClipMaker;
  readonly #onWhole: (batch: number) => void;
  #waiting: (() => void)[] = [];

  /** @param onWhole called for each batch that this thread has finished */
  constructor(
    job: RunJob,
    ring: Ring,
    { members, guard }: { readonly members: readonly OpenMember[]; readonly guard: ExitGuard },
    onWhole: (batch: number) => void,
  ) {
    this.#job = job;
    this.#ring = ring;
    this.#members = members;
    this.#schedule = createSchedule(job.members, job.run);
    this.#guard = guard;
    this.#maker = new ClipMaker(job.run.recipe);
    this.#onWhole = onWhole;
  }

  /** Works until there is nothing left to do. */
  async run(): Promise<void> {
    const length = this.#job.members.some(isRemote) ? LANES_REMOTE : LANES_LOCAL;
    const lanes = Array.from({ length }, () => this.#runLane());
    await Promise.all(lanes);
  }

  /** To be called when a place became free, or the ring was stopped. */
  wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await closeMembers(this.#members);
    this.#guard.within(() => {
      this.#maker[Symbol.dispose]();
    });
  }

  async #runLane(): Promise<void> {
    const { run, numBatches } = this.#job;
    const loader = new UnitLoader(this.#members, run, { maker: this.#maker, guard: this.#guard });
    for (;;) {
      const { batch, unit } = this.#ring.takeUnit();
      if (batch >= numBatches) return;
      while (!this.#ring.hasPlace(batch) && !this.#ring.isStopped()) await this.#sleep();
      if (this.#ring.isStopped()) return;
      const clips = this.#clipsOf(batch);
      const clip = clips[unit];
      if (clip === undefined) continue; // A last batch that is not full.
      const note = await loader.load(clip, this.#ring.slots(batch, unit));
      if (this.#ring.isStopped()) return;
      this.#ring.writeNote(batch, unit, note);
      if (this.#ring.finishUnit(batch)) this.#finish(batch, clips);
    }
  }

  #finish(batch: number, clips: readonly ClipPlace[]): void {
    const { run } = this.#job;
    const mix = drawBatchMix(run, clips);
    const { pixels } = this.#ring.tensors(batch, clips.length * run.repeats);
    if (mix !== undefined && pixels instanceof Float32Array) {
      const { clipShape, form, tubelet } = run.recipe;
      mixBatch(pixels, clipShape, mix, form === 'tubelets' ? tubelet : undefined);
    }
    this.#ring.markWhole(batch);
    this.#onWhole(batch);
  }

  #clipsOf(batch: number): readonly ClipPlace[] {
    return this.#schedule.clips(batchPlace(this.#job.start, this.#schedule.numBatches, batch));
  }

  #sleep(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }
}
