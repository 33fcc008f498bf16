/** Resident memory of another process, where the system tells (Linux); elsewhere a process is not limited. */

import { readFileSync } from 'node:fs';

const PAGE_BYTES = 4096;

/** Resident bytes of a process, or 0 if unknown. */
export function residentBytes(pid: number | undefined): number {
  if (pid === undefined || process.platform !== 'linux') return 0;
  try {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
    return Number.isFinite(pages) ? pages * PAGE_BYTES : 0;
  } catch {
    return 0; // it has just ended
  }
}
