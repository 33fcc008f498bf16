/** Resident memory of another process, where the system tells (Linux); elsewhere a process is not limited. */

import { readFileSync } from 'node:fs';

/** Resident bytes of a process, or 0 if unknown. */
export function residentBytes(pid: number | undefined): number {
  if (pid === undefined || process.platform !== 'linux') return 0;
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? 0 : Number(kilobytes) * 1024;
  } catch {
    return 0; // it has just ended
  }
}
