/** What the training loop is given: the job, and who wants to hear of it. */

import type { CompileOptions, Program } from '../engine/index.ts';
import type { Batch, LoaderInfo, LoaderOptions, LoaderSource } from '../load/index.ts';
import type { NamedParameter, ParameterShapes } from '../model/index.ts';
import type { OptimizerSection, SaveSection } from '../recipes/index.ts';
import type { Best } from './checkpoint.ts';
import type { ParameterRules } from './optimizer/parameter-groups.ts';
import type { TrainStepOptions } from './train-step.ts';

/** Values for the inputs of a step. */
type StepInputs = Readonly<Record<string, Float32Array | Int32Array | readonly number[]>>;

/** Shapes of the inputs of a step. */
type InputSpecs = Readonly<
  Record<string, { readonly shape: readonly number[]; readonly dtype?: 'float32' | 'int32' }>
>;

/** What an epoch's check found. */
interface Validation {
  readonly values: Readonly<Record<string, number>>;
  /** Which of them says what is best. */
  readonly measure: string;
  readonly value: number;
  readonly isHigherBetter: boolean;
}

/** What is trained, and on what. */
export interface TrainingJob {
  /** Folder of the run. */
  readonly folder: string;
  /** Makes the folder, before anything is written into it. */
  readonly makeFolder: () => Promise<void>;
  readonly source: LoaderSource;
  readonly loader: Omit<LoaderOptions, 'batchSize' | 'epochs' | 'seed' | 'cursor'>;
  readonly train: OptimizerSection;
  readonly save: SaveSection;
  readonly shapes: ParameterShapes;
  /** First values of all parameters, one by one. */
  readonly initial: () => Iterable<NamedParameter> | AsyncIterable<NamedParameter>;
  readonly rules: ParameterRules;
  readonly lossOf: TrainStepOptions['lossOf'];
  readonly inputSpecs: (info: LoaderInfo) => InputSpecs;
  readonly inputsOf: (batch: Batch, place: StepPlace) => StepInputs;
  readonly factsOf: (
    info: LoaderInfo,
    plan: { readonly stepsPerEpoch: number; readonly numSteps: number },
  ) => RunFacts;
  /** Looks at the network after an epoch. Default: the loss of the epoch says what is best. */
  readonly validate?: (program: Program, signal?: AbortSignal) => Promise<Validation>;
}

/** Which micro step is under way, both from 0. */
interface StepPlace {
  readonly step: number;
  readonly micro: number;
}

/** What is known before the first step. */
export interface RunFacts {
  readonly numSamples: number;
  readonly numParameters: number;
  /** Clips of a step, before they are repeated. */
  readonly globalBatchSize: number;
  /** Clips of a micro step, repeated ones included. */
  readonly microBatchSize: number;
  readonly stepsPerEpoch: number;
  readonly numSteps: number;
  /** Highest learning rate, as it is used. */
  readonly lr: number;
  readonly tokensPerClip: number;
  /** Tokens that the encoder sees. */
  readonly visibleTokens: number;
  /** Billions of floating point operations of one clip, forward and backward. */
  readonly gflopsPerClip: number;
  /** Estimate of the memory for weights, optimizer, gradients and what a micro step keeps. */
  readonly memoryBytes: number;
}

/** State of a run after a step. */
export interface StepReport {
  readonly step: number;
  readonly numSteps: number;
  /** Step from which this process went on. */
  readonly firstStep: number;
  readonly epoch: number;
  readonly loss: number;
  readonly lr: number;
  readonly clipsPerSecond: number;
  readonly gflops: number;
  /** Time for which the step had to wait for its batches. */
  readonly waitSeconds: number;
  readonly secondsElapsed: number;
}

/** How a run is carried out on this machine, and who hears of it. Nothing here changes what comes out, but for the engine's rounding. */
export interface TrainingHooks {
  readonly resume: boolean;
  readonly engine?: CompileOptions;
  /** Threads of the loader. */
  readonly workers?: number;
  /** Seconds since 1970; given, the run also leaves event files for TensorBoard. */
  readonly wallClock?: () => number;
  /** Ends the run after the step under way, with a checkpoint. */
  readonly signal?: AbortSignal;
  readonly onStart?: (facts: RunFacts) => void;
  readonly onProgress?: (report: StepReport) => void;
  readonly onEpoch?: (epoch: {
    readonly step: number;
    readonly values: Readonly<Record<string, number>>;
  }) => void;
}

/** What came out. */
export interface RunSummary {
  /** Steps that are done. */
  readonly step: number;
  /** Step of the last checkpoint. */
  readonly savedStep: number;
  /** Moving average of the loss. */
  readonly loss: number | null;
  readonly best: Best | null;
  readonly facts: RunFacts;
}
