/** The command line as users start it: a process of its own. */

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** How a process has ended, and what it has said. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What stdout is as text, if it is none. */
  readonly bytes: Buffer;
}

/** A process that runs. */
export interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly ended: Promise<Ended>;
}

const PROGRAM = fileURLToPath(new URL('../../bin/tubelet.js', import.meta.url));

/** How to start a process. */
export interface StartOptions {
  /** A descriptor in place of a pipe. */
  readonly stdout?: number;
  /** Leaves what comes on stdout in the pipe, for the test to read. */
  readonly isUnread?: boolean;
}

/** Starts `tubelet` with arguments. */
export function startCli(
  args: readonly string[],
  { stdout: descriptor, isUnread = false }: StartOptions = {},
): Running {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    stdio: ['ignore', descriptor ?? 'pipe', 'pipe'],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('the process did not start');
  const parts: Buffer[] = [];
  let stderr = '';
  if (!isUnread) child.stdout?.on('data', (bytes: Buffer) => parts.push(bytes));
  child.stderr?.on('data', (bytes: Buffer) => (stderr += bytes.toString()));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const bytes = Buffer.concat(parts);
      resolve({ code, signal, stdout: bytes.toString(), stderr, bytes });
    });
  });
  return { child, pid, ended };
}

/** Runs `tubelet` with arguments to its end. */
export function runCli(...args: readonly string[]): Promise<Ended> {
  return startCli(args).ended;
}

/** Runs `tubelet` and reads the JSON object on its stdout. */
export async function runJson(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { stdout, stderr, code } = await runCli(...args, '--json');
  if (stdout === '') throw new Error(`no output, exit code ${String(code)}: ${stderr}`);
  return JSON.parse(stdout) as Record<string, unknown>;
}
