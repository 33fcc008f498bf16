/** Features of a frozen encoder for all clips of a probe: computed once, and kept in the folder of the run. */

import { join } from 'node:path';
import { TubeletError } from '../core/index.ts';
import { openLoader } from '../load/index.ts';
import type { LoaderSource, SourceDescription } from '../load/index.ts';
import type { ProbeRecipe } from '../recipes/index.ts';
import { hashWeights, openWeights, weightsInMemory, writeSafetensors } from '../weights/index.ts';
import { readNamed } from './checkpoint.ts';
import { clipOptions } from './clip-options.ts';
import { featureNetwork } from './probe-network.ts';
import { listFolder } from './run-folder.ts';
import type { ProbeConfig } from './run-folder.ts';
import { openScorer, scoreClips } from './scorer.ts';
import type { TrainingHooks } from './training-job.ts';

/** Features and labels of all clips. */
export interface ProbeFeatures {
  readonly numClips: number;
  /** `[clips, D]`. */
  readonly rows: Float32Array;
  /** `[clips]`. */
  readonly labels: ArrayLike<number>;
}

/** What features are made of, and who wants to hear of it. */
export interface ProbeFeaturesOptions extends Pick<TrainingHooks, 'engine' | 'workers' | 'signal'> {
  /** Folder of the run. */
  readonly run: string;
  readonly recipe: ProbeRecipe;
  readonly config: ProbeConfig;
  readonly shards: SourceDescription;
  /** Parameters of the encoder. */
  readonly weights: Readonly<Record<string, Float32Array<ArrayBuffer>>>;
  /** Called before the first clip. */
  readonly onCount?: (numClips: number) => void;
  readonly onClip?: (done: number, total: number) => void;
}

const FILE = 'features.safetensors';
/** What is said of features that belong to something else. */
const ORIGINS = { data: 'other shards', weights: 'other weights' } as const;

/**
 * Takes the features that the run has, or computes and keeps them.
 *
 * @throws {TubeletError} TUBE_OPTIONS_DIFFER if those that are there are of other shards or weights; TUBE_LABELS_MISSING,
 * TUBE_WEIGHTS_DAMAGED, what loading and the engine throw
 */
export async function openFeatures(
  source: LoaderSource,
  options: ProbeFeaturesOptions,
): Promise<ProbeFeatures> {
  const { run, config, weights, shards } = options;
  const { shapes } = featureNetwork(config);
  const entries = Object.entries(shapes).map(
    ([name, shape]) => [name, { shape, data: weights[name] ?? new Float32Array() }] as const,
  );
  const origin = {
    data: JSON.stringify([
      shards.fingerprint,
      typeof source === 'string' ? [] : Object.values(source),
    ]),
    weights: await hashWeights(weightsInMemory(entries)),
  };
  const path = join(run, FILE);
  if ((await listFolder(run)).includes(FILE)) {
    const kept = await readFeatures(path, origin);
    options.onCount?.(kept.numClips);
    return kept;
  }
  const computed = await computeFeatures(source, options);
  const { numClips, rows, labels } = computed;
  const tensors = [
    ['features', { shape: [numClips, config.encoder.width], data: rows }],
    ['labels', { shape: [numClips], data: Int32Array.from(labels) }],
  ] as const;
  await writeSafetensors(path, weightsInMemory(tensors), { metadata: origin });
  return computed;
}

async function readFeatures(
  path: string,
  origin: Readonly<Record<keyof typeof ORIGINS, string>>,
): Promise<ProbeFeatures> {
  await using file = await openWeights(path);
  for (const [name, text] of Object.entries(ORIGINS)) {
    if (file.metadata[name] === origin[name as keyof typeof ORIGINS]) continue;
    const message = `the features in this run are of ${text}`;
    throw new TubeletError('TUBE_OPTIONS_DIFFER', { path, message });
  }
  const { features: rows, labels } = await readNamed(file.weights);
  if (rows === undefined || labels === undefined) {
    throw new TubeletError('TUBE_WEIGHTS_DAMAGED', { path });
  }
  return { numClips: labels.length, rows, labels };
}

async function computeFeatures(
  source: LoaderSource,
  options: ProbeFeaturesOptions,
): Promise<ProbeFeatures> {
  const { recipe, config, weights, shards, workers, signal } = options;
  const { seed } = recipe.train;
  const batchSize = Math.min(16, recipe.train.batchSize);
  // A finished clip is the only one of its video.
  const epochs = shards.hasFrames ? recipe.train.clipsPerVideo : 1;
  await using network = await openScorer({
    config,
    ...featureNetwork(config),
    batchSize,
    engine: options.engine,
  });
  network.setState(weights);
  await using loader = await openLoader(source, {
    ...clipOptions(recipe.data, shards),
    batchSize,
    epochs,
    remainder: 'uneven',
    seed,
    ...(workers === undefined ? {} : { workers }),
    ...(signal === undefined ? {} : { signal }),
  });
  const numClips = loader.info.numSamples * epochs;
  options.onCount?.(numClips);
  const { width } = config.encoder;
  const rows = new Float32Array(numClips * width);
  const labels = new Int32Array(numClips);
  let done = 0;
  for await (const { numbers, label, key } of scoreClips(network, loader, config)) {
    if (label < 0) throw new TubeletError('TUBE_LABELS_MISSING', { key });
    if (numbers !== null) rows.set(numbers, done * width);
    labels[done] = label;
    done += 1;
    options.onClip?.(done, numClips);
  }
  return { numClips, rows, labels };
}
