/** Which clip stands where in every batch of a run on one rank: arithmetic only, the same in the trainer and in all workers. */

import { TubeletError } from '../core/index.ts';
import { listViews } from '../sample/index.ts';
import type { View } from '../sample/index.ts';
import type { Member } from './members.ts';
import type { RunOptions } from './options.ts';
import { createSequence } from './order/sequence.ts';
import { batchPositions, countBatches, orderPosition, planEpoch } from './order/split.ts';
import type { EpochPlan } from './order/split.ts';

/** A clip of a batch. */
export interface ClipPlace {
  readonly epoch: number;
  /** Position in the order of the epoch. */
  readonly position: number;
  /** Which member of the loader. */
  readonly member: number;
  /** Round of that dataset. */
  readonly round: number;
  /** Position of the sample in that dataset. */
  readonly sample: number;
  /** Which test view, null in training. */
  readonly view: View | null;
  /** Whether the clip comes a second time to fill a batch. */
  readonly isPad: boolean;
}

/** Where a batch stands. */
export interface BatchPlace {
  readonly epoch: number;
  /** Number of the batch in its epoch, from 0. */
  readonly batchIndex: number;
}

/** The batches of one rank. */
export interface Schedule {
  readonly plan: EpochPlan;
  /** Batches of an epoch on this rank. */
  readonly numBatches: number;
  /** The clips of a batch in order, before they are repeated. */
  readonly clips: (place: BatchPlace) => readonly ClipPlace[];
  readonly countClips: (place: BatchPlace) => number;
}

/**
 * Makes the schedule. Quickest when batches come ascending; it remembers the last one.
 *
 * @throws {RangeError} if an option is out of bounds
 */
export function createSchedule(
  members: readonly Omit<Member, 'location' | 'checked'>[],
  run: RunOptions,
): Schedule {
  const { order, epochSamples, rank, recipe } = run;
  const sequence = createSequence({
    ...order,
    datasets: members,
    ...(epochSamples === null ? {} : { epochSamples }),
  });
  const views =
    recipe.views === null ? [null] : listViews(recipe.views.segments, recipe.views.crops);
  const plan = planEpoch({
    numSamples: sequence.epochSamples * views.length,
    batchSize: run.batchSize,
    worldSize: run.worldSize,
    ...(run.remainder === null ? {} : { remainder: run.remainder }),
  });
  const memberOf = new Map(members.map(({ name }, index) => [name, index]));
  let last: { place: BatchPlace; clips: readonly ClipPlace[] } | undefined;
  const clipAt = (epoch: number, planned: number): ClipPlace => {
    const { position, isPad } = orderPosition(plan, planned);
    const { dataset, round, sample } = sequence.at(epoch, Math.floor(position / views.length));
    const member = memberOf.get(dataset);
    if (member === undefined) throw new TubeletError('TUBE_INTERNAL', { dataset });
    const view = views[position % views.length] ?? null;
    return { epoch, position, member, round, sample, view, isPad };
  };
  return {
    plan,
    numBatches: countBatches(plan, rank),
    countClips: ({ batchIndex }) => batchPositions(plan, rank, batchIndex).length,
    clips(place) {
      const { epoch, batchIndex } = place;
      if (last?.place.epoch !== epoch || last.place.batchIndex !== batchIndex) {
        const positions = batchPositions(plan, rank, batchIndex);
        last = { place, clips: positions.map((position) => clipAt(epoch, position)) };
      }
      return last.clips;
    },
  };
}

/** Counts batches from where a run starts; the inverse of nothing, so that neither side keeps a list. */
export function batchPlace(start: BatchPlace, numBatches: number, batch: number): BatchPlace {
  const index = start.batchIndex + batch;
  return { epoch: start.epoch + Math.floor(index / numBatches), batchIndex: index % numBatches };
}
