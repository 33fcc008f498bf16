/** `tubelet finetune` and `tubelet scratch`: a network learns to name classes, from pre-trained weights or from drawn ones. */

import { evaluate, finetune, writeRunReport } from '../lib/index.ts';
import type { Arguments, Command } from './flags.ts';
import { sourceFrom } from './loader-source.ts';
import {
  FROM_FLAG,
  MACHINE_FLAGS,
  RESUME_FLAG,
  RUN_FLAGS,
  evaluationText,
  machineFrom,
  printingHooks,
  recipeFlags,
  recipeFrom,
  reportFacts,
  required,
  saveEvaluation,
  tellStopped,
  valFrom,
  weightsFrom,
} from './train-flags.ts';

const STANDARD = 'small-finetune';
const VAL_FLAG = {
  name: 'val',
  value: 'DIR',
  help: 'shards to look at after each epoch, and to evaluate at the end',
};
const FLAGS = [
  ...RUN_FLAGS,
  RESUME_FLAG,
  VAL_FLAG,
  ...recipeFlags('finetune', STANDARD),
  ...MACHINE_FLAGS,
];

/** Starts from a pre-trained encoder. */
export const finetuneCommand: Command = {
  name: 'finetune',
  usage: 'DIR --from RUN --val DIR --out RUN',
  summary: 'Fine-tunes a pre-trained encoder on the labels of the shards in DIR.',
  flags: [FROM_FLAG, ...FLAGS],
  run: async (args, signal) =>
    run(args, signal, await weightsFrom(required(args, 'from', 'RUN|FILE'))),
};

/** Starts from drawn weights; the baseline. */
export const scratchCommand: Command = {
  name: 'scratch',
  usage: 'DIR --val DIR --out RUN',
  summary: 'Trains the same network on the labels of the shards in DIR from drawn weights.',
  flags: FLAGS,
  run: (args, signal) => run(args, signal, null),
};

async function run(args: Arguments, signal: AbortSignal, from: string | null): Promise<number> {
  const source = sourceFrom(args.positionals);
  const out = required(args, 'out', 'RUN');
  const val = valFrom(args);
  const recipe = recipeFrom(args, 'finetune', STANDARD);
  const title = from === null ? 'scratch' : 'finetune';
  const isQuiet = args.has('quiet') || args.has('json');
  const { close, ...hooks } = printingHooks(title, recipe, isQuiet);
  const machine = machineFrom(args);
  try {
    const summary = await finetune(source, {
      out,
      recipe,
      from,
      resume: args.has('resume'),
      overwrite: args.has('overwrite'),
      signal,
      ...(val === undefined ? {} : { val }),
      ...machine,
      ...hooks,
    });
    close();
    const evaluation = val === undefined ? null : await evaluate(out, val, { signal, ...machine });
    if (evaluation !== null) await saveEvaluation(out, evaluation);
    const report = await writeRunReport(out, { evaluation, facts: reportFacts(summary.facts) });
    if (args.has('json')) {
      process.stdout.write(`${JSON.stringify({ out, report, ...summary, evaluation })}\n`);
      return 0;
    }
    process.stdout.write(
      `${out}: ${summary.step} steps, loss ${summary.loss?.toFixed(4) ?? '-'}\n  report: ${report}\n` +
        (evaluation === null ? '' : evaluationText(evaluation)),
    );
    return 0;
  } finally {
    close();
    tellStopped(signal, isQuiet);
  }
}
