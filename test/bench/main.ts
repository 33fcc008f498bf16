/** Runs the benchmarks of one room. One JSON line per case on stdout, with the machine it was measured on. */

import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { TOOL } from '../../lib/index.ts';
import { projectFile } from '../helpers/project.ts';
import { DEFAULTS, SHORT } from './bench.ts';
import type { Bench } from './bench.ts';

const ROOMS: Readonly<Record<string, () => Promise<{ run: (bench: Bench) => Promise<void> }>>> = {
  sample: () => import('./sample.bench.ts'),
  decode: () => import('./decode.bench.ts'),
  shard: () => import('./shard.bench.ts'),
  convert: () => import('./convert.bench.ts'),
  load: () => import('./load.bench.ts'),
  engine: () => import('./engine.bench.ts'),
  train: () => import('./train.bench.ts'),
};

const USAGE = `npm run bench -- ROOM [FOLDER...] [flags]

  ROOM           ${Object.keys(ROOMS).join(', ')}
  FOLDER         videos for decode, convert, load and train; folders take turns (default: the demo's videos);
                 for engine, names of its cases (default: all)
  --files N      videos to measure with, repeated if there are fewer (default: ${DEFAULTS.files})
  --rounds N     rounds in which all cases take turns (default: ${DEFAULTS.rounds})
  --only PART    one part of load: tubelets, frames, wait, start, resume;
                 of train: pretrain-S-4, pretrain-B-2, finetune-S-4, cost
  --short        only shows that it runs: ${SHORT.files} videos, ${SHORT.rounds} round
`;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    files: { type: 'string' },
    rounds: { type: 'string' },
    only: { type: 'string' },
    short: { type: 'boolean', default: false },
  },
});
const [name = '', ...folders] = positionals;
const load = ROOMS[name];
if (load === undefined) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else {
  const sizes = values.short ? SHORT : DEFAULTS;
  const { run } = await load();
  await run({
    folders,
    isShort: values.short,
    only: values.only ?? null,
    files: Number(values.files ?? sizes.files),
    rounds: Number(values.rounds ?? sizes.rounds),
    report: reporter(),
  });
}

/** Prints lines with what anybody needs to compare them with others. */
function reporter(): Bench['report'] {
  const facts = {
    version: TOOL.version,
    commit: commitOf(projectFile()),
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    date: new Date().toISOString().slice(0, 10),
  };
  return (line) => console.log(JSON.stringify({ ...line, ...facts }));
}

/** The commit of a working copy, with a plus if files differ from it; null outside of one. */
function commitOf(folder: string): string | null {
  const git = (...args: string[]): string | null => {
    const { status, stdout } = spawnSync('git', ['-C', folder, ...args], { encoding: 'utf8' });
    return status === 0 ? stdout.trim() : null;
  };
  const commit = git('rev-parse', '--short', 'HEAD');
  const changes = git('status', '--porcelain', '--untracked-files=no', 'lib', 'bin');
  return commit === null ? null : `${commit}${changes === '' ? '' : '+'}`;
}
