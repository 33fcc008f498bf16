/** What an ablation is told, and what it tells. */

import type { Readout } from '../../recipes/index.ts';
import type { OpenRunOptions, TrainingHooks } from '../../train/index.ts';
import type { AblationChoice } from './plan.ts';

/** Where an ablation takes its videos from. */
export interface AblationData {
  /** Shards of pre-training. */
  readonly source: string;
  /** Shards whose labels the heads learn from. Default: `source`. */
  readonly labelled?: string;
  /** Shards to evaluate on. */
  readonly val: string;
}

/** Options of {@link ablate}. */
export interface AblateOptions extends AblationChoice, AblationData, OpenRunOptions, Machine {
  /** Folder of the ablation. */
  readonly out: string;
  /** Called before the first run; for it some steps are measured. */
  readonly onEstimate?: (estimate: AblationEstimate) => void;
  readonly onProgress?: (progress: AblationProgress) => void;
}

/** What is still to be done. */
export interface AblationEstimate {
  readonly numRuns: number;
  /** More or less. */
  readonly seconds: number;
}

/** How far an ablation is. */
export interface AblationProgress {
  readonly run: string;
  /** Place of the run among all, from 1. */
  readonly number: number;
  readonly numRuns: number;
  readonly stage: 'pretrain' | Readout;
  /** Loss of pre-training, or null. */
  readonly loss: number | null;
  /** Billions of floating point operations: of all runs, of what is done, and of what was done before this call. */
  readonly gflopsTotal: number;
  readonly gflopsDone: number;
  readonly gflopsBefore: number;
}

/** How runs are carried out on this machine. */
export type Machine = Pick<TrainingHooks, 'engine' | 'workers' | 'signal'>;

/** The part of the options that says so. */
export function machineOf({ engine, workers, signal }: Machine): Machine {
  return {
    ...(engine === undefined ? {} : { engine }),
    ...(workers === undefined ? {} : { workers }),
    ...(signal === undefined ? {} : { signal }),
  };
}
