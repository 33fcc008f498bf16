/** Processes of this machine, from /proc (Linux). */

import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

/** Whether /proc tells of processes here. */
export const hasProc: boolean = process.platform === 'linux';

/** Processes below one, itself left out. */
export function descendantsOf(pid: number): number[] {
  const parents = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((name) => [Number(name), parentOf(Number(name))]),
  );
  const found: number[] = [];
  for (const wanted = [pid]; wanted.length > 0;) {
    const parent = wanted.pop();
    const children = [...parents].filter(([, above]) => above === parent).map(([child]) => child);
    found.push(...children);
    wanted.push(...children);
  }
  return found;
}

/** Whether a process runs; one that has ended and was not asked for its end does not. */
export function isRunning(pid: number): boolean {
  const state = statOf(pid)?.[0];
  return state !== undefined && state !== 'Z';
}

/** Whether a process has a file open. */
export function hasOpen(pid: number, path: string): boolean {
  try {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).some((fd) => readlinkSync(`${folder}/${fd}`) === path);
  } catch {
    return false; // it has just ended, or closed a file
  }
}

/** Resident bytes of a process and all below it. */
export function residentBytesOfTree(pid: number): number {
  return [pid, ...descendantsOf(pid)].reduce((sum, one) => sum + residentBytes(one), 0);
}

function residentBytes(pid: number): number {
  try {
    const kib = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kib ?? 0) * 1024;
  } catch {
    return 0; // it has just ended
  }
}

function parentOf(pid: number): number | undefined {
  return Number(statOf(pid)?.[1]);
}

/** Fields of /proc/PID/stat from the state on. */
function statOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
