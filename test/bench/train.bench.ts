/**
 * Training as a whole, from JPEG shards to updated weights, against PyTorch: pre-training of ViT-S and ViT-B, fine-tuning of ViT-S. And
 * what a step costs with more tokens, blocks and clips.
 *
 * Contenders are processes of their own that take turns of some steps. Whoever is not at turn stands still with its loader, so that nobody
 * loads during the turn of another. PyTorch is looked for at `TORCH_PYTHON`, as for `engine`.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { convert, openDataset } from '../../lib/index.ts';
import { projectFile } from '../helpers/project.ts';
import { median, round } from './bench.ts';
import type { Bench } from './bench.ts';
import { prepareVideos } from './bench-videos.ts';
import { startContender } from './contender.ts';
import type { Answer, Contender } from './contender.ts';
import type { TrainWork } from './train-child.ts';

interface Case {
  readonly name: string;
  readonly task: TrainWork['task'];
  readonly size: 'S' | 'B';
  readonly batch: number;
  readonly changes: readonly string[];
  /** Steps of a turn. */
  readonly steps: number;
}

/** One endless epoch, so that no turn has a checkpoint in it. */
const ENDLESS = ['train.epochs=1', 'train.warmupEpochs=0', 'data.epochSamples=1000000'];
const SMALL_DECODER = ['model.decoderWidth=192', 'model.decoderHeads=3'];
/** Neither side augments beyond crop and flip. */
const PLAIN = [
  'data.randAugment=none',
  'data.erasing=0',
  'data.repeats=1',
  'data.mixupAlpha=0',
  'data.cutmixAlpha=0',
  'data.smoothing=0',
  'model.dropPath=0',
  'train.epochs=1000000',
  'save.everyEpochs=1000000',
];

const CASES: readonly Case[] = [
  {
    name: 'pretrain-S-4',
    task: 'pretrain',
    size: 'S',
    batch: 4,
    changes: [...ENDLESS, ...SMALL_DECODER],
    steps: 2,
  },
  { name: 'pretrain-B-2', task: 'pretrain', size: 'B', batch: 2, changes: ENDLESS, steps: 2 },
  { name: 'finetune-S-4', task: 'finetune', size: 'S', batch: 4, changes: PLAIN, steps: 1 },
];

/** What a pre-training step of ViT-S on four clips costs when one thing is changed. */
const COSTS: Readonly<Record<string, readonly string[]>> = {
  'batch 1': ['train.batchSize=1'],
  'batch 2': ['train.batchSize=2'],
  'batch 8': ['train.batchSize=8'],
  'mask 0.5': ['data.maskRatio=0.5'],
  'mask 0.75': ['data.maskRatio=0.75'],
  '8 frames': ['data.numFrames=8'],
  '112 pixels': ['data.size=112'],
  'encoder of 6 blocks': ['model.depth=6'],
  'encoder of 24 blocks': ['model.depth=24'],
  'decoder of 1 block': ['model.decoderDepth=1'],
  'decoder of 8 blocks': ['model.decoderDepth=8'],
};

/** Only to show that it runs. */
const SHORT_CASE: Case = { ...(CASES[0] as Case), name: 'pretrain-S-1', batch: 1, steps: 1 };

const WAIT_GOAL = 0.03;

/** Measures all parts, or the one that is named. */
export async function run(bench: Bench): Promise<void> {
  process.once('SIGTERM', () => process.exit(143)); // contenders end with this process
  const work = await mkdtemp(join(tmpdir(), 'tubelet-bench-'));
  try {
    const shards = join(work, 'shards');
    const videos = await prepareVideos(work, bench.folders, Math.min(bench.files, 96));
    const options = { stride: 2, shortSide: 256, quality: 90, videosPerShard: 16 } as const;
    await convert(videos.folder, { ...options, out: shards, maxFailures: '50%' });
    const setting = { shards, work, bench, classes: await countClasses(shards) };
    if (bench.isShort) return await compareCase(SHORT_CASE, setting);
    for (const one of CASES) {
      if (bench.only === null || bench.only === one.name) await compareCase(one, setting);
    }
    if (bench.only === null || bench.only === 'cost') await measureCosts(setting);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

interface Setting {
  readonly shards: string;
  readonly work: string;
  readonly classes: number;
  readonly bench: Bench;
}

async function countClasses(shards: string): Promise<number> {
  await using dataset = await openDataset(shards);
  return dataset.info.classes.length;
}

interface Turn {
  /** Of all its steps. */
  readonly seconds: number;
  readonly waitSeconds: number;
}

async function compareCase(one: Case, setting: Setting): Promise<void> {
  const { rounds } = setting.bench;
  const running = new Map<string, Contender>();
  const add = (label: string, contender: Contender | null): void => {
    contender?.pause();
    if (contender !== null) running.set(label, contender);
  };
  add('tubelet', await startTubelet(one, setting));
  for (const python of pythons()) {
    const contender = await startTorch(python, one, setting);
    add(`torch ${String(contender?.ready['torch'])}`, contender);
  }
  const turns = new Map([...running.keys()].map((label) => [label, [] as Turn[]]));
  for (let number = 0; number < rounds; number += 1) {
    for (const [label, contender] of running) {
      const turn = await takeTurn(contender, one.steps);
      turns.get(label)?.push(turn);
      process.stderr.write(
        `${one.name}/${label} ${number + 1}/${rounds}: ${round(turn.seconds / one.steps)} s a step\n`,
      );
    }
  }
  const facts = new Map<string, Answer>();
  for (const [label, contender] of running) {
    contender.resume();
    facts.set(label, { ...contender.ready, ...(await contender.finish()) });
  }
  for (const [label, taken] of turns)
    reportCase(one, { label, taken, turns, facts }, setting.bench);
}

async function takeTurn(contender: Contender, steps: number): Promise<Turn> {
  contender.resume();
  let [seconds, waitSeconds] = [0, 0];
  for (let step = 0; step < steps; step += 1) {
    const answer = await contender.step();
    seconds += Number(answer['seconds']);
    waitSeconds += Number(answer['waitSeconds']);
  }
  contender.pause();
  return { seconds, waitSeconds };
}

interface Results {
  readonly label: string;
  readonly taken: readonly Turn[];
  readonly turns: ReadonlyMap<string, readonly Turn[]>;
  readonly facts: ReadonlyMap<string, Answer>;
}

function reportCase(
  { name, task, batch, steps }: Case,
  { label, taken, turns, facts }: Results,
  { report }: Bench,
): void {
  const own = facts.get(label);
  const ours = turns.get('tubelet') ?? [];
  const gflops = Number(facts.get('tubelet')?.['gflopsPerClip']);
  const seconds = taken.map((turn) => turn.seconds / steps);
  const waitShare = median(taken.map((turn) => turn.waitSeconds / turn.seconds));
  const isOurs = label === 'tubelet';
  const ratios = taken.map((turn, i) => turn.seconds / (ours[i]?.seconds ?? Number.NaN));
  const goal = task === 'finetune' ? 1.1 : label.startsWith('torch 1.') ? 1.6 : 1.2;
  report({
    bench: `train/${name}`,
    contender: label,
    rounds: taken.length,
    steps,
    secondsPerStep: spreadOf(seconds, 3),
    clipsPerSecond: round(batch / median(seconds)),
    gflops: round((gflops * batch) / median(seconds), 0),
    waitShare: round(waitShare, 4),
    peakMegabytes: round(Number(own?.['peakBytes']) / 1e6, 0),
    ...(own?.['decoder'] === undefined ? {} : { decoder: own['decoder'] }),
    ...(own?.['startSeconds'] === undefined
      ? {}
      : { startSeconds: round(Number(own['startSeconds']), 1) }),
    ...(isOurs
      ? { goal: `wait < ${WAIT_GOAL}`, isReached: waitShare < WAIT_GOAL }
      : {
          timesTubelet: spreadOf(ratios, 2),
          goal: `>= ${goal}`,
          isReached: median(ratios) >= goal,
        }),
  });
}

/** Every setting takes turns of one step with the standard. */
async function measureCosts(setting: Setting): Promise<void> {
  const { rounds, report } = setting.bench;
  const [one] = CASES;
  if (one === undefined) return;
  const standard = await startTubelet(one, setting);
  if (standard === null) return;
  standard.pause();
  for (const [name, changes] of Object.entries(COSTS)) {
    const contender = await startTubelet(one, setting, changes);
    if (contender === null) continue;
    const [own, others]: [number[], number[]] = [[], []];
    for (let number = 0; number < rounds; number += 1) {
      others.push((await takeTurn(standard, 1)).seconds);
      own.push((await takeTurn(contender, 1)).seconds);
    }
    const { ready } = contender;
    contender.resume();
    const { peakBytes } = await contender.finish();
    const batch = Number(/^batch (\d+)$/u.exec(name)?.[1] ?? one.batch);
    const gflopsPerClip = Number(ready['gflopsPerClip']);
    report({
      bench: `train/cost/${name}`,
      rounds,
      timesStandard: spreadOf(
        own.map((seconds, i) => seconds / (others[i] ?? Number.NaN)),
        2,
      ),
      secondsPerStep: spreadOf(own, 3),
      clipsPerSecond: round(batch / median(own)),
      gflopsPerClip: round(gflopsPerClip, 1),
      gflops: round((gflopsPerClip * batch) / median(own), 0),
      tokens: ready['tokensPerClip'],
      visible: ready['visibleTokens'],
      millionParameters: round(Number(ready['numParameters']) / 1e6, 1),
      peakMegabytes: round(Number(peakBytes) / 1e6, 0),
      startSeconds: round(Number(ready['startSeconds']), 1),
    });
  }
  standard.resume();
  await standard.finish();
}

function startTubelet(
  { task, size, batch, changes }: Case,
  { shards, work }: Setting,
  last: readonly string[] = [],
): Promise<Contender | null> {
  const child = fileURLToPath(new URL('train-child.js', import.meta.url));
  const sizes = [`model.size=${size}`, `train.batchSize=${batch}`, 'train.accumulate=1'];
  const asked: TrainWork = {
    task,
    shards,
    out: join(work, `run-${String(last)}`),
    changes: [...sizes, ...changes, ...last],
    workers: availableParallelism(),
  };
  return startContender(process.execPath, [child, JSON.stringify(asked)], { isGroup: true });
}

function pythons(): string[] {
  return (process.env['TORCH_PYTHON'] ?? '/usr/bin/python3').split(':');
}

/** One worker is enough for steps of a second. */
function startTorch(
  python: string,
  { task, size, batch }: Case,
  { shards, classes }: Setting,
): Promise<Contender | null> {
  const threads = availableParallelism();
  const asked = { shards, task, size, batch, classes, threads, workers: 1 };
  return startContender(
    python,
    [projectFile('test/bench/rivals/torch_train.py'), JSON.stringify(asked)],
    {
      env: { OMP_NUM_THREADS: String(threads), OPENBLAS_NUM_THREADS: String(threads) },
      isGroup: true,
    },
  );
}

function spreadOf(values: readonly number[], digits: number): Readonly<Record<string, number>> {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return {
    median: round(median(values), digits),
    min: round(low, digits),
    max: round(high, digits),
  };
}
