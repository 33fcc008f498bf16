/**
 * States in two sets of buffers: a run reads one set and writes the other, then the sets change places. Nothing is allocated or
 * copied from run to run, which saves hundreds of megabytes of fresh pages a step.
 */

import type { TensorData, TensorForm } from '../graph/graph.ts';
import { allocate, countElements } from '../graph/graph.ts';
import type { NamedSpecs } from '../trace/trace.ts';
import type { StateStore } from './engine.ts';

interface Slot extends TensorForm {
  current: TensorData;
  /** Where the next value goes; made when a program first writes this state. */
  spare: TensorData | undefined;
}

/** Two sets of buffers with the contract of a store. */
export interface SwapStore extends StateStore {
  /** The value that a run reads. */
  readonly current: (name: string) => TensorData;
  /** The buffer that a run writes; states that never change have none until asked. */
  readonly spare: (name: string) => TensorData;
  /** Makes what was written to the spare buffers of these states their values. */
  readonly swap: (names: readonly string[]) => void;
}

/** A store for states, all zero at first. */
export function createSwapStore(state: NamedSpecs): SwapStore {
  const slots = new Map<string, Slot>(
    Object.entries(state).map(([name, { shape, dtype }]) => {
      const current = allocate(dtype, countElements(shape));
      return [name, { shape, dtype, current, spare: undefined }];
    }),
  );
  const slotOf = (name: string): Slot => {
    const slot = slots.get(name);
    if (slot === undefined) throw new RangeError(`"state" has no "${name}".`);
    return slot;
  };
  return {
    write: (values) => {
      for (const [name, data] of Object.entries(values)) slotOf(name).current.set(data);
    },
    read: () =>
      Object.fromEntries([...slots].map(([name, { current }]) => [name, current.slice()])),
    dispose: () => slots.clear(),
    current: (name) => slotOf(name).current,
    spare: (name) => {
      const slot = slotOf(name);
      slot.spare ??= allocate(slot.dtype, slot.current.length);
      return slot.spare;
    },
    swap: (names) => {
      for (const name of names) {
        const slot = slotOf(name);
        if (slot.spare === undefined) continue;
        [slot.current, slot.spare] = [slot.spare, slot.current];
      }
    },
  };
}
