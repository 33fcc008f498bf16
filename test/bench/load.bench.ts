/**
 * The loader against its limits (plain reads of the same bytes, bare decoding of the same pictures) and against Python; how long a
 * trainer waits for it; and what it costs to start, and to go on in the middle of a million samples.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectFile } from '../helpers/project.ts';
import type { Bench } from './bench.ts';
import { BATCH_SIZE } from './load/child-options.ts';
import type { Recipe } from './load/child-options.ts';
import { CLIP_BYTES, NUM_FRAMES, makeLoadData } from './load/data.ts';
import type { LoadData } from './load/data.ts';
import { makeManySamples } from './load/million.ts';
import { runWatched, spreadOf, takeTurns } from './load/turns.ts';
import type { LoadCase, LoadGoal } from './load/turns.ts';
import { canRun } from './timed-process.ts';
import type { Command } from './timed-process.ts';

/** Samples of each dataset, shards of the large index with their samples, and batches of each stretch that is measured. */
interface Sizes {
  readonly samples: number;
  readonly many: { readonly numShards: number; readonly samplesPerShard: number };
  readonly warm: number;
  readonly readBatches: number;
  readonly slowReadBatches: number;
  readonly decodeBatches: number;
  readonly slowBatches: number;
  readonly steps: number;
}

const FULL: Sizes = {
  samples: 768,
  many: { numShards: 1000, samplesPerShard: 1000 },
  warm: 6,
  readBatches: 1000,
  slowReadBatches: 200,
  decodeBatches: 40,
  slowBatches: 16,
  steps: 240,
};
const SHORT: Sizes = {
  samples: 16,
  many: { numShards: 4, samplesPerShard: 100 },
  warm: 1,
  readBatches: 2,
  slowReadBatches: 2,
  decodeBatches: 2,
  slowBatches: 2,
  steps: 10,
};

const READ_GOALS: readonly LoadGoal[] = [
  { of: 'tubelet', against: 'plain', atLeast: 0.8 },
  { of: 'tubelet', against: 'plainTwoThreads', atLeast: null },
  { of: 'checked', against: 'plainChecked', atLeast: null },
  { of: 'checked', against: 'python', atLeast: null },
  { of: 'tubelet', against: 'python', atLeast: 3 },
  { of: 'tubelet', against: 'pythonNoHandOver', atLeast: null },
  { of: 'tubelet', against: 'webdataset', atLeast: 3 },
];

const DECODE_GOALS: readonly LoadGoal[] = [
  ...['bareTubelet', 'bareMjpeg', 'bareSharp'].flatMap((against) => [
    { of: 'bytes', against, atLeast: 0.85 },
    { of: 'pretrain', against, atLeast: null },
  ]),
  { of: 'colours', against: 'pillow', atLeast: 2 },
  { of: 'colours', against: 'torchvision', atLeast: 2 },
  { of: 'colours', against: 'opencv', atLeast: 1 },
  { of: 'colours', against: 'opencvNoHandOver', atLeast: null },
];

const WAIT_GOAL = 0.1;
const FIRST_BATCH_GOAL_MS = 500;
const RESUME_GOAL_MS = 200;

/** Reports all of it. */
export async function run(bench: Bench): Promise<void> {
  const sizes = bench.isShort ? SHORT : FULL;
  const work = await mkdtemp(join(tmpdir(), 'tubelet-bench-'));
  try {
    const few = { ...bench, files: Math.min(bench.files, 48) };
    const data = await makeLoadData(work, few, sizes.samples);
    const parts: Readonly<Record<string, () => Promise<void>>> = {
      tubelets: () => measureReading(data, sizes, bench),
      frames: () => measureDecoding(data, sizes, bench),
      wait: () => measureWaits(data, sizes, bench),
      start: () => measureStarts(data, bench),
      resume: () => measureResuming(join(work, 'many'), sizes, bench),
    };
    for (const [name, part] of Object.entries(parts)) {
      if (bench.only === null || bench.only === name) await part();
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Finished clips of 2.4 MB as bytes, after one pass over the data. */
async function measureReading(data: LoadData, sizes: Sizes, bench: Bench): Promise<void> {
  const { readBatches, slowReadBatches } = sizes;
  const warm = Math.ceil(data.numSamples / BATCH_SIZE);
  const count = [String(warm * BATCH_SIZE), String(readBatches * BATCH_SIZE)] as const;
  const plain = (...how: readonly string[]): Command =>
    ours('plain', data.tubelets, ...count, ...how);
  const cases: LoadCase[] = [
    { name: 'plain', command: plain('1') },
    { name: 'plainTwoThreads', command: plain('2') },
    { name: 'plainChecked', command: plain('2', 'check') },
    { name: 'tubelet', command: loader(data.tubelets, 'tubelets', warm, readBatches) },
    { name: 'checked', command: loader(data.tubelets, 'checked', warm, readBatches) },
    { name: 'masked', command: loader(data.tubelets, 'masked', warm, slowReadBatches) },
    ...pythonCases(
      bench,
      'load/tubelets',
      {
        python: { needs: ['numpy', 'msgpack'], args: ['tarfile', data.tubelets] },
        pythonNoHandOver: {
          needs: ['numpy', 'msgpack'],
          args: ['tarfile', data.tubelets, '--drop'],
        },
        webdataset: { needs: ['webdataset', 'torch'], args: ['webdataset', data.tubelets] },
      },
      [warm, slowReadBatches],
    ),
  ];
  const input = `${data.numSamples} clips of ${NUM_FRAMES} x 224 x 224 x 3`;
  await takeTurns(
    { name: 'load/tubelets', input, clipBytes: CLIP_BYTES },
    cases,
    READ_GOALS,
    bench,
  );
}

/** 16 JPEG frames with a multi-scale crop. */
async function measureDecoding(data: LoadData, sizes: Sizes, bench: Bench): Promise<void> {
  const { warm, decodeBatches, slowBatches } = sizes;
  const bare = (decoder: string, batches = decodeBatches): Command => {
    const count = [String(warm * BATCH_SIZE), String(batches * BATCH_SIZE)];
    return ours('bare', data.frames, ...count, '2', decoder);
  };
  const loaded = (recipe: Recipe): LoadCase => ({
    name: recipe,
    command: loader(data.frames, recipe, warm, decodeBatches),
  });
  const cases: LoadCase[] = [
    loaded('bytes'),
    { name: 'bareTubelet', command: bare('tubelet') },
    { name: 'bareMjpeg', command: bare('mjpeg') },
    { name: 'bareSharp', command: bare('sharp', slowBatches) },
    loaded('pretrain'),
    loaded('colours'),
    ...pythonCases(
      bench,
      'load/frames',
      {
        opencv: { needs: ['numpy', 'msgpack', 'cv2'], args: ['opencv', data.frames] },
        opencvNoHandOver: {
          needs: ['numpy', 'msgpack', 'cv2'],
          args: ['opencv', data.frames, '--drop'],
        },
      },
      [warm, decodeBatches],
    ),
    ...pythonCases(
      bench,
      'load/frames',
      {
        pillow: { needs: ['numpy', 'msgpack', 'PIL'], args: ['pillow', data.frames] },
        torchvision: {
          needs: ['msgpack', 'torch', 'torchvision'],
          args: ['torchvision', data.frames],
        },
      },
      [warm, slowBatches],
    ),
  ];
  const clipBytes = Math.round(data.jpegBytes / data.numSamples);
  const input = `${data.numSamples} x ${NUM_FRAMES} JPEG frames of short side 256, ${Math.round(clipBytes / NUM_FRAMES / 1024)} KiB each`;
  await takeTurns({ name: 'load/frames', input, clipBytes }, cases, DECODE_GOALS, bench);
}

/** How long a trainer waits whose steps take as long as a batch. */
async function measureWaits(
  data: LoadData,
  { warm, steps }: Sizes,
  { report }: Bench,
): Promise<void> {
  const rows = [
    { kind: 'busy', workers: '1', slack: '1', isJudged: false },
    { kind: 'busy', workers: '2', slack: '1', isJudged: true },
    { kind: 'sleep', workers: '2', slack: '1', isJudged: true },
    { kind: 'sleep', workers: '2', slack: '1.1', isJudged: false },
  ] as const;
  const places = [
    { folder: data.tubelets, recipe: 'tubelets' },
    { folder: data.frames, recipe: 'pretrain' },
  ] as const;
  for (const { folder, recipe } of places) {
    for (const { kind, workers, slack, isJudged } of rows) {
      const args = [String(warm), String(steps), workers, kind, slack];
      const { result } = await runWatched(ours('wait', folder, recipe, ...args));
      const { stepMs, waitOfStep } = result as { stepMs: number; waitOfStep: { p99: number } };
      const input = `steps ${slack} x as long as a batch, ${workers} workers`;
      report({
        bench: `load/wait/${recipe}-${kind}`,
        input,
        steps,
        stepMs,
        waitOfStep,
        goal: isJudged ? `p99 <= ${WAIT_GOAL}` : null,
        isReached: isJudged ? waitOfStep.p99 <= WAIT_GOAL : null,
      });
    }
  }
}

/** From opening a loader to its first batch, in fresh processes. */
async function measureStarts(data: LoadData, { rounds, report }: Bench): Promise<void> {
  const places = [
    [data.tubelets, 'tubelets'],
    [data.frames, 'pretrain'],
  ] as const;
  for (const [folder, recipe] of places) {
    const times: number[] = [];
    for (let i = 0; i < rounds; i++) times.push((await startOf(folder, recipe)).firstMs);
    const firstBatchMs = spreadOf(times, 0);
    report({
      bench: `load/start/${recipe}`,
      rounds,
      firstBatchMs,
      goal: `< ${FIRST_BATCH_GOAL_MS}`,
      isReached: firstBatchMs.median < FIRST_BATCH_GOAL_MS,
    });
  }
}

/** What going on at some place of a large dataset costs above starting at its first sample. */
async function measureResuming(
  folder: string,
  { many }: Sizes,
  { rounds, report }: Bench,
): Promise<void> {
  await makeManySamples(folder, many);
  const numSamples = many.numShards * many.samplesPerShard;
  const numBatches = Math.floor(numSamples / BATCH_SIZE);
  for (const shuffle of ['global', 'window', 'none'] as const) {
    for (const share of [0, 0.25, 0.5, 0.999]) {
      const position = Math.floor(numBatches * share) * BATCH_SIZE;
      const starts: number[] = [];
      const plans: number[] = [];
      const resumes: number[] = [];
      for (let i = 0; i < rounds; i++) {
        const start = await startOf(folder, 'tubelets', '0', shuffle);
        const resume = await startOf(folder, 'tubelets', String(position), shuffle);
        starts.push(start.firstMs);
        plans.push(resume.planMs);
        resumes.push(resume.firstMs);
      }
      const costMs = spreadOf(
        resumes.map((ms, i) => ms - starts[i]!),
        0,
      );
      report({
        bench: `load/resume/${shuffle}`,
        input: `${numSamples} samples in ${many.numShards} shards, position ${position}`,
        rounds,
        planMs: spreadOf(plans, 0),
        firstBatchMs: spreadOf(resumes, 0),
        costMs,
        goal: `< ${RESUME_GOAL_MS}`,
        isReached: costMs.median < RESUME_GOAL_MS,
      });
    }
  }
}

async function startOf(
  ...args: readonly string[]
): Promise<{ readonly planMs: number; readonly firstMs: number }> {
  const { result } = await runWatched(ours('start', ...args));
  return { planMs: Number(result['planMs']), firstMs: Number(result['firstMs']) };
}

function loader(folder: string, recipe: Recipe, warm: number, batches: number): Command {
  return ours('loader', folder, recipe, String(warm), String(batches));
}

/** A program of this benchmark. */
function ours(name: string, ...args: readonly string[]): Command {
  return [process.execPath, join(import.meta.dirname, 'load', `${name}-child.js`), ...args];
}

interface PythonCase {
  readonly needs: readonly string[];
  readonly args: readonly string[];
}

/** Rivals for which Python has the packages; the others are named. */
function pythonCases(
  { report }: Bench,
  name: string,
  rivals: Readonly<Record<string, PythonCase>>,
  [warm, batches]: readonly [warm: number, batches: number],
): LoadCase[] {
  const script = projectFile('test/bench/rivals/load_clips.py');
  return Object.entries(rivals).flatMap(([rival, { needs, args }]) => {
    if (!canRun(['python3', '-c', `import ${needs.join(', ')}`])) {
      report({ bench: `${name}/${rival}`, skipped: `no python3 with ${needs.join(', ')}` });
      return [];
    }
    const sizes = [
      '--batch-size',
      String(BATCH_SIZE),
      '--warm',
      String(warm),
      '--batches',
      String(batches),
    ];
    return [{ name: rival, command: ['python3', script, ...args, ...sizes] as const }];
  });
}
