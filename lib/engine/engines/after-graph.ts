/** Updates that follow a graph, in memory that the programs of a store share. */

import type { AdamwUpdate } from '../passes/updates.ts';
import { placeParameters } from './adamw-memory.ts';
import type { AdamwPlace } from './adamw-memory.ts';
import type { NamedData } from './engine.ts';
import type { SwapStore } from './swap-store.ts';

/** Does updates of the states of a store. */
export interface AfterGraph {
  /**
   * Moves the states of updates to where they can be done, if they are not there yet. Gives false, and moves none, if there is no memory
   * for them, if the processor has no vectors, or if one of them already lives with another parameter.
   */
  readonly admit: (updates: readonly AdamwUpdate[]) => boolean;
  /** Where the graph is to write the gradient of an admitted update. */
  readonly gradient: (update: AdamwUpdate) => Float32Array;
  /** Does an admitted update, given the scalars among the outputs of the graph. */
  readonly move: (update: AdamwUpdate, outputs: NamedData) => void;
  /** Forgets all memory. */
  readonly dispose: () => void;
}

const STATES = ['parameter', 'first', 'second'] as const;

/** For the states of a store; takes no memory before an update needs it. */
export function createAfterGraph(store: SwapStore): AfterGraph {
  const places = new Map<string, AdamwPlace>();
  const settled = new Set<string>();
  const placeOf = (update: AdamwUpdate): AdamwPlace => {
    const place = places.get(keyOf(update));
    if (place === undefined) throw new RangeError(`"${update.parameter}" has no update.`);
    return place;
  };
  return {
    admit: (updates) => {
      const fresh = updates.filter((update) => !places.has(keyOf(update)));
      if (fresh.some((update) => STATES.some((kind) => settled.has(update[kind])))) return false;
      const made = tryToPlace(fresh);
      if (made === undefined) return false;
      for (const [update, place] of made) {
        places.set(keyOf(update), place);
        for (const kind of STATES) {
          settled.add(update[kind]);
          store.settle(update[kind], place[kind]);
        }
      }
      return true;
    },
    gradient: (update) => placeOf(update).gradient,
    move: (update, outputs) => {
      const { beta1, beta2, epsilon } = update;
      const scalar = (name: string): number => outputs[name]?.[0] ?? 0;
      placeOf(update).move({
        rate: scalar(update.rate),
        keep: scalar(update.keep),
        correction: scalar(update.correction),
        beta1,
        gain1: 1 - beta1,
        beta2,
        gain2: 1 - beta2,
        epsilon,
      });
    },
    dispose: () => places.clear(),
  };
}

function keyOf(update: AdamwUpdate): string {
  return STATES.map((kind) => update[kind]).join(' ');
}

/** Updates with their places; undefined without vectors or memory. */
function tryToPlace(updates: readonly AdamwUpdate[]): [AdamwUpdate, AdamwPlace][] | undefined {
  try {
    const places = placeParameters(updates.map(({ length }) => length));
    return updates.flatMap((update, index) => {
      const place = places[index];
      return place === undefined ? [] : [[update, place]];
    });
  } catch (error) {
    const isMissing = error instanceof Error && MISSING.has(error.name);
    if (!isMissing) throw error;
    return undefined;
  }
}

/** Names of the errors of WebAssembly for no memory and no vectors; the class of the second is not among the types of Node.js. */
const MISSING: ReadonlySet<string> = new Set(['RangeError', 'CompileError']);
