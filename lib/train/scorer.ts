/**
 * A trained network that scores videos: several views of each, merged.
 *
 * Source: VideoMAE's released code (softmax of each view, then the mean). Differs: what cannot be read is missing and is named.
 */

import { TubeletError } from '../core/index.ts';
import { compile } from '../engine/index.ts';
import type { CompileOptions, Program } from '../engine/index.ts';
import type { Batch, LoaderInfo, LoaderSource } from '../load/index.ts';
import { countTokens, positionTable, tokenLength } from '../model/index.ts';
import type { EncoderConfig, ParameterShapes } from '../model/index.ts';
import type { TestSection } from '../recipes/index.ts';
import { recordClassification } from '../records/index.ts';
import type { ClassificationRecord, LabelledVideo } from '../records/index.ts';
import { mergeViews } from '../sample/index.ts';
import type { ViewScore } from '../sample/index.ts';
import { ownData } from './batch-data.ts';
import { openViews } from './open-views.ts';
import type { OpenViewsOptions } from './open-views.ts';
import type { NamedTensors } from './tensors.ts';

/** A network that gives numbers for clips. */
export interface ScorerSpec {
  readonly config: EncoderConfig;
  /** Names and shapes of its parameters. */
  readonly shapes: ParameterShapes;
  /** From parameters and clips to numbers, `[B, width]`. */
  readonly forward: (
    parameters: NamedTensors,
    inputs: { readonly tokens: NamedTensors[string]; readonly positions: NamedTensors[string] },
  ) => NamedTensors[string];
  /** Clips at once. */
  readonly batchSize: number;
  readonly engine?: CompileOptions | undefined;
}

/** Compiles the forward pass. Weights are set with `setState`. */
export async function openScorer({
  config,
  shapes,
  forward,
  batchSize,
  engine,
}: ScorerSpec): Promise<Program> {
  const numTokens = countTokens(config);
  const run = ({ tokens, positions }: NamedTensors, state: NamedTensors): NamedTensors => ({
    numbers: forward(state, { tokens, positions } as never),
  });
  const inputs = {
    tokens: [batchSize, numTokens, tokenLength(config)],
    positions: [numTokens, config.encoder.width],
  };
  return compile(run, { inputs, state: shapes }, engine);
}

/** One clip that went through the network. */
export interface ScoredClip {
  readonly key: string;
  readonly label: number;
  readonly segment: number;
  readonly crop: number;
  /** Null for a clip that could not be read. */
  readonly numbers: Float32Array | null;
}

/** Runs all batches of a loader through the network. A batch that is not full is filled up with zeros. */
export async function* scoreClips(
  program: Program,
  loader: AsyncIterable<Batch>,
  config: EncoderConfig,
): AsyncGenerator<ScoredClip> {
  const length = countTokens(config) * tokenLength(config);
  const batchSize = program.inputs['tokens']?.shape[0] ?? 0;
  const positions = positionTable(countTokens(config), config.encoder.width);
  const tokens = new Float32Array(batchSize * length);
  for await (const batch of loader) {
    tokens.fill(0);
    tokens.set(ownData('pixels', batch.pixels));
    const { numbers } = await program.run({ tokens, positions });
    const width = (numbers?.length ?? 0) / batchSize;
    for (const [i, key] of batch.keys.entries()) {
      const { segment, crop } = batch.views?.[i] ?? { segment: 0, crop: 0 };
      const own = numbers?.slice(i * width, (i + 1) * width) as Float32Array;
      yield {
        key: (batch.datasets[i] ?? '') === '' ? key : `${batch.datasets[i] ?? ''}/${key}`,
        label: batch.labels[i] ?? -1,
        segment,
        crop,
        numbers: batch.isMissing[i] === true ? null : own,
      };
    }
  }
}

/** Where to look and how. */
export interface ScoreOptions extends Omit<OpenViewsOptions, 'batchSize' | 'load'> {
  readonly config: EncoderConfig;
  /** Classes of the network. */
  readonly classes: readonly string[];
  /** Called after each clip. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Scores of a dataset, and from how many views of each video. */
export interface VideoScores {
  readonly record: ClassificationRecord;
  readonly views: TestSection;
}

/**
 * Scores all videos of a dataset and compares with their labels.
 *
 * @throws {TubeletError} TUBE_LABELS_MISSING, TUBE_CLIPS_DIFFER, what loading throws
 * @throws {RangeError} if a class of the dataset is none of `classes`
 */
export async function scoreVideos(
  program: Program,
  source: LoaderSource,
  { config, classes, onProgress, ...options }: ScoreOptions,
): Promise<VideoScores> {
  const batchSize = program.inputs['tokens']?.shape[0] ?? 1;
  const { loader, views } = await openViews(source, { ...options, batchSize });
  await using _closing = loader;
  const classOf = mapClasses(loader.info, classes);
  const videos = new Map<string, LabelledVideo>();
  const scores: ViewScore[] = [];
  let done = 0;
  for await (const { key, label, segment, crop, numbers } of scoreClips(program, loader, config)) {
    videos.set(key, { key, label: classOf(key, label) });
    if (numbers !== null) scores.push({ key, segment, crop, logits: numbers });
    onProgress?.(++done, loader.info.numSamples);
  }
  const plannedViews = views.segments * views.crops;
  const record = recordClassification(videos.values(), mergeViews(scores), {
    classNames: classes,
    plannedViews,
  });
  return { record, views };
}

/** Classes of a dataset have numbers of their own; their names say which ones they are in training. */
function mapClasses(
  { classes: own }: LoaderInfo,
  classes: readonly string[],
): (key: string, label: number) => number {
  if (own.length === 0) throw new TubeletError('TUBE_LABELS_MISSING');
  const unknown = own.filter((name) => !classes.includes(name));
  if (unknown.length > 0) {
    throw new RangeError(
      `"val" must have classes that were trained (got "${unknown.slice(0, 3).join('", "')}").`,
    );
  }
  const numbers = own.map((name) => classes.indexOf(name));
  return (key, label) => {
    const number = numbers[label];
    if (number === undefined) throw new TubeletError('TUBE_LABELS_MISSING', { key });
    return number;
  };
}
