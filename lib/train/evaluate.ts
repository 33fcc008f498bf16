/** Evaluation: how many videos of a set a trained network names right, several views of each. */

import type { CompileOptions } from '../engine/index.ts';
import type { LoaderSource } from '../load/index.ts';
import type { TestSection } from '../recipes/index.ts';
import type { ClassificationRecord } from '../records/index.ts';
import type { WeightsChoice } from './checkpoint.ts';
import { openNetwork } from './open-network.ts';
import { readRunConfig } from './run-folder.ts';
import { scoreVideos } from './scorer.ts';

/** Options of {@link evaluate}. */
export interface EvaluateOptions {
  /** Views of each video. Default: those of the run's recipe. */
  readonly views?: TestSection;
  /** Which checkpoint. Default `'best'`. */
  readonly which?: WeightsChoice;
  /** Clips at once. Default 16. */
  readonly batchSize?: number;
  readonly engine?: CompileOptions;
  /** Threads of the loader. */
  readonly workers?: number;
  readonly signal?: AbortSignal;
  /** Called after each clip. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What an evaluation found. */
export interface Evaluation extends ClassificationRecord {
  readonly views: TestSection;
  readonly classNames: readonly string[];
}

/**
 * Evaluates the network of a run. Clips that cannot be read are missing: their videos count as wrong and are named.
 *
 * @throws {TubeletError} TUBE_RUN_NOT_FOUND, TUBE_RUN_DAMAGED, TUBE_LABELS_MISSING, TUBE_CLIPS_DIFFER, what loading, weights and the engine throw
 * @throws {RangeError} if the run has no classes, or a class of the set was not trained
 */
export async function evaluate(
  run: string,
  source: LoaderSource,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const { which = 'best', batchSize = 16, engine, workers, signal, onProgress } = options;
  const { recipe, model, classes } = await readRunConfig(run);
  const own = recipe.task === 'pretrain' ? { segments: 1, crops: 1 } : recipe.test;
  await using program = await openNetwork(run, model, {
    output: 'scores',
    which,
    batchSize,
    engine,
  });
  const { record, views } = await scoreVideos(program, source, {
    clip: recipe.data,
    own,
    asked: options.views,
    workers,
    signal,
    onProgress,
    config: model.config,
    classes,
  });
  return { ...record, views, classNames: classes };
}
