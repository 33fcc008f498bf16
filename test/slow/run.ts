/** Runs the tests that take minutes: `npm run test:slow`. */

import { spawnSync } from 'node:child_process';
import { projectFile } from '../helpers/project.ts';

const ava = projectFile('node_modules', 'ava', 'entrypoints', 'cli.mjs');
const { status } = spawnSync(process.execPath, [ava, '--serial', 'build/test/slow/**/*.test.js'], {
  cwd: projectFile(),
  env: { ...process.env, TUBELET_SLOW_TESTS: '1' },
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
