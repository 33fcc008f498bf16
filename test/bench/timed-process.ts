/** Whole processes from start to exit: wall time, and the CPU time of each process with all its children. */

import { spawn, spawnSync } from 'node:child_process';
import { text } from 'node:stream/consumers';

/** A program and its arguments. */
export type Command = readonly [program: string, ...args: string[]];

/** What processes cost and the last JSON line of each. */
export interface Timed {
  readonly wallSeconds: number;
  /** User and system time, of children too if they were waited for. */
  readonly cpuSeconds: number;
  readonly results: readonly Readonly<Record<string, unknown>>[];
}

/** The shell reads the usage that the kernel keeps; file descriptor 3 carries its line, the rest is the program's own. */
const TIMER = `TIMEFORMAT='%U %S'; { time "$@" 2>&4; } 4>&2 2>&3`;

/** Runs commands side by side and waits for all. */
export async function runTimed(commands: readonly Command[]): Promise<Timed> {
  const start = performance.now();
  const ends = await Promise.all(commands.map((command) => runOne(command)));
  return {
    wallSeconds: (performance.now() - start) / 1000,
    cpuSeconds: ends.reduce((sum, end) => sum + end.cpuSeconds, 0),
    results: ends.map(({ result }) => result),
  };
}

/** Whether a command ends well. */
export function canRun([program, ...args]: Command): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}

async function runOne(
  command: Command,
): Promise<{ cpuSeconds: number; result: Record<string, unknown> }> {
  const child = spawn('bash', ['-c', TIMER, 'bash', ...command], {
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
  });
  const [, output, , timer] = child.stdio;
  const exit = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const [out, times, status] = await Promise.all([
    text(output!),
    text(timer as NodeJS.ReadableStream),
    exit,
  ]);
  if (status !== 0) throw new Error(`bench: "${command.join(' ')}" ended with ${status}`);
  const cpuSeconds = times
    .trim()
    .split(' ')
    .reduce((sum, seconds) => sum + Number(seconds.replace(',', '.')), 0);
  const last = out.trim().split('\n').at(-1) ?? '';
  return { cpuSeconds, result: last.startsWith('{') ? JSON.parse(last) : {} };
}
