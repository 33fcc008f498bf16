/** A batch as the trainer gets it: views of shared memory, and what is known about each clip. */

import { TubeletError } from '../core/index.ts';
import { softTargets } from '../sample/index.ts';
import type { Mix, SoftTargetOptions, View } from '../sample/index.ts';
import type { Dtype } from './clip/batch-tensors.ts';
import { drawBatchMix } from './draw-batch-mix.ts';
import type { Member } from './members.ts';
import type { RunOptions } from './options.ts';
import type { Ring } from './ring.ts';
import type { BatchPlace, ClipPlace } from './schedule.ts';
import type { UnitNote } from './unit-loader.ts';

/** The array type of each type of numbers. */
export interface DtypeArrays {
  readonly uint8: Uint8Array;
  readonly int32: Int32Array;
  readonly float32: Float32Array;
}

/** Numbers with a shape. `data` views memory of the loader and is valid until the next batch is asked for. */
export type BatchTensor<Kind extends Dtype = Dtype> = Kind extends Dtype
  ? { readonly dtype: Kind; readonly shape: readonly number[]; readonly data: DtypeArrays[Kind] }
  : never;

/** One batch. `B` counts clips with their repeats; lists have one entry per clip. */
export interface Batch {
  readonly epoch: number;
  /** Number of the batch in its epoch, from 0. */
  readonly batchIndex: number;
  /** Batches of this rank before this one, over all epochs. */
  readonly step: number;
  /** Keys of the samples. */
  readonly keys: readonly string[];
  /** Positions of the samples in their datasets. */
  readonly samples: readonly number[];
  /** Names of the datasets; `''` when there is one. */
  readonly datasets: readonly string[];
  /** Class ids, int32 `[B]`; -1 for samples without one. */
  readonly labels: Int32Array;
  /** Index of each frame among the decoded frames of its video. */
  readonly frameIndex: readonly (readonly number[])[];
  /** Which test view each clip is; null in training. */
  readonly views: readonly View[] | null;
  /** Whether a clip comes a second time in this epoch, to fill the batch. */
  readonly isPad: readonly boolean[];
  /** Whether a clip could not be read; its pixels are 0. Only with `onError: 'missing'`. */
  readonly isMissing: readonly boolean[];
  /** Clips: `[B, N, P]` in form `tubelets`, `[B, T, H, W, 3]` in form `frames`; with a mask not there. */
  readonly pixels?: BatchTensor<'uint8'> | BatchTensor<'float32'>;
  /** Visible tokens in ascending order, `[B, Nvis, P]`; only with a mask, as the following. */
  readonly visible?: BatchTensor<'uint8'> | BatchTensor<'float32'>;
  /** What the masked tokens hold, `[B, Nmask, P]`, in ascending order. */
  readonly target?: BatchTensor<'uint8'> | BatchTensor<'float32'>;
  /** Which tokens are visible, 0 … N - 1, int32 `[B, Nvis]`. */
  readonly visibleTokens?: BatchTensor<'int32'>;
  /** Which tokens are masked, 0 … N - 1, int32 `[B, Nmask]`. */
  readonly maskedTokens?: BatchTensor<'int32'>;
  /** Mixed and smoothed labels, float32 `[B, numClasses]`; with `mix` or `smoothing`. */
  readonly softLabels?: BatchTensor<'float32'>;
  /** How the clips were mixed. */
  readonly mix?: Mix;
}

/** What a batch is put together from. */
export interface BatchParts {
  readonly ring: Ring;
  /** Number of the batch in this run. */
  readonly batch: number;
  readonly place: BatchPlace;
  readonly step: number;
  readonly clips: readonly ClipPlace[];
  readonly notes: readonly UnitNote[];
  readonly members: readonly Pick<Member, 'name'>[];
  readonly run: RunOptions;
}

/**
 * Puts a batch together.
 *
 * @throws {TubeletError} TUBE_LABELS_MISSING, if soft labels are wanted and a sample has no label
 * @throws {RangeError} naming the key, if a label is no class
 */
export function assembleBatch(parts: BatchParts): Batch {
  const { ring, batch, place, step, clips, notes, members, run } = parts;
  const { repeats } = run;
  const perClip = <T>(values: readonly T[]): T[] =>
    repeats === 1
      ? [...values]
      : values.flatMap((value) => Array.from({ length: repeats }, () => value));
  const labels = Int32Array.from(perClip(notes.map(({ label }) => label ?? -1)));
  const mix = drawBatchMix(run, clips);
  const views = clips.flatMap(({ view }) => (view === null ? [] : [view]));
  return {
    ...place,
    step,
    keys: perClip(notes.map(({ key }) => key)),
    samples: perClip(notes.map(({ sample }) => sample)),
    datasets: perClip(clips.map(({ member }) => members[member]?.name ?? '')),
    labels,
    frameIndex: perClip(notes.map(({ frameIndex }) => frameIndex)),
    views: views.length === 0 ? null : perClip(views),
    isPad: perClip(clips.map(({ isPad }) => isPad)),
    isMissing: perClip(notes.map(({ isMissing }) => isMissing)),
    ...tensorsOf(ring, batch, clips.length * repeats),
    ...(run.softLabels === null
      ? {}
      : { softLabels: softLabels(notes, labels, { ...run.softLabels, lambda: mix?.lambda ?? 1 }) }),
    ...(mix === undefined ? {} : { mix }),
  };
}

function tensorsOf(ring: Ring, batch: number, numClips: number): Partial<Batch> {
  const views = ring.tensors(batch, numClips);
  return Object.fromEntries(
    ring.layout.tensors.map(({ name, dtype, shape }) => [
      name,
      { dtype, shape: [numClips, ...shape], data: views[name] },
    ]),
  );
}

function softLabels(
  notes: readonly UnitNote[],
  labels: Int32Array,
  options: Required<SoftTargetOptions>,
): BatchTensor<'float32'> {
  const { numClasses } = options;
  for (const { key, label } of notes) {
    if (label === null) throw new TubeletError('TUBE_LABELS_MISSING', { key });
    if (label >= numClasses) {
      throw new RangeError(
        `"numClasses" must be above all class ids (got ${numClasses}, and ${label} for ${key}).`,
      );
    }
  }
  const data = softTargets(labels, options);
  return { dtype: 'float32', shape: [labels.length, numClasses], data };
}
