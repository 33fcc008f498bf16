/**
 * tubelet as a contender of the benchmark of training: a real run, which stands still after every step until the parent says `step`. It
 * answers with the time of the step, from batch to log, and what of it was waiting. Arguments: a JSON object.
 */

import { readFileSync, readSync, writeSync } from 'node:fs';
import { changeRecipe, findRecipe, finetune, pretrain } from '../../lib/index.ts';
import type { StepReport } from '../../lib/index.ts';

/** What the parent asks for. */
export interface TrainWork {
  readonly task: 'pretrain' | 'finetune';
  readonly shards: string;
  /** Folder of the run. */
  readonly out: string;
  readonly changes: readonly string[];
  readonly workers: number;
}

const { task, shards, out, changes, workers } = JSON.parse(process.argv[2] ?? '{}') as TrainWork;
const startedAt = performance.now();
let facts: object = {};
let wentOnAt = Number.NaN;
const common = {
  out,
  resume: false,
  overwrite: true,
  workers,
  onStart: ({ gflopsPerClip, tokensPerClip, visibleTokens, numParameters }: StartFacts) => {
    facts = { gflopsPerClip, tokensPerClip, visibleTokens, numParameters };
  },
  onProgress,
} as const;
const names = { pretrain: 'k400-pretrain', finetune: 'k400-finetune' } as const;
if (task === 'pretrain') {
  const recipe = changeRecipe(findRecipe('pretrain', names.pretrain), changes);
  await pretrain(shards, { ...common, recipe });
} else {
  const recipe = changeRecipe(findRecipe('finetune', names.finetune), changes);
  await finetune(shards, { ...common, recipe, from: null });
}

interface StartFacts {
  readonly gflopsPerClip: number;
  readonly tokensPerClip: number;
  readonly visibleTokens: number;
  readonly numParameters: number;
}

function onProgress({ loss, waitSeconds }: StepReport): void {
  const now = performance.now();
  if (Number.isNaN(wentOnAt)) {
    answer({ ready: true, ...facts, startSeconds: (now - startedAt) / 1000, loss });
  } else answer({ seconds: (now - wentOnAt) / 1000, waitSeconds, loss });
  if (readWord() !== 'step') {
    const peak = /VmHWM:\s+(\d+)/u.exec(readFileSync('/proc/self/status', 'utf8'));
    answer({ peakBytes: Number(peak?.[1] ?? 0) * 1024 });
    process.exit(0);
  }
  wentOnAt = performance.now();
}

function answer(line: Readonly<Record<string, unknown>>): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

/** Waits with the whole thread, so that the run stands still. */
function readWord(): string {
  const bytes = Buffer.alloc(64);
  return bytes.toString('utf8', 0, readSync(0, bytes)).trim();
}
