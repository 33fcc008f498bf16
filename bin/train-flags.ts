/** Flags that the commands of training share, and what they make of them. */

import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  ENGINE_NAMES,
  RECIPES,
  WEIGHTS_CHOICES,
  changeRecipe,
  findRecipe,
  findWeights,
} from '../lib/index.ts';
import type {
  Evaluation,
  Recipe,
  RunFacts,
  StepReport,
  TrainingHooks,
  WeightsChoice,
} from '../lib/index.ts';
import { UsageError } from './flags.ts';
import type { Arguments, Flag } from './flags.ts';
import { formatBytes, formatCount, formatFacts, formatRate, formatTable } from './format.ts';
import { ProgressLine } from './progress-line.ts';

/** Pairs of confused classes in the text; `--json` has all. */
const MAX_CONFUSED = 3;

/** How the work is done on this machine. */
export const MACHINE_FLAGS: readonly Flag[] = [
  {
    name: 'engine',
    value: ENGINE_NAMES.join('|'),
    help: 'what computes (default: onnx)',
  },
  { name: 'threads', value: 'N', help: 'threads of the engine (default: one per processor)' },
  { name: 'workers', value: 'N', help: 'threads of the loader (default: one per processor)' },
];

/** The recipe and its changes. */
export function recipeFlags(task: Recipe['task'], standard: string): readonly Flag[] {
  const names = RECIPES.filter((one) => one.task === task).map(({ name }) => name);
  return [
    {
      name: 'recipe',
      value: 'NAME',
      help: `${names.join(', ')} (default: ${standard})`,
    },
    {
      name: 'set',
      value: 'SECTION.NAME=VALUE',
      help: 'a value of the recipe, such as train.lr=3e-4; repeatable',
      isRepeatable: true,
    },
  ];
}

/** Where the run goes. */
export const RUN_FLAGS: readonly Flag[] = [
  { name: 'out', value: 'RUN', help: 'folder of the run (required)' },
  { name: 'overwrite', help: 'remove the run that is there' },
];

/** Going on with a run. */
export const RESUME_FLAG: Flag = {
  name: 'resume',
  help: 'go on from the last checkpoint of the run, bit for bit',
};

/** Where first weights come from. */
export const FROM_FLAG: Flag = {
  name: 'from',
  value: 'RUN|FILE',
  help: 'first weights: a run, or a file of weights (safetensors or .pth)',
};

/** Which checkpoint of a run. */
export const WEIGHTS_FLAG: Flag = {
  name: 'weights',
  value: WEIGHTS_CHOICES.join('|'),
  help: 'which checkpoint; average: the moving average of the last (default: best)',
  option: 'which',
};

/** The checkpoint that the flags name. */
export function whichFrom(args: Arguments): WeightsChoice {
  const which = args.text('weights') ?? 'best';
  const found = WEIGHTS_CHOICES.find((one) => one === which);
  if (found !== undefined) return found;
  throw new UsageError(`--weights must be one of ${WEIGHTS_CHOICES.join(', ')} (got "${which}").`);
}

/** The recipe that the flags name, with its changes. */
export function recipeFrom<Task extends Recipe['task']>(
  args: Arguments,
  task: Task,
  standard: string,
): Extract<Recipe, { readonly task: Task }> {
  return changeRecipe(findRecipe(task, args.text('recipe') ?? standard), args.list('set'));
}

/** The engine and the threads that the flags name. */
export function machineFrom(args: Arguments): Pick<TrainingHooks, 'engine' | 'workers'> {
  const engine = args.text('engine') ?? 'onnx';
  const found = ENGINE_NAMES.find((one) => one === engine);
  if (found === undefined) {
    throw new UsageError(`--engine must be one of ${ENGINE_NAMES.join(', ')} (got "${engine}").`);
  }
  const threads = args.number('threads');
  const workers = args.number('workers');
  return {
    engine: { engine: found, ...(threads === undefined ? {} : { threads }) },
    ...(workers === undefined ? {} : { workers }),
  };
}

/** Value of a flag that must be there. */
export function required(args: Arguments, name: string, what: string): string {
  const text = args.text(name);
  if (text === undefined) throw new UsageError(`--${name} ${what} is missing.`);
  return text;
}

/** The shards to evaluate on, if any. */
export function valFrom(args: Arguments): string | undefined {
  const val = args.text('val');
  if (val === '') throw new UsageError('--val must name shards (got "").');
  return val;
}

/** The file of weights that `--from` means: itself, or the last of a run. */
export async function weightsFrom(path: string): Promise<string> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  return isFolder ? findWeights(path, 'last') : path;
}

/** What is known before the first step, for people. */
function factsText(recipe: Recipe, facts: RunFacts): string {
  return formatFacts([['recipe', recipe.name], ...reportFacts(facts)]);
}

/** What is known before the first step, as names and values. */
export function reportFacts(facts: RunFacts): (readonly [name: string, value: string])[] {
  return [
    ['parameters', formatCount(facts.numParameters)],
    ['samples', formatCount(facts.numSamples)],
    ['global batch', `${facts.globalBatchSize} clips (${facts.microBatchSize} at once)`],
    ['steps', `${formatCount(facts.numSteps)} (${formatCount(facts.stepsPerEpoch)} per epoch)`],
    ['learning rate', facts.lr.toPrecision(3)],
    ['tokens per clip', `${facts.tokensPerClip} (${facts.visibleTokens} through the encoder)`],
    ['work per clip', `${facts.gflopsPerClip.toFixed(1)} GFLOP`],
    ['memory', `about ${formatBytes(facts.memoryBytes)}`],
  ];
}

/** Hooks that print: facts, a progress line, epochs. */
export function printingHooks(
  title: string,
  recipe: Recipe,
  isQuiet: boolean,
): Pick<TrainingHooks, 'onStart' | 'onProgress' | 'wallClock'> & { readonly close: () => void } {
  const line = new ProgressLine(title, isQuiet);
  return {
    onStart: startPrinter(recipe, isQuiet),
    onProgress: (report: StepReport) =>
      line.show(() => ({
        done: report.step - report.firstStep,
        total: report.numSteps,
        before: report.firstStep,
        secondsElapsed: report.secondsElapsed,
        facts: [
          `loss ${report.loss.toFixed(4)}`,
          `lr ${report.lr.toExponential(1)}`,
          `${formatRate(report.clipsPerSecond)} clips/s`,
          `${formatRate(report.gflops)} GFLOP/s`,
        ],
      })),
    wallClock: () => Date.now() / 1000,
    close: () => line.close(),
  };
}

/** Prints the whole recipe and what follows from it, before the first step. */
export function startPrinter(recipe: Recipe, isQuiet: boolean): (facts: RunFacts) => void {
  return (facts) => {
    if (!isQuiet) process.stderr.write(`${JSON.stringify(recipe)}\n${factsText(recipe, facts)}`);
  };
}

/** Says how to go on with a run that was interrupted. */
export function tellStopped(signal: AbortSignal, isQuiet: boolean): void {
  if (!signal.aborted || isQuiet) return;
  process.stderr.write('Stopped. The same command with --resume goes on with the run.\n');
}

/** An evaluation, for people. */
export function evaluationText(evaluation: Evaluation): string {
  const { top1, top5, meanPerClass, numVideos, missing, incomplete, views } = evaluation;
  const facts = formatFacts([
    ['videos', `${formatCount(numVideos)}, ${views.segments} x ${views.crops} views each`],
    ['top-1', percent(top1)],
    ['top-5', percent(top5)],
    ['mean of classes', percent(meanPerClass)],
    ...confusedFact(evaluation),
    ['missing', missing.length === 0 ? 'none' : missing.join(', ')],
    ...(incomplete.length === 0
      ? []
      : [['fewer views', incomplete.map(({ key }) => key).join(', ')] as const]),
  ]);
  const rows = evaluation.classes.map(({ name, numVideos: count, accuracy }) => [
    name,
    formatCount(count),
    percent(accuracy),
  ]);
  return `${facts}\n${formatTable([['class', 'videos', 'correct'], ...rows])}`;
}

/** Which classes are taken for which, most often first. */
function confusedFact({
  confusion,
  classNames,
}: Evaluation): (readonly [name: string, value: string])[] {
  const pairs = confusion.flatMap((row, label) =>
    row.flatMap((count, given) =>
      given === label || count === 0
        ? []
        : [{ text: `${classNames[label] ?? ''} as ${classNames[given] ?? ''} ${count}`, count }],
    ),
  );
  const shown = pairs.toSorted((a, b) => b.count - a.count).slice(0, MAX_CONFUSED);
  if (shown.length === 0) return [];
  return [['confused', shown.map(({ text }) => text).join(', ')]];
}

function percent(part: number | null): string {
  return part === null ? '-' : `${(100 * part).toFixed(1)} %`;
}

/** Leaves an evaluation in the folder of a run. */
export async function saveEvaluation(run: string, evaluation: Evaluation): Promise<void> {
  await writeFile(join(run, 'evaluation.json'), `${JSON.stringify(evaluation)}\n`);
}
