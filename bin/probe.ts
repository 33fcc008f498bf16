/** `tubelet probe`: how well a frozen encoder tells classes apart. */

import { evaluate, probe } from '../lib/index.ts';
import type { Arguments, Command } from './flags.ts';
import { sourceFrom } from './loader-source.ts';
import { ProgressLine } from './progress-line.ts';
import {
  FROM_FLAG,
  MACHINE_FLAGS,
  RUN_FLAGS,
  evaluationText,
  machineFrom,
  recipeFlags,
  recipeFrom,
  required,
  saveEvaluation,
  weightsFrom,
} from './train-flags.ts';

const STANDARD = 'small-probe';

/** The command. */
export const probeCommand: Command = {
  name: 'probe',
  usage: 'DIR --from RUN --val DIR --out RUN',
  summary: 'Trains a linear classifier on the features of a frozen encoder.',
  flags: [
    FROM_FLAG,
    ...RUN_FLAGS,
    { name: 'val', value: 'DIR', help: 'shards to evaluate at the end' },
    ...recipeFlags('probe', STANDARD),
    ...MACHINE_FLAGS,
  ],
  run,
};

async function run(args: Arguments, signal: AbortSignal): Promise<number> {
  const source = sourceFrom(args.positionals);
  const out = required(args, 'out', 'RUN');
  const from = await weightsFrom(required(args, 'from', 'RUN|FILE'));
  const val = args.text('val');
  const recipe = recipeFrom(args, 'probe', STANDARD);
  const line = new ProgressLine('probe', args.has('quiet') || args.has('json'));
  const startedAt = performance.now();
  const machine = machineFrom(args);
  const summary = await probe(source, {
    out,
    recipe,
    from,
    overwrite: args.has('overwrite'),
    signal,
    ...machine,
    onProgress: ({ stage, done, total }) => {
      const secondsElapsed = (performance.now() - startedAt) / 1000;
      line.show(() => ({ done, total, secondsElapsed, facts: [stage] }));
    },
  });
  line.close();
  const evaluation = val === undefined ? null : await evaluate(out, val, { signal, ...machine });
  if (evaluation !== null) await saveEvaluation(out, evaluation);
  if (args.has('json')) {
    process.stdout.write(`${JSON.stringify({ out, ...summary, evaluation })}\n`);
    return 0;
  }
  process.stdout.write(
    `${out}: ${summary.numClips} clips, loss ${summary.loss.toFixed(4)}\n` +
      (evaluation === null ? '' : evaluationText(evaluation)),
  );
  return 0;
}
