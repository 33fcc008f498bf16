/** The training of a probe's head on features that are there. Its place is kept after each epoch, so that it can go on from there. */

import { join } from 'node:path';
import { TubeletError, createPermutation, createRng } from '../core/index.ts';
import { compile } from '../engine/index.ts';
import type { Program } from '../engine/index.ts';
import { softTargets } from '../sample/index.ts';
import { openWeights, weightsInMemory, writeSafetensors } from '../weights/index.ts';
import { readNamed } from './checkpoint.ts';
import type { StateData } from './checkpoint.ts';
import type { ProbeFeatures } from './probe-features.ts';
import { MOMENTUM_PREFIX, createProbeStep, probeShapes } from './probe-head.ts';
import type { ProbeStepOptions } from './probe-head.ts';
import { listFolder } from './run-folder.ts';
import type { ProbeConfig } from './run-folder.ts';
import { RunLog } from './run-log.ts';
import { cosineSchedule } from './schedule.ts';
import type { RunFacts, TrainingHooks } from './training-job.ts';
import { watchLoss } from './watch-loss.ts';
import type { LossWatch } from './watch-loss.ts';

/** How a head is trained, and who wants to hear of it. */
export interface TrainHeadOptions extends Pick<TrainingHooks, 'engine' | 'signal' | 'wallClock'> {
  /** Folder of the run. */
  readonly run: string;
  readonly config: ProbeConfig;
  readonly train: ProbeStepOptions & { readonly warmupEpochs: number; readonly seed: number };
  readonly facts: RunFacts;
  readonly onStep?: (step: {
    readonly step: number;
    readonly loss: number;
    readonly lr: number;
  }) => void;
}

/** A trained head. */
export interface TrainedHead {
  /** Mean loss of the last epoch. */
  readonly loss: number;
  /** Parameters of the head and running statistics. */
  readonly state: StateData;
}

/** Where a head stands after an epoch. */
interface HeadPlace extends LossWatch {
  readonly step: number;
  /** Mean loss of the epoch. */
  readonly loss: number;
}

const FILE = 'head.safetensors';
const START: HeadPlace = { step: 0, loss: Number.NaN, average: null, lowest: null, badSteps: 0 };

/**
 * Trains the head to its end, from where the run stands.
 *
 * @throws {TubeletError} TUBE_LOSS_DIVERGED, TUBE_WEIGHTS_DAMAGED, TUBE_RUN_DAMAGED, what the engine and writing throw
 * @throws the reason of `signal`
 */
export async function trainHead(
  features: ProbeFeatures,
  options: TrainHeadOptions,
): Promise<TrainedHead> {
  const { run, config, train, facts, signal } = options;
  const { numSteps, stepsPerEpoch, globalBatchSize: batchSize } = facts;
  const { width } = config.encoder;
  const warmupSteps = train.warmupEpochs * stepsPerEpoch;
  const rateAt = cosineSchedule({ base: facts.lr, final: 0, numSteps, warmupSteps });
  await using program = await compile(
    createProbeStep(train),
    {
      inputs: { features: [batchSize, width], targets: [batchSize, config.numClasses], lr: [] },
      state: stateShapes(config),
    },
    options.engine,
  );
  let place = await restore(program, options);
  await using log = await RunLog.open(run, place.step === 0 ? null : place.step, options.wallClock);
  while (place.step < numSteps) {
    const epoch = place.step / stepsPerEpoch;
    const orderOf = createPermutation(features.numClips, train.seed, 'probe', epoch);
    let watch: LossWatch = place;
    let sum = 0;
    for (let i = 0; i < stepsPerEpoch; i++) {
      signal?.throwIfAborted();
      const step = place.step + i;
      const chosen = Array.from({ length: batchSize }, (_, k) => orderOf(i * batchSize + k));
      const lr = rateAt(step);
      const results = await program.run({ ...batchOf(features, chosen, config), lr: [lr] });
      const loss = results['loss']?.[0] ?? Number.NaN;
      watch = watchLoss(watch, { step: step + 1, loss, gradNorm: 0 });
      sum += loss;
      await log.append({ step: step + 1, kind: 'train', values: { loss, lr } });
      options.onStep?.({ step: step + 1, loss, lr });
    }
    const { average, lowest, badSteps } = watch;
    const loss = sum / stepsPerEpoch;
    place = { step: place.step + stepsPerEpoch, loss, average, lowest, badSteps };
    await log.append({ step: place.step, kind: 'epoch', values: { epoch: epoch + 1, loss } });
    await log.flush();
    await keep(program, place, options);
  }
  const shapes = probeShapes(config);
  const state = Object.entries(program.readState()).filter(([name]) => name in shapes);
  return { loss: place.loss, state: Object.fromEntries(state) };
}

function stateShapes(config: ProbeConfig): ReturnType<typeof probeShapes> {
  const shapes = probeShapes(config);
  const momentum = ['head.weight', 'head.bias'].map((name) => [
    `${MOMENTUM_PREFIX}${name}`,
    shapes[name] ?? [],
  ]);
  return { ...shapes, ...(Object.fromEntries(momentum) as typeof shapes) };
}

/** Puts the state of the last whole epoch into the program, or the first one. */
async function restore(
  program: Program,
  { run, config, train }: TrainHeadOptions,
): Promise<HeadPlace> {
  const { width } = config.encoder;
  if ((await listFolder(run)).includes(FILE)) {
    await using file = await openWeights(join(run, FILE));
    const { place } = file.metadata;
    if (place === undefined) throw new TubeletError('TUBE_RUN_DAMAGED', { path: join(run, FILE) });
    program.setState(await readNamed(file.weights));
    return JSON.parse(place) as HeadPlace;
  }
  program.setState({
    'head.weight': drawHead(config.numClasses * width, train.seed),
    ...(config.batchNorm ? { 'bn.running_var': new Float32Array(width).fill(1) } : {}),
  });
  return START;
}

/** Writes the state and its place as one file, whole or not at all. */
async function keep(
  program: Program,
  place: HeadPlace,
  { run, config }: TrainHeadOptions,
): Promise<void> {
  const shapes = stateShapes(config);
  const tensors = Object.entries(program.readState() as StateData).map(
    ([name, data]) =>
      [name, { shape: shapes[name] ?? [], data: data as Float32Array<ArrayBuffer> }] as const,
  );
  const metadata = { place: JSON.stringify(place) };
  await writeSafetensors(join(run, FILE), weightsInMemory(tensors), { metadata });
}

function batchOf(
  { rows, labels }: ProbeFeatures,
  chosen: readonly number[],
  { encoder: { width }, numClasses }: ProbeConfig,
): { readonly features: Float32Array; readonly targets: Float32Array } {
  const features = new Float32Array(chosen.length * width);
  for (const [place, clip] of chosen.entries()) {
    features.set(rows.subarray(clip * width, (clip + 1) * width), place * width);
  }
  const own = chosen.map((clip) => labels[clip] ?? 0);
  return { features, targets: softTargets(own, { numClasses, smoothing: 0 }) };
}

/** Weights with deviation 0.01, as in MAE's probe. */
function drawHead(count: number, seed: number): Float32Array {
  const rng = createRng(seed, 'probe', 'head.weight');
  return Float32Array.from({ length: count }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - rng.uniform()));
    return 0.01 * radius * Math.cos(2 * Math.PI * rng.uniform());
  });
}
