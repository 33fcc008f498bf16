/** What an engine is to a program: something that keeps states and runs a function of named arrays. */

import type { Graph, TensorData } from '../graph/graph.ts';
import type { NamedSpecs, TensorFunction, TraceSpec } from '../trace/trace.ts';

/** Arrays by name. */
export type NamedData = Readonly<Record<string, TensorData>>;

/** Values that stay with the engine from run to run. */
export interface StateStore {
  /** Overwrites states; those not named stay. */
  readonly write: (values: NamedData) => void;
  /** Copies of states. */
  readonly read: (names: readonly string[]) => NamedData;
  readonly dispose: () => void;
}

/** A function that is ready to run. */
export interface Runner {
  /** Runs once: gives the outputs and moves the states on. */
  readonly run: (inputs: NamedData) => Promise<NamedData>;
  readonly dispose: () => Promise<void>;
}

/** What an engine gets to prepare a runner. */
export interface Job {
  readonly fn: TensorFunction;
  readonly spec: TraceSpec;
  /** The traced and optimised graph, made when first asked for. */
  readonly graph: () => Graph;
}

/** States and the runners that share them. */
export interface Workspace {
  readonly store: StateStore;
  readonly prepare: (job: Job) => Promise<Runner>;
}

/** An engine. */
export interface Engine {
  readonly name: string;
  /** A place for states, all zero at first. */
  readonly open: (state: NamedSpecs) => Workspace;
}
