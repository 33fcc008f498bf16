/** Loads one unit of a batch: reads a sample, makes its clips, and says what became of it. */

import { TubeletError } from '../core/index.ts';
import type { PlainError } from '../core/index.ts';
import type { Sample } from '../shard/index.ts';
import { isOfSample, shortError } from './bad-sample.ts';
import { checkTokens } from './clip/clip-maker.ts';
import type { ClipMaker } from './clip/clip-maker.ts';
import type { Slot } from './clip/fill-slot.ts';
import type { ClipIdentity } from './clip/plan-clip.ts';
import { Scratch } from './clip/scratch.ts';
import type { ExitGuard } from './exit-guard.ts';
import type { OpenMember } from './members.ts';
import type { RunOptions } from './options.ts';
import { replaceSample } from './order/replacement.ts';
import type { ClipPlace } from './schedule.ts';

/** A sample that could not be read. */
export interface BadNote extends PlainError {
  readonly sample: number;
  readonly key: string | null;
}

/** What the trainer is told about a unit; goes through shared memory as JSON. */
export interface UnitNote {
  readonly sample: number;
  readonly key: string;
  readonly label: number | null;
  /** Index of each frame of the clip among the decoded frames of its video. */
  readonly frameIndex: readonly number[];
  readonly isMissing: boolean;
  /** Samples that were tried before, at most {@link MAX_BAD_NOTES} of them. */
  readonly bad: readonly BadNote[];
  readonly numBad: number;
  /** Ends the run when the batch is handed out. */
  readonly error: PlainError | null;
}

/** Bad samples of one unit that are told one by one. */
const MAX_BAD_NOTES = 3;
/** Six details of 200 characters, which take three bytes each in most scripts. */
const BYTES_PER_BAD_NOTE = 4096;
const BYTES_PER_FRAME = 12;

/** Room for the note of a unit. */
export function noteBytes(numFrames: number): number {
  return (MAX_BAD_NOTES + 2) * BYTES_PER_BAD_NOTE + numFrames * BYTES_PER_FRAME;
}

type Facts = Pick<UnitNote, 'key' | 'label' | 'frameIndex'>;

/** Loads units one at a time, so it may keep memory from one to the next. */
export class UnitLoader {
  readonly #members: readonly OpenMember[];
  readonly #run: RunOptions;
  readonly #maker: ClipMaker;
  readonly #guard: ExitGuard;
  readonly #scratch = new Scratch();

  constructor(
    members: readonly OpenMember[],
    run: RunOptions,
    { maker, guard }: { readonly maker: ClipMaker; readonly guard: ExitGuard },
  ) {
    this.#members = members;
    this.#run = run;
    this.#maker = maker;
    this.#guard = guard;
  }

  /** Fills the slots of a unit and gives its note. Never throws for what the data does. */
  async load(clip: ClipPlace, slots: readonly Slot[]): Promise<UnitNote> {
    const bad: BadNote[] = [];
    let sample: number | null = clip.sample;
    for (let attempt = 1; ; attempt++) {
      try {
        const facts = await this.#fill({ ...clip, sample }, slots);
        return { ...facts, sample, isMissing: false, ...summary(bad), error: null };
      } catch (error) {
        bad.push({ ...shortError(error), sample, key: await this.#keyOf(clip, sample) });
        if (!isOfSample(error) || this.#run.onError === 'throw') return failed(bad);
        if (this.#run.onError === 'missing') return this.#leaveEmpty(clip, slots, bad);
      }
      sample = this.#replace(clip, attempt);
      if (sample === null) return failed(bad);
    }
  }

  async #fill(clip: ClipPlace, slots: readonly Slot[]): Promise<Facts> {
    const { dataset, name, stored: finished } = this.#member(clip);
    const { seed, recipe } = this.#run;
    const { round, sample, view } = clip;
    const identity: ClipIdentity = { seed, dataset: name, round, sample, repeat: 0, view };
    const [slot] = slots;
    if (finished !== null) {
      const isDirect = recipe.form === 'tubelets' && recipe.dtype === 'uint8' && slot?.pixels;
      const length = recipe.clipShape.reduce((product, side) => product * side, 1);
      const tokens = isDirect ? (slot.pixels as Uint8Array) : this.#scratch.bytes('tokens', length);
      const meta = await dataset.readPixels(sample, tokens);
      checkTokens(recipe, meta);
      this.#maker.makeFromTokens(tokens, identity, slots);
      return { key: meta.key, label: meta.label, frameIndex: meta.frameIndex };
    }
    const stored = await dataset.read(sample);
    if (stored.layout !== 'frames') {
      throw new TubeletError('TUBE_SAMPLE_SHAPE', { key: stored.key, layout: stored.layout });
    }
    const frames = this.#makeFromFrames(stored, identity, slots);
    const frameIndex = frames.map((frame) => stored.frameIndex[frame] ?? 0);
    return { key: stored.key, label: stored.label, frameIndex };
  }

  /** Makes clips; what is wrong with a picture is said with the key of its sample. */
  #makeFromFrames(
    sample: Sample,
    identity: ClipIdentity,
    slots: readonly Slot[],
  ): readonly number[] {
    try {
      return this.#guard.within(() => this.#maker.makeFromFrames(sample, identity, slots));
    } catch (error) {
      if (!isOfSample(error)) throw error;
      const details = { key: sample.key, ...error.details };
      throw new TubeletError(error.code, details, { cause: error });
    }
  }

  #replace({ epoch, position, ...clip }: ClipPlace, attempt: number): number | null {
    const { numSamples } = this.#member(clip).dataset;
    const { seed } = this.#run;
    return replaceSample(clip.sample, numSamples, { seed, epoch, position, attempt });
  }

  async #leaveEmpty(
    clip: ClipPlace,
    slots: readonly Slot[],
    bad: readonly BadNote[],
  ): Promise<UnitNote> {
    for (const slot of slots) for (const values of Object.values(slot)) values.fill(0);
    const { sample } = clip;
    const entry = await this.#entryOf(clip, sample);
    const facts = { key: entry?.key ?? `sample-${sample}`, label: entry?.label ?? null };
    return { ...facts, sample, frameIndex: [], isMissing: true, ...summary(bad), error: null };
  }

  async #keyOf(clip: ClipPlace, sample: number): Promise<string | null> {
    return (await this.#entryOf(clip, sample))?.key ?? null;
  }

  async #entryOf(
    clip: ClipPlace,
    sample: number,
  ): Promise<{ readonly key: string; readonly label: number | null } | undefined> {
    try {
      return await this.#member(clip).dataset.entry(sample);
    } catch {
      return undefined; // The index itself is what could not be read.
    }
  }

  #member({ member }: Pick<ClipPlace, 'member'>): OpenMember {
    const found = this.#members[member];
    if (found === undefined) throw new TubeletError('TUBE_INTERNAL', { member });
    return found;
  }
}

function failed(bad: readonly BadNote[]): UnitNote {
  const { code, details, sample = 0, key } = bad.at(-1) ?? { code: 'TUBE_INTERNAL', details: {} };
  const error = { code, details };
  return {
    sample,
    key: key ?? '',
    label: null,
    frameIndex: [],
    isMissing: true,
    ...summary(bad),
    error,
  };
}

function summary(bad: readonly BadNote[]): Pick<UnitNote, 'bad' | 'numBad'> {
  return { bad: bad.slice(0, MAX_BAD_NOTES), numBad: bad.length };
}
