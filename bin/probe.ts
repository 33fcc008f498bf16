/** `tubelet probe`: how well a frozen encoder tells classes apart. */

import { evaluate, probe, writeRunReport } from '../lib/index.ts';
import type { ProbeProgress } from '../lib/index.ts';
import type { Arguments, Command } from './flags.ts';
import { formatRate } from './format.ts';
import { sourceFrom } from './loader-source.ts';
import { ProgressLine } from './progress-line.ts';
import {
  FROM_FLAG,
  MACHINE_FLAGS,
  RESUME_FLAG,
  RUN_FLAGS,
  evaluationText,
  machineFrom,
  recipeFlags,
  recipeFrom,
  reportFacts,
  required,
  saveEvaluation,
  startPrinter,
  tellStopped,
  valFrom,
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
    RESUME_FLAG,
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
  const val = valFrom(args);
  const recipe = recipeFrom(args, 'probe', STANDARD);
  const isQuiet = args.has('quiet') || args.has('json');
  const machine = machineFrom(args);
  const progress = new StageProgress(isQuiet);
  try {
    const summary = await probe(source, {
      out,
      recipe,
      from,
      resume: args.has('resume'),
      overwrite: args.has('overwrite'),
      signal,
      ...machine,
      wallClock: () => Date.now() / 1000,
      onStart: startPrinter(recipe, isQuiet),
      onProgress: (report) => progress.show(report),
    });
    progress.close();
    const evaluation = val === undefined ? null : await evaluate(out, val, { signal, ...machine });
    if (evaluation !== null) await saveEvaluation(out, evaluation);
    const report = await writeRunReport(out, { evaluation, facts: reportFacts(summary.facts) });
    process.stdout.write(
      args.has('json')
        ? `${JSON.stringify({ out, report, ...summary, evaluation })}\n`
        : `${out}: ${summary.numClips} clips, loss ${summary.loss.toFixed(4)}\n  report: ${report}\n` +
            (evaluation === null ? '' : evaluationText(evaluation)),
    );
    return 0;
  } finally {
    progress.close();
    tellStopped(signal, isQuiet);
  }
}

/** A line for each stage, with a clock of its own: clips are slow and steps of the head fast. */
class StageProgress {
  readonly #isQuiet: boolean;
  #stage: ProbeProgress['stage'] | null = null;
  #line: ProgressLine | null = null;
  #before = 0;
  #startedAt = 0;

  constructor(isQuiet: boolean) {
    this.#isQuiet = isQuiet;
  }

  show({ stage, done, total, loss, lr }: ProbeProgress): void {
    if (stage !== this.#stage) {
      this.close();
      this.#stage = stage;
      this.#line = new ProgressLine(`probe ${stage}`, this.#isQuiet);
      this.#startedAt = performance.now();
      this.#before = done - 1;
    }
    const secondsElapsed = (performance.now() - this.#startedAt) / 1000;
    const own = done - this.#before;
    this.#line?.show(() => ({
      done: own,
      total,
      before: this.#before,
      secondsElapsed,
      facts:
        loss === null || lr === null
          ? [`${formatRate(own / secondsElapsed)} clips/s`]
          : [`loss ${loss.toFixed(4)}`, `lr ${lr.toExponential(1)}`],
    }));
  }

  close(): void {
    this.#line?.close();
    this.#line = null;
  }
}
