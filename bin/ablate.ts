/** `tubelet ablate`: what masks, decoders, targets and numbers of videos are worth, one changed at a time. */

import { join } from 'node:path';
import { ABLATIONS, ablate, findAblation } from '../lib/index.ts';
import type { AblationProgress, AblationReport, Readout } from '../lib/index.ts';
import { demoShards } from './demo-sets.ts';
import { UsageError } from './flags.ts';
import type { Arguments, Command } from './flags.ts';
import { formatDuration, formatTable } from './format.ts';
import { ProgressLine } from './progress-line.ts';
import { MACHINE_FLAGS, RESUME_FLAG, machineFrom, required } from './train-flags.ts';

const [STANDARD] = ABLATIONS;
const PARTS = [...new Set(ABLATIONS.flatMap(({ parts }) => parts.map(({ name }) => name)))];
const READOUT_NAMES: readonly Readout[] = ['probe', 'finetune'];

/** The command. */
export const ablateCommand: Command = {
  name: 'ablate',
  usage: '[DIR] --val DIR --out FOLDER',
  summary:
    'Pre-trains on the shards in DIR again and again, one value of the recipe changed at a time, and judges each encoder.',
  flags: [
    {
      name: 'out',
      value: 'FOLDER',
      help: 'where the runs, the table and the charts go (required)',
    },
    { name: 'val', value: 'DIR', help: 'shards to evaluate on (required with DIR)' },
    {
      name: 'labelled',
      value: 'DIR',
      help: 'shards whose labels the heads learn from (default: DIR)',
    },
    {
      name: 'demo',
      value: 'DIR',
      help: 'where the demo set is, or is made, if there is no DIR (default: demo-out)',
    },
    RESUME_FLAG,
    { name: 'overwrite', help: 'remove the ablation that is there' },
    {
      name: 'recipe',
      value: 'NAME',
      help: `${ABLATIONS.map(({ name }) => name).join(', ')} (default: ${STANDARD?.name ?? ''})`,
    },
    { name: 'only', value: 'PART,...', help: `some of ${PARTS.join(', ')} (default: all)` },
    {
      name: 'readouts',
      value: 'NAME,...',
      help: `how encoders are judged: ${READOUT_NAMES.join(', ')} (default: the recipe's)`,
    },
    { name: 'seeds', value: 'N', help: "runs of each point (default: the recipe's)" },
    {
      name: 'set',
      value: 'SECTION.NAME=VALUE',
      help: 'a value of all recipes that have it, or of one, as pretrain.train.lr=3e-4; repeatable',
      option: ['set', 'changes'],
      isRepeatable: true,
    },
    ...MACHINE_FLAGS,
  ],
  notes: [
    'A killed ablation goes on with --resume: finished runs are kept. Other parts and more seeds may be asked for then.',
  ],
  run,
};

async function run(args: Arguments, signal: AbortSignal): Promise<number> {
  const out = required(args, 'out', 'FOLDER');
  const isQuiet = args.has('quiet') || args.has('json');
  const recipe = findAblation(args.text('recipe') ?? STANDARD?.name ?? '');
  const seeds = args.number('seeds');
  const only = listOf(args, 'only');
  const readouts = listOf(args, 'readouts') as readonly Readout[] | undefined;
  const choice = {
    recipe,
    changes: args.list('set'),
    ...(seeds === undefined ? {} : { seeds }),
    ...(only === undefined ? {} : { only }),
    ...(readouts === undefined ? {} : { readouts }),
  };
  const line = new ProgressLine('ablate', isQuiet);
  const startedAt = performance.now();
  try {
    const report = await ablate({
      out,
      ...(await dataFrom(args, signal, isQuiet)),
      ...choice,
      resume: args.has('resume'),
      overwrite: args.has('overwrite'),
      signal,
      ...machineFrom(args),
      ...(isQuiet
        ? {}
        : {
            onEstimate: ({ numRuns, seconds }) =>
              void process.stderr.write(`${numRuns} runs, about ${formatDuration(seconds)}\n`),
          }),
      onProgress: (progress) =>
        line.show(() => ({
          ...stateOf(progress),
          secondsElapsed: (performance.now() - startedAt) / 1000,
        })),
    });
    line.close();
    const table = join(out, 'ablation.md');
    const page = join(out, 'ablation.html');
    process.stdout.write(
      args.has('json')
        ? `${JSON.stringify({ out, table, page, ...report })}\n`
        : `${reportText(report)}\n  table: ${table}\n  charts: ${page}\n`,
    );
    return 0;
  } finally {
    line.close();
  }
}

/** The datasets that the flags name, or those of the demo. */
async function dataFrom(
  args: Arguments,
  signal: AbortSignal,
  isQuiet: boolean,
): Promise<{ readonly source: string; readonly labelled?: string; readonly val: string }> {
  if (args.positionals.length === 0) {
    for (const name of ['val', 'labelled']) {
      if (args.text(name) !== undefined) throw new UsageError(`--${name} needs DIR before it.`);
    }
    return demoShards(args.text('demo') ?? 'demo-out', { signal, isQuiet });
  }
  const source = args.single('DIR');
  const val = required(args, 'val', 'DIR');
  const labelled = args.text('labelled');
  return { source, val, ...(labelled === undefined ? {} : { labelled }) };
}

/** Names between commas. */
function listOf(args: Arguments, name: string): readonly string[] | undefined {
  return args
    .text(name)
    ?.split(',')
    .map((one) => one.trim());
}

function stateOf({
  run: name,
  number,
  numRuns,
  stage,
  loss,
  gflopsTotal,
  gflopsDone,
  gflopsBefore,
}: AblationProgress): { done: number; total: number; before: number; facts: string[] } {
  return {
    done: Math.round(gflopsDone - gflopsBefore),
    total: Math.round(gflopsTotal),
    before: Math.round(gflopsBefore),
    facts: [
      'GFLOP',
      `run ${number} of ${numRuns}`,
      name,
      loss === null ? stage : `${stage}, loss ${loss.toFixed(4)}`,
    ],
  };
}

/** The tables, for people. */
function reportText({ parts, readouts, isComplete }: AblationReport): string {
  const tables = parts.map(({ title, points }) => {
    const rows = points.map(({ name, isStandard, loss, top1 }) => [
      `${name}${isStandard ? ' *' : ''}`,
      ...readouts.map((one) => percent(top1[one]?.mean)),
      loss?.mean.toFixed(4) ?? '-',
    ]);
    return formatTable([[title, ...readouts.map((one) => `${one} top-1`), 'loss'], ...rows]);
  });
  return `${tables.join('\n')}\n  *: the recipe as it stands${isComplete ? '' : '; not all runs are done'}`;
}

function percent(value: number | undefined): string {
  return value === undefined ? '-' : `${(100 * value).toFixed(1)} %`;
}
