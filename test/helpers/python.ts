/** Python for tests of what it shall read; `TUBELET_TEST_PYTHON` names one that has the packages. */

import { execFile, spawnSync } from 'node:child_process';
import test from 'ava';
import type { ExecutionContext } from 'ava';

const PYTHON = process.env['TUBELET_TEST_PYTHON'] ?? 'python3';

/** Declares a test that runs if Python has the modules, and is skipped by name, with the reason, if not. */
export function testWithPython(
  title: string,
  modules: readonly string[],
  run: (t: ExecutionContext) => Promise<void>,
): void {
  const isThere = spawnSync(PYTHON, ['-c', `import ${modules.join(', ')}`]).status === 0;
  const missing = `no Python with ${modules.join(' and ')}: set TUBELET_TEST_PYTHON`;
  if (isThere) test(title, run);
  else test.skip(`${title} (${missing})`, (t) => t.pass());
}

/** Runs a script or module with Python, writes bytes to its stdin, and gives what it says on stdout. */
export function runPython(args: readonly string[], input: Uint8Array = new Uint8Array()) {
  return new Promise<{
    readonly code: number | null;
    readonly stdout: string;
    readonly stderr: string;
  }>((resolve, reject) => {
    const child = execFile(PYTHON, args, { maxBuffer: 2 ** 28 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : child.exitCode, stdout, stderr }),
    );
    child.on('error', reject);
    child.stdin?.on('error', () => undefined); // It may have seen enough.
    child.stdin?.end(input);
  });
}
