/**
 * Linear probe: how well a frozen encoder tells classes apart. Its features are computed once; only the head is trained.
 *
 * Source: the appendix of VideoMAE (Tong et al. 2022) for the optimizer; what it leaves open is as in MAE (He et al. 2022).
 */

import { TubeletError, createPermutation, createRng } from '../core/index.ts';
import { compile } from '../engine/index.ts';
import { openLoader } from '../load/index.ts';
import type { LoaderSource, SourceDescription } from '../load/index.ts';
import { encoderShapes, probeFeatures } from '../model/index.ts';
import type { ProbeRecipe } from '../recipes/index.ts';
import { MetricsLog } from '../records/index.ts';
import { softTargets } from '../sample/index.ts';
import { saveCheckpoint } from './checkpoint.ts';
import { clipConfig, clipOptions } from './clip-options.ts';
import { describeLabelled } from './describe-labelled.ts';
import { encoderOf } from './encoder-of.ts';
import { loadExactly } from './load-initial.ts';
import { MOMENTUM_PREFIX, createProbeStep, probeShapes } from './probe-head.ts';
import { openRunFolder } from './run-folder.ts';
import type { OpenRunOptions, ProbeConfig } from './run-folder.ts';
import { cosineSchedule, scaleRate } from './schedule.ts';
import { openScorer, scoreClips } from './scorer.ts';
import type { TrainingHooks } from './training-job.ts';

/** Options of {@link probe}. */
export interface ProbeOptions
  extends Pick<TrainingHooks, 'engine' | 'workers' | 'signal'>, Omit<OpenRunOptions, 'resume'> {
  /** Folder of the run. */
  readonly out: string;
  readonly recipe: ProbeRecipe;
  /** File with the weights of a pre-trained network. */
  readonly from: string;
  readonly onProgress?: (report: ProbeProgress) => void;
}

/** How far a probe is. */
export interface ProbeProgress {
  readonly stage: 'features' | 'head';
  readonly done: number;
  readonly total: number;
}

/** What came out. */
export interface ProbeSummary {
  readonly numClips: number;
  readonly numSteps: number;
  /** Mean loss of the last epoch. */
  readonly loss: number;
}

interface Features {
  readonly width: number;
  readonly rows: readonly Float32Array[];
  readonly labels: readonly number[];
}

/**
 * Trains a linear probe on shards with labels and leaves a run in a folder. Clips that cannot be read are an error.
 *
 * @throws {TubeletError} as {@link openRunFolder}, TUBE_LABELS_MISSING, TUBE_CLIPS_DIFFER, TUBE_WEIGHTS_MISMATCH, what loading and the
 * engine throw
 * @throws {RangeError} naming the value of the recipe that is wrong
 * @throws the reason of `signal`
 */
export async function probe(source: LoaderSource, options: ProbeOptions): Promise<ProbeSummary> {
  const { out, recipe, from, overwrite } = options;
  const shards = await describeLabelled(source, recipe.data);
  const { classes } = shards;
  const config: ProbeConfig = {
    ...clipConfig(recipe.data),
    encoder: encoderOf(recipe.model),
    numClasses: classes.length,
    batchNorm: recipe.train.batchNorm,
  };
  const shapes = encoderShapes(config);
  const weights = await loadExactly(shapes, from);
  const run = { v: 1, recipe, model: { kind: 'probe', config }, classes, from } as const;
  await openRunFolder(out, run, { overwrite, resume: false });
  const features = await computeFeatures(source, { ...options, config, weights, shards });
  const head = await trainHead(features, { ...options, config });
  const { loss, numSteps, state } = head;
  await saveCheckpoint(out, {
    progress: {
      v: 1,
      step: numSteps,
      cursor: null,
      lossSum: 0,
      average: loss,
      lowest: null,
      badSteps: 0,
      best: null,
    },
    state: { ...weights, ...state },
    shapes: { ...shapes, ...probeShapes(config) },
    keep: 1,
  });
  return { numClips: features.rows.length, numSteps, loss };
}

async function computeFeatures(
  source: LoaderSource,
  options: ProbeOptions & {
    readonly config: ProbeConfig;
    readonly weights: Record<string, Float32Array>;
    readonly shards: SourceDescription;
  },
): Promise<Features> {
  const { recipe, config, weights, shards, workers, signal, onProgress } = options;
  const { seed, batchSize } = recipe.train;
  // A finished clip is the only one of its video.
  const clipsPerVideo = shards.hasFrames ? recipe.train.clipsPerVideo : 1;
  await using network = await openScorer({
    config,
    shapes: encoderShapes(config),
    forward: (parameters, inputs) => probeFeatures(parameters, inputs as never, config),
    batchSize: Math.min(16, batchSize),
    engine: options.engine,
  });
  network.setState(weights);
  await using loader = await openLoader(source, {
    ...clipOptions(recipe.data, shards),
    batchSize: Math.min(16, batchSize),
    epochs: clipsPerVideo,
    remainder: 'uneven',
    seed,
    ...(workers === undefined ? {} : { workers }),
    ...(signal === undefined ? {} : { signal }),
  });
  const rows: Float32Array[] = [];
  const labels: number[] = [];
  const total = loader.info.numSamples * clipsPerVideo;
  for await (const { numbers, label, key } of scoreClips(network, loader, config)) {
    if (label < 0) throw new TubeletError('TUBE_LABELS_MISSING', { key });
    if (numbers === null) continue;
    rows.push(numbers);
    labels.push(label);
    onProgress?.({ stage: 'features', done: rows.length, total });
  }
  return { width: config.encoder.width, rows, labels };
}

async function trainHead(
  features: Features,
  options: ProbeOptions & { readonly config: ProbeConfig },
): Promise<{
  readonly loss: number;
  readonly numSteps: number;
  readonly state: Readonly<Record<string, Float32Array>>;
}> {
  const { out, config, engine, signal, onProgress, recipe } = options;
  const { epochs, warmupEpochs, lr, seed } = recipe.train;
  const { rows, labels, width } = features;
  const { numClasses } = config;
  const batchSize = Math.min(recipe.train.batchSize, rows.length);
  const stepsPerEpoch = Math.floor(rows.length / batchSize);
  const numSteps = epochs * stepsPerEpoch;
  const rateAt = cosineSchedule({
    base: scaleRate(lr, batchSize),
    final: 0,
    numSteps,
    warmupSteps: warmupEpochs * stepsPerEpoch,
  });
  const shapes = probeShapes(config);
  const momentum = ['head.weight', 'head.bias'].map((name) => [
    `${MOMENTUM_PREFIX}${name}`,
    shapes[name] ?? [],
  ]);
  await using program = await compile(
    createProbeStep(recipe.train),
    {
      inputs: { features: [batchSize, width], targets: [batchSize, numClasses], lr: [] },
      state: { ...shapes, ...(Object.fromEntries(momentum) as typeof shapes) },
    },
    engine,
  );
  program.setState({
    'head.weight': drawHead(numClasses * width, seed),
    ...(config.batchNorm ? { 'bn.running_var': new Float32Array(width).fill(1) } : {}),
  });
  await using log = await MetricsLog.open(out, { lastStep: null });
  let lossSum = 0;
  for (let step = 0; step < numSteps; step++) {
    signal?.throwIfAborted();
    const epoch = Math.floor(step / stepsPerEpoch);
    const orderOf = createPermutation(rows.length, seed, 'probe', epoch);
    const start = (step % stepsPerEpoch) * batchSize;
    const chosen = Array.from({ length: batchSize }, (_, i) => orderOf(start + i));
    const { loss } = await program.run({
      features: gather(chosen, rows, width),
      targets: softTargets(
        chosen.map((i) => labels[i] ?? 0),
        { numClasses, smoothing: 0 },
      ),
      lr: [rateAt(step)],
    });
    lossSum += loss?.[0] ?? Number.NaN;
    onProgress?.({ stage: 'head', done: step + 1, total: numSteps });
    if ((step + 1) % stepsPerEpoch !== 0) continue;
    const values = { epoch: epoch + 1, loss: lossSum / stepsPerEpoch };
    await log.append({ step: step + 1, kind: 'epoch', values });
    if (step + 1 < numSteps) lossSum = 0;
  }
  const all = program.readState() as Readonly<Record<string, Float32Array>>;
  const state = Object.fromEntries(Object.entries(all).filter(([name]) => name in shapes));
  return { loss: lossSum / stepsPerEpoch, numSteps, state };
}

/** Weights with deviation 0.01, as in MAE's probe. */
function drawHead(count: number, seed: number): Float32Array {
  const rng = createRng(seed, 'probe', 'head.weight');
  return Float32Array.from({ length: count }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - rng.uniform()));
    return 0.01 * radius * Math.cos(2 * Math.PI * rng.uniform());
  });
}

function gather(
  chosen: readonly number[],
  rows: readonly Float32Array[],
  width: number,
): Float32Array {
  const block = new Float32Array(chosen.length * width);
  for (const [place, i] of chosen.entries()) block.set(rows[i] ?? [], place * width);
  return block;
}
