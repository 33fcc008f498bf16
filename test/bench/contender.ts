/** A process that does one step whenever it is told to, and says how long it took. */

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/** What a contender says. */
export type Answer = Readonly<Record<string, unknown>>;

/** A running contender. Close it with `finish`. */
export interface Contender {
  /** What it said when it was ready. */
  readonly ready: Answer;
  readonly step: () => Promise<Answer>;
  /** Stops it and all below it where they stand, and lets them go on; only with `isGroup`. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** Ends it; gives its last words, among them its peak memory. */
  readonly finish: () => Promise<Answer>;
}

/**
 * Starts a program and waits until it is ready. Null if it cannot run here. With `isGroup` it has a process group of its own, which ends
 * with this process.
 */
export async function startContender(
  program: string,
  args: readonly string[],
  {
    env = {},
    isGroup = false,
  }: { readonly env?: Readonly<Record<string, string>>; readonly isGroup?: boolean } = {},
): Promise<Contender | null> {
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
    detached: isGroup,
  });
  const signal = (name: NodeJS.Signals): void => {
    if (isGroup && child.pid !== undefined && child.exitCode === null)
      process.kill(-child.pid, name);
  };
  const kill = (): void => signal('SIGKILL');
  process.once('exit', kill);
  child.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<Answer | null> => {
    const line = await lines.next();
    return line.done === true ? null : (JSON.parse(line.value) as Answer);
  };
  const ready = await next();
  if (ready === null) return null;
  const ask = async (word: string): Promise<Answer> => {
    child.stdin.write(`${word}\n`);
    const answer = await next();
    if (answer === null) throw new Error(`${program} ended early.`);
    return answer;
  };
  return {
    ready,
    step: () => ask('step'),
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
    finish: async () => {
      const answer = await ask('end');
      await ended(child);
      process.off('exit', kill);
      return answer;
    },
  };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  await new Promise((resolve) => child.once('exit', resolve));
}
