/** Programs that do the same work, in turns; what counts is the ratio within a round, since the machine's pace changes. */

import { median, round } from './bench.ts';
import type { Bench } from './bench.ts';
import { runTimed } from './timed-process.ts';
import type { Command, Timed } from './timed-process.ts';

/** One way to do the work. */
export interface Case {
  readonly name: string;
  /** Run side by side. */
  readonly commands: readonly Command[];
  readonly prepare?: () => Promise<void>;
}

/** A wish: one case should have so many times the speed of another. */
export interface Goal {
  readonly of: string;
  readonly against: string;
  readonly measure: 'cpu' | 'wall';
  readonly atLeast: number | null;
}

/** The work that all cases do. */
export interface Work {
  readonly name: string;
  readonly videos: number;
  /** Frames to decode. */
  readonly frames: number;
}

/** Measures all cases in turns and reports each, and the ratios. Gives back the last results of each case. */
export async function compare(
  { name, videos, frames }: Work,
  cases: readonly Case[],
  goals: readonly Goal[],
  { rounds, report }: Bench,
): Promise<void> {
  const timed = new Map(cases.map((one) => [one.name, [] as Timed[]]));
  for (let number = 0; number < rounds; number++) {
    for (const one of cases) {
      await one.prepare?.();
      timed.get(one.name)?.push(await runTimed(one.commands));
    }
  }
  for (const [caseName, runs] of timed) {
    const wall = median(runs.map(({ wallSeconds }) => wallSeconds));
    const cpu = median(runs.map(({ cpuSeconds }) => cpuSeconds));
    report({
      bench: `${name}/${caseName}`,
      rounds,
      videos,
      frames,
      framesPerCpuSecond: round(frames / cpu, 0),
      framesPerSecond: round(frames / wall, 0),
      videosPerSecond: round(videos / wall, 1),
      cpuSeconds: round(cpu),
      wallSeconds: round(wall),
      coresBusy: round(median(runs.map((run) => run.cpuSeconds / run.wallSeconds))),
      ...sumOf(runs.at(-1)?.results ?? []),
    });
  }
  for (const { of, against, measure, atLeast } of goals) {
    const [ours, theirs] = [timed.get(of), timed.get(against)];
    if (ours === undefined || theirs === undefined) continue;
    report({
      bench: `${name}/${of}`,
      against,
      goal: atLeast === null ? null : `${measure} >= ${atLeast}`,
      cpuRatio: spread(ours.map((run, i) => theirs[i]!.cpuSeconds / run.cpuSeconds)),
      wallRatio: spread(ours.map((run, i) => theirs[i]!.wallSeconds / run.wallSeconds)),
    });
  }
}

/** Names in the results of programs. */
const COUNTS = {
  framesDecoded: ['framesDecoded', 'frames_decoded'],
  framesOut: ['framesOut', 'frames_out', 'frames'],
  bytes: ['bytes'],
} as const;

/** What programs count is added up over the programs of a case, so that one sees that all cases did the same. */
function sumOf(results: Timed['results']): Record<string, number> {
  const counted = Object.entries(COUNTS).map(([name, aliases]): [string, number] => {
    const values = results.flatMap((result) => aliases.map((alias) => Number(result[alias] ?? 0)));
    return [name, values.reduce((sum, value) => sum + value, 0)];
  });
  return Object.fromEntries(counted.filter(([, count]) => count > 0));
}

function spread(ratios: readonly number[]): { median: number; min: number; max: number } {
  return {
    median: round(median(ratios)),
    min: round(Math.min(...ratios)),
    max: round(Math.max(...ratios)),
  };
}
