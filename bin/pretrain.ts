/** `tubelet pretrain`: an encoder learns from videos without labels. */

import { pretrain, reconstruct, writeRunReport } from '../lib/index.ts';
import type { LoaderSource, Reconstructions } from '../lib/index.ts';
import type { Arguments, Command } from './flags.ts';
import { sourceFrom } from './loader-source.ts';
import {
  FROM_FLAG,
  MACHINE_FLAGS,
  RESUME_FLAG,
  RUN_FLAGS,
  machineFrom,
  printingHooks,
  recipeFlags,
  recipeFrom,
  reportFacts,
  required,
  tellStopped,
  valFrom,
  weightsFrom,
} from './train-flags.ts';

const STANDARD = 'small-pretrain';

/** The command. */
export const pretrainCommand: Command = {
  name: 'pretrain',
  usage: 'DIR --out RUN [--val DIR]',
  summary: 'Pre-trains an encoder on the shards in DIR: VideoMAE, no labels needed.',
  flags: [
    ...RUN_FLAGS,
    RESUME_FLAG,
    ...recipeFlags('pretrain', STANDARD),
    FROM_FLAG,
    {
      name: 'val',
      value: 'DIR',
      help: 'shards whose loss is measured after each epoch; says which epoch is best',
    },
    ...MACHINE_FLAGS,
  ],
  notes: ['Several datasets are mixed by weight: DIR=0.7 DIR=0.3.'],
  run,
};

async function run(args: Arguments, signal: AbortSignal): Promise<number> {
  const source = sourceFrom(args.positionals);
  const out = required(args, 'out', 'RUN');
  const recipe = recipeFrom(args, 'pretrain', STANDARD);
  const from = args.text('from');
  const val = valFrom(args);
  const isQuiet = args.has('quiet') || args.has('json');
  const { close, ...hooks } = printingHooks('pretrain', recipe, isQuiet);
  try {
    const summary = await pretrain(source, {
      out,
      recipe,
      resume: args.has('resume'),
      overwrite: args.has('overwrite'),
      signal,
      ...(from === undefined ? {} : { from: await weightsFrom(from) }),
      ...(val === undefined ? {} : { val }),
      ...machineFrom(args),
      ...hooks,
    });
    close();
    const reconstructions = await reconstructFirst(source, { out, args, signal });
    const report = await writeRunReport(out, {
      reconstructions,
      facts: reportFacts(summary.facts),
    });
    const { step, loss, best } = summary;
    process.stdout.write(
      args.has('json')
        ? `${JSON.stringify({ out, report, ...summary })}\n`
        : `${out}: ${step} steps, loss ${loss?.toFixed(4) ?? '-'}, best epoch ends at step ${best?.step ?? '-'}\n  report: ${report}\n`,
    );
    return 0;
  } finally {
    close();
    tellStopped(signal, isQuiet);
  }
}

/** Pictures for the report; a mixture shows none, since it has no first clips. */
async function reconstructFirst(
  source: LoaderSource,
  {
    out,
    args,
    signal,
  }: { readonly out: string; readonly args: Arguments; readonly signal: AbortSignal },
): Promise<Reconstructions | null> {
  if (typeof source !== 'string') return null;
  return reconstruct(out, source, { signal, ...machineFrom(args) });
}
