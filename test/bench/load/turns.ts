/**
 * Programs that hand out clips, one after the other in turns. Each warms up, then counts clips between two moments of its steady run,
 * so that neither the start of a program nor batches that lie ready at its end count for or against it.
 */

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { descendantsOf, hasProc } from '../../helpers/processes.ts';
import { median, round } from '../bench.ts';
import type { Bench } from '../bench.ts';
import type { Command } from '../timed-process.ts';

/** A program that ends with a JSON line of at least `clips`, `seconds` and `cpuSeconds`. */
export interface LoadCase {
  readonly name: string;
  readonly command: Command;
}

/** A wish: one case should hand out so many times the clips of another; null only shows the ratio. */
export interface LoadGoal {
  readonly of: string;
  readonly against: string;
  readonly atLeast: number | null;
}

/** What all cases do. */
export interface LoadWork {
  readonly name: string;
  readonly input: string;
  /** Bytes of a clip as it is stored. */
  readonly clipBytes: number;
}

interface Turn {
  readonly clipsPerSecond: number;
  /** Of all its threads and processes. */
  readonly clipsPerCpuSecond: number;
  readonly peakMib: number | null;
  readonly result: Readonly<Record<string, unknown>>;
}

const WATCH_MILLISECONDS = 200;

/** Measures all cases in turns and reports each, and their ratios from round to round. */
export async function takeTurns(
  { name, input, clipBytes }: LoadWork,
  cases: readonly LoadCase[],
  goals: readonly LoadGoal[],
  { rounds, report }: Bench,
): Promise<void> {
  const turns = new Map(cases.map((one) => [one.name, [] as Turn[]]));
  for (let number = 0; number < rounds; number++) {
    for (const one of cases) {
      const turn = await takeTurn(one.command);
      turns.get(one.name)?.push(turn);
      const { clipsPerSecond, clipsPerCpuSecond } = turn;
      const speeds = `${round(clipsPerSecond, 1)} clips/s, ${round(clipsPerCpuSecond, 1)} per CPU second`;
      process.stderr.write(`${name}/${one.name} ${number + 1}/${rounds}: ${speeds}\n`);
    }
  }
  for (const [caseName, taken] of turns) {
    const speeds = taken.map(({ clipsPerSecond }) => clipsPerSecond);
    const peaks = taken.flatMap(({ peakMib }) => peakMib ?? []);
    report({
      bench: `${name}/${caseName}`,
      input,
      rounds,
      clipsPerSecond: spreadOf(speeds, 1),
      clipsPerCpuSecond: spreadOf(
        taken.map((turn) => turn.clipsPerCpuSecond),
        1,
      ),
      megabytesPerSecond: round((median(speeds) * clipBytes) / 1e6, 0),
      peakMib: peaks.length === 0 ? null : round(Math.max(...peaks), 0),
      ...taken.at(-1)?.result,
    });
  }
  for (const { of, against, atLeast } of goals) {
    const [ours, theirs] = [turns.get(of), turns.get(against)];
    if (ours === undefined || theirs === undefined) continue;
    const ratios = ours.map((turn, i) => turn.clipsPerSecond / theirs[i]!.clipsPerSecond);
    const ratio = spreadOf(ratios, 2);
    const cpuRatios = ours.map((turn, i) => turn.clipsPerCpuSecond / theirs[i]!.clipsPerCpuSecond);
    report({
      bench: `${name}/${of}`,
      against,
      ratio,
      cpuRatio: spreadOf(cpuRatios, 2),
      goal: atLeast === null ? null : `>= ${atLeast}`,
      isReached: atLeast === null ? null : ratio.median >= atLeast,
    });
  }
}

async function takeTurn(command: Command): Promise<Turn> {
  const { result, peakMib } = await runWatched(command);
  const { clips, seconds, cpuSeconds, ...rest } = result;
  return {
    clipsPerSecond: Number(clips) / Number(seconds),
    clipsPerCpuSecond: Number(clips) / Number(cpuSeconds),
    peakMib,
    result: rest,
  };
}

/** Runs a program, gives its last line, and the most memory that it and all below it had, shared pages counted once. */
export async function runWatched([program, ...args]: Command): Promise<{
  readonly result: Readonly<Record<string, unknown>>;
  readonly peakMib: number | null;
}> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  let peakMib: number | null = null;
  const watch = setInterval(() => {
    if (hasProc && child.pid !== undefined) {
      peakMib = Math.max(peakMib ?? 0, residentMibOfTree(child.pid));
    }
  }, WATCH_MILLISECONDS);
  const [out, status] = await Promise.all([text(child.stdout), exit]).finally(() => {
    clearInterval(watch);
  });
  if (status !== 0) throw new Error(`bench: "${program} ${args.join(' ')}" ended with ${status}`);
  const last = out.trim().split('\n').at(-1) ?? '{}';
  return { result: JSON.parse(last), peakMib };
}

/** Resident memory of a program and all below it; a page of several processes counts in parts. */
function residentMibOfTree(pid: number): number {
  return [pid, ...descendantsOf(pid)].reduce((sum, one) => sum + proportionalMib(one), 0);
}

function proportionalMib(pid: number): number {
  try {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) / 1024;
  } catch {
    return 0; // it has just ended
  }
}

/** Median and bounds. */
export function spreadOf(
  values: readonly number[],
  digits: number,
): { readonly median: number; readonly min: number; readonly max: number } {
  return {
    median: round(median(values), digits),
    min: round(Math.min(...values), digits),
    max: round(Math.max(...values), digits),
  };
}
