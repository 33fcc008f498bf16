/** What the trainer's thread and the workers tell each other. The data itself goes through the ring. */

import type { PlainError } from '../core/index.ts';
import type { StoreOptions } from '../shard/index.ts';
import type { RunJob } from './batch-filler.ts';
import type { RingLayout, RingMemory } from './ring.ts';

/** What a worker is started with. */
export interface WorkerJob {
  readonly run: RunJob;
  readonly layout: RingLayout;
  readonly memory: RingMemory;
  readonly store: StoreOptions;
  /** Of the datasets as the trainer's thread opened them. */
  readonly fingerprint: string;
}

/** What one worker is started with. */
export interface WorkerStart {
  readonly job: WorkerJob;
  /** Memory of the {@link ExitGuard}. */
  readonly guard: SharedArrayBuffer;
  /** Number of the worker, from 0. */
  readonly worker: number;
}

/** From the trainer's thread. Both only wake: what counts stands in the ring. */
export type HostMessage = { readonly kind: 'released' } | { readonly kind: 'stop' };

/** From a worker. */
export type WorkerMessage =
  | { readonly kind: 'whole'; readonly batch: number }
  | { readonly kind: 'failed'; readonly error: PlainError };
