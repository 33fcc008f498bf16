/**
 * The loop around steps: batches in, checkpoints and metrics out, from the first step or from where a run was stopped. What is trained,
 * and on what, is the job's.
 */

import { compile } from '../engine/index.ts';
import type { Program } from '../engine/index.ts';
import { openLoader } from '../load/index.ts';
import type { Batch, Loader } from '../load/index.ts';
import { RunLog } from './run-log.ts';
import { readCheckpoint, readProgress, saveCheckpoint } from './checkpoint.ts';
import type { StateEntry, StateReader } from './checkpoint.ts';
import type { Best, Progress } from './checkpoint.ts';
import { adamwScalars } from './optimizer/adamw.ts';
import { cosineSchedule, scaleRate } from './schedule.ts';
import {
  STATE_PREFIXES,
  STEP_SCALARS,
  createTrainStep,
  stateKinds,
  stateShapes,
} from './train-step.ts';
import type { RunFacts, RunSummary, TrainingHooks, TrainingJob } from './training-job.ts';
import { watchLoss } from './watch-loss.ts';

const START: Progress = Object.freeze({
  v: 1,
  step: 0,
  cursor: null,
  lossSum: 0,
  average: null,
  lowest: null,
  badSteps: 0,
  best: null,
});

/** Everything that stays the same from step to step. */
interface Running {
  readonly job: TrainingJob;
  readonly hooks: TrainingHooks;
  readonly loader: Loader;
  readonly program: Program;
  /** What follows the last micro step; null where the program does it all. */
  readonly update: Program | null;
  readonly log: RunLog;
  readonly facts: RunFacts;
  readonly rateAt: (step: number) => number;
  readonly decayAt: (step: number) => number;
  readonly startedAt: number;
  readonly firstStep: number;
}

/**
 * Trains to the end of the run. With `resume` it goes on from the last checkpoint, and what comes out is the same bit for bit as if it
 * had not been stopped. An abort ends it after the step under way, with a checkpoint.
 *
 * @throws {TubeletError} TUBE_LOSS_DIVERGED, what loading, the engine and writing throw
 * @throws {RangeError} if the data does not fill one step
 * @throws the reason of `signal`
 */
export async function runTraining(job: TrainingJob, hooks: TrainingHooks): Promise<RunSummary> {
  const { train, folder } = job;
  const before = hooks.resume ? await readProgress(folder) : null;
  const accumulate = train.accumulate;
  if (train.batchSize % accumulate !== 0) {
    throw new RangeError(
      `"train.batchSize" must be a multiple of "train.accumulate", ${accumulate} (got ${train.batchSize}).`,
    );
  }
  await using loader = await openLoader(job.source, {
    ...job.loader,
    batchSize: train.batchSize / accumulate,
    epochs: train.epochs,
    seed: train.seed,
    ...(before === null ? {} : { cursor: before.cursor }),
    ...(hooks.workers === undefined ? {} : { workers: hooks.workers }),
  });
  const facts = job.factsOf(loader.info, planSteps(job, loader));
  hooks.onStart?.(facts);
  const { program, update } = await compileStep(job, hooks, loader);
  await using _closing = program;
  await job.makeFolder();
  await fillState(program, before === null ? firstState(job) : readCheckpoint(folder, before.step));
  await using log = await RunLog.open(folder, before?.step ?? null, hooks.wallClock);
  const { numSteps, stepsPerEpoch } = facts;
  const rates = { base: facts.lr, final: scaleRate(train.minLr, train.batchSize), numSteps };
  const running: Running = {
    job,
    hooks,
    loader,
    program,
    update,
    log,
    facts,
    rateAt: cosineSchedule({ ...rates, warmupSteps: train.warmupEpochs * stepsPerEpoch }),
    decayAt: cosineSchedule({ base: train.weightDecay, final: train.weightDecayEnd, numSteps }),
    startedAt: performance.now(),
    firstStep: before?.step ?? 0,
  };
  return await runSteps(running, before ?? START);
}

function planSteps(
  { train }: TrainingJob,
  { info }: Loader,
): { readonly stepsPerEpoch: number; readonly numSteps: number } {
  const stepsPerEpoch = Math.floor(info.numBatches / train.accumulate);
  if (stepsPerEpoch === 0) {
    throw new RangeError(
      `"train.batchSize" must be at most the number of samples, ${info.numSamples} (got ${train.batchSize}).`,
    );
  }
  return { stepsPerEpoch, numSteps: stepsPerEpoch * train.epochs };
}

async function compileStep(
  job: TrainingJob,
  hooks: TrainingHooks,
  loader: Loader,
): Promise<Pick<Running, 'program' | 'update'>> {
  const { train, shapes } = job;
  const { run, update } = createTrainStep({ ...train, lossOf: job.lossOf, rules: job.rules });
  const clips = job.inputSpecs(loader.info);
  const scalars = Object.fromEntries(STEP_SCALARS.map((name) => [name, []]));
  const inputs = update === null ? { ...clips, ...scalars } : clips;
  const program = await compile(run, { inputs, state: stateShapes(shapes, train) }, hooks.engine);
  try {
    return {
      program,
      update: update === null ? null : await program.withFunction(update, scalars),
    };
  } catch (error) {
    await program.dispose();
    throw error;
  }
}

/** First weights; moments at 0, the moving average at the weights. */
async function* firstState({ initial, train }: TrainingJob): AsyncGenerator<StateEntry> {
  const hasAverage = stateKinds(train).includes('ema');
  for await (const [name, { data }] of initial()) {
    yield [name, data];
    if (hasAverage) yield [`${STATE_PREFIXES.ema}${name}`, data];
  }
}

/** One by one: all at once would be a second copy of them. */
async function fillState(program: Program, entries: AsyncIterable<StateEntry>): Promise<void> {
  for await (const [name, data] of entries) program.setState({ [name]: data });
}

async function runSteps(running: Running, from: Progress): Promise<RunSummary> {
  const { job, hooks, facts, log, program } = running;
  const { signal } = hooks;
  let progress = from;
  let savedStep = from.step;
  signal?.throwIfAborted();
  while (progress.step < facts.numSteps) {
    const next = await runStep(running, progress);
    if (next === null) break;
    progress = next;
    if (progress.step % facts.stepsPerEpoch === 0) progress = await finishEpoch(running, progress);
    if (signal?.aborted === true || isSavePoint(running, progress)) {
      await log.flush();
      const { folder, shapes, save } = job;
      const state = savedStates(job, program);
      await saveCheckpoint(folder, { progress, state, shapes, keep: save.keep });
      savedStep = progress.step;
    }
    signal?.throwIfAborted();
  }
  return { step: progress.step, savedStep, loss: progress.average, best: progress.best, facts };
}

/** The states that outlive a step; sums of gradients do not. */
function savedStates({ shapes, train }: TrainingJob, program: Program): StateReader {
  const names = Object.keys(stateShapes(shapes, train));
  return {
    names: names.filter((name) => !name.startsWith(STATE_PREFIXES.sum)),
    read: (name) => {
      const { [name]: data } = program.readState([name]);
      if (data instanceof Float32Array) return data;
      throw new TypeError(`"${name}" must be float32.`);
    },
  };
}

/** Runs the micro steps of one step; null when there are no batches left. */
async function runStep(running: Running, progress: Progress): Promise<Progress | null> {
  const { job, facts, loader, log, update } = running;
  const { accumulate } = job.train;
  const { step } = progress;
  const waitedBefore = loader.report().waitSeconds;
  const startedAt = performance.now();
  let lossSum = 0;
  let gradNorm = 0;
  let numClips = 0;
  for (let micro = 0; micro < accumulate; micro++) {
    const batch = await nextBatch(running);
    if (batch === null) return null;
    const results = await running.program.run({
      ...job.inputsOf(batch, { step, micro }),
      ...(update === null ? scalarsOf(running, step) : {}),
    });
    lossSum += results['loss']?.[0] ?? Number.NaN;
    gradNorm = results['gradNorm']?.[0] ?? Number.NaN;
    numClips += batch.keys.length;
  }
  if (update !== null) {
    const results = await update.run(scalarsOf(running, step));
    gradNorm = results['gradNorm']?.[0] ?? Number.NaN;
  }
  const loss = lossSum / accumulate;
  const watched = watchLoss(progress, { step: step + 1, loss, gradNorm });
  const seconds = (performance.now() - startedAt) / 1000;
  const speed = {
    clipsPerSecond: numClips / seconds,
    gflops: (facts.gflopsPerClip * numClips) / seconds,
    waitSeconds: loader.report().waitSeconds - waitedBefore,
  };
  const lr = running.rateAt(step);
  await log.append(
    { step: step + 1, kind: 'train', values: { loss, gradNorm, lr } },
    { seconds, ...speed },
  );
  running.hooks.onProgress?.({
    step: step + 1,
    numSteps: facts.numSteps,
    firstStep: running.firstStep,
    epoch: Math.floor(step / facts.stepsPerEpoch),
    loss,
    lr,
    ...speed,
    secondsElapsed: (performance.now() - running.startedAt) / 1000,
  });
  const cursor = loader.cursor();
  return { ...progress, ...watched, step: step + 1, cursor, lossSum: progress.lossSum + loss };
}

/** The next batch that belongs to a whole step; what an epoch has left over is passed by. */
async function nextBatch({ job, facts, loader }: Running): Promise<Batch | null> {
  for (;;) {
    const batch = await loader.next();
    const inEpoch = facts.stepsPerEpoch * job.train.accumulate;
    if (batch === null || batch.batchIndex < inEpoch) return batch;
  }
}

function scalarsOf({ job, rateAt, decayAt }: Running, step: number): Record<string, number[]> {
  const { correction1, correction2 } = adamwScalars(step, job.train);
  return {
    lr: [rateAt(step)],
    weightDecay: [decayAt(step)],
    correction1: [correction1],
    correction2: [correction2],
  };
}

/** Writes down the epoch, and notes whether it is the best so far. */
async function finishEpoch(running: Running, progress: Progress): Promise<Progress> {
  const { job, facts, log, program } = running;
  const { step } = progress;
  const epoch = step / facts.stepsPerEpoch;
  const loss = progress.lossSum / facts.stepsPerEpoch;
  const checked = (await job.validate?.(program, running.hooks.signal)) ?? null;
  const values = { epoch, loss, ...checked?.values };
  await log.append({ step, kind: 'epoch', values });
  running.hooks.onEpoch?.({ step, values });
  const { measure, value, isHigherBetter } = checked ?? {
    measure: 'loss',
    value: loss,
    isHigherBetter: false,
  };
  const old = progress.best;
  const isBest = old === null || (isHigherBetter ? value > old.value : value < old.value);
  const best: Best | null = isBest ? { step, measure, value } : old;
  return { ...progress, lossSum: 0, best };
}

/** While the loss is far off nothing is saved, so that older checkpoints, which are good, stay. */
function isSavePoint({ job, facts }: Running, { step, best, badSteps }: Progress): boolean {
  const { everyEpochs, everySteps } = job.save;
  if (step === facts.numSteps) return true;
  if (badSteps > 0) return false;
  if (everySteps !== null && step % everySteps === 0) return true;
  if (step % facts.stepsPerEpoch !== 0) return false;
  return best?.step === step || (step / facts.stepsPerEpoch) % everyEpochs === 0;
}
