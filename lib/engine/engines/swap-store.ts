/**
 * States in two sets of buffers: a run reads one set and writes the other, then the sets change places. Nothing is allocated or
 * copied from run to run, which saves hundreds of megabytes of fresh pages a step.
 */

import type { TensorData, TensorForm } from '../graph/graph.ts';
import { allocate, countElements } from '../graph/graph.ts';
import type { NamedSpecs } from '../trace/trace.ts';
import type { StateStore } from './engine.ts';

interface Slot extends TensorForm {
  /** The value; made when first asked for, zero until then. */
  current: TensorData | undefined;
  /** Where the next value goes; made when a program first writes this state. */
  spare: TensorData | undefined;
  isSettled: boolean;
}

/** Two sets of buffers with the contract of a store. */
export interface SwapStore extends StateStore {
  /** The value that a run reads. */
  readonly current: (name: string) => TensorData;
  /** The buffer that a run writes; states that never change have none until asked. */
  readonly spare: (name: string) => TensorData;
  /** Makes what was written to the spare buffers of these states their values. */
  readonly swap: (names: readonly string[]) => void;
  /** Moves a state into an array of its length that is all zero, for good: values from spare buffers are copied into it. */
  readonly settle: (name: string, home: TensorData) => void;
}

/** A store for states, all zero at first. */
export function createSwapStore(state: NamedSpecs): SwapStore {
  const slots = new Map<string, Slot>(
    Object.entries(state).map(([name, { shape, dtype }]) => [
      name,
      { shape, dtype, current: undefined, spare: undefined, isSettled: false },
    ]),
  );
  const slotOf = (name: string): Slot => {
    const slot = slots.get(name);
    if (slot === undefined) throw new RangeError(`"state" has no "${name}".`);
    return slot;
  };
  const currentOf = (slot: Slot): TensorData => (slot.current ??= allocateFor(slot));
  return {
    write: (values) => {
      for (const [name, data] of Object.entries(values)) currentOf(slotOf(name)).set(data);
    },
    read: (names) =>
      Object.fromEntries(names.map((name) => [name, currentOf(slotOf(name)).slice()])),
    dispose: () => slots.clear(),
    current: (name) => currentOf(slotOf(name)),
    spare: (name) => {
      const slot = slotOf(name);
      return (slot.spare ??= allocateFor(slot));
    },
    swap: (names) => {
      for (const name of names) {
        const slot = slotOf(name);
        if (slot.spare === undefined) continue;
        if (slot.isSettled) currentOf(slot).set(slot.spare);
        else [slot.current, slot.spare] = [slot.spare, slot.current];
      }
    },
    settle: (name, home) => {
      const slot = slotOf(name);
      if (slot.current !== undefined) home.set(slot.current);
      slot.current = home;
      slot.isSettled = true;
    },
  };
}

function allocateFor({ shape, dtype }: TensorForm): TensorData {
  return allocate(dtype, countElements(shape));
}
