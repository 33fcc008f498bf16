/** The training of the demo: what an encoder learned without labels is worth, beside one that starts from nothing. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  changeRecipe,
  evaluate,
  findRecipe,
  findWeights,
  finetune,
  pretrain,
  probe,
  reconstruct,
  reconstructionSheet,
  writeRunReport,
} from '../lib/index.ts';
import type { Evaluation, Recipe } from '../lib/index.ts';
import { shardsOf } from './demo-sets.ts';
import { ProgressLine } from './progress-line.ts';
import { printingHooks, reportFacts, saveEvaluation } from './train-flags.ts';

/** How the demo trains. */
export interface DemoTrainingOptions {
  readonly seed: number;
  /** Epochs of every training; default: those of the recipes. */
  readonly epochs: number | undefined;
  readonly signal: AbortSignal;
  readonly isQuiet: boolean;
  /** Told of each part before it starts. */
  readonly say: (text: string) => void;
}

/** What came out; accuracies count the held-out videos named right, 0 … 1. */
export interface DemoResults {
  readonly chance: number;
  readonly probe: number;
  readonly finetuned: number;
  readonly scratch: number;
  readonly numVideos: number;
  /** Mean loss of each epoch's end. */
  readonly pretrainLoss: number | null;
  /** Paths of the reports and of the picture of reconstructions. */
  readonly reports: readonly string[];
  readonly reconstructions: string;
}

/**
 * Pre-trains without labels, then probes, fine-tunes from there and trains from scratch with them. Runs that were stopped go on.
 *
 * @throws {TubeletError} what the runs throw
 */
export async function trainDemo(out: string, options: DemoTrainingOptions): Promise<DemoResults> {
  const { say } = options;
  say('5. An encoder learns from the videos, not from their labels');
  const pre = await pretrainDemo(out, options);
  say('6. A linear classifier on the frozen encoder');
  const linear = await probeDemo(out, pre.weights, options);
  say('7. Encoder and classifier are fine-tuned together');
  const tuned = await finetuneDemo(out, { ...options, name: 'finetune', from: linear.weights });
  say('8. The same from scratch');
  const scratch = await finetuneDemo(out, { ...options, name: 'scratch', from: null });
  return {
    chance: 1 / tuned.evaluation.classNames.length,
    probe: linear.evaluation.top1,
    finetuned: tuned.evaluation.top1,
    scratch: scratch.evaluation.top1,
    numVideos: tuned.evaluation.numVideos,
    pretrainLoss: pre.loss,
    reports: [pre.report, tuned.report, scratch.report],
    reconstructions: pre.sheet,
  };
}

async function pretrainDemo(
  out: string,
  options: DemoTrainingOptions,
): Promise<{ weights: string; loss: number | null; report: string; sheet: string }> {
  const { signal, isQuiet } = options;
  const run = join(out, 'runs', 'pretrain');
  const recipe = changed(findRecipe('pretrain', 'demo-pretrain'), options);
  const { close, ...hooks } = printingHooks('pretrain', recipe, isQuiet);
  const source = shardsOf(out, 'train');
  try {
    const { loss, facts } = await pretrain(source, {
      out: run,
      recipe,
      resume: true,
      overwrite: false,
      signal,
      ...hooks,
    });
    close();
    const reconstructions = await reconstruct(run, shardsOf(out, 'held-out'), { signal });
    const report = await writeRunReport(run, { reconstructions, facts: reportFacts(facts) });
    const sheet = join(out, 'reconstructions.png');
    await writeFile(sheet, await reconstructionSheet(reconstructions));
    return { weights: await findWeights(run, 'last'), loss, report, sheet };
  } finally {
    close();
  }
}

async function probeDemo(
  out: string,
  from: string,
  options: DemoTrainingOptions,
): Promise<{ readonly evaluation: Evaluation; readonly weights: string }> {
  const { signal, isQuiet } = options;
  const run = join(out, 'runs', 'probe');
  const recipe = changed(findRecipe('probe', 'demo-probe'), options);
  const line = new ProgressLine('probe', isQuiet);
  const startedAt = performance.now();
  await probe(shardsOf(out, 'train'), {
    out: run,
    recipe,
    from,
    resume: true,
    overwrite: false,
    signal,
    onProgress: ({ stage, done, total }) => {
      const secondsElapsed = (performance.now() - startedAt) / 1000;
      line.show(() => ({ done, total, secondsElapsed, facts: [stage] }));
    },
  });
  line.close();
  return {
    evaluation: await evaluateDemo(out, run, signal),
    weights: await findWeights(run, 'last'),
  };
}

async function finetuneDemo(
  out: string,
  options: DemoTrainingOptions & { readonly name: string; readonly from: string | null },
): Promise<{ evaluation: Evaluation; report: string }> {
  const { signal, isQuiet, name, from } = options;
  const run = join(out, 'runs', name);
  const recipe = changed(
    findRecipe('finetune', from === null ? 'demo-scratch' : 'demo-finetune'),
    options,
  );
  const { close, ...hooks } = printingHooks(name, recipe, isQuiet);
  try {
    const { facts } = await finetune(shardsOf(out, 'train'), {
      out: run,
      recipe,
      from,
      resume: true,
      overwrite: false,
      signal,
      ...hooks,
    });
    close();
    const evaluation = await evaluateDemo(out, run, signal);
    const report = await writeRunReport(run, { evaluation, facts: reportFacts(facts) });
    return { evaluation, report };
  } finally {
    close();
  }
}

/** The last weights, not the best: there is no set to choose them by, since held-out videos are looked at once. */
async function evaluateDemo(out: string, run: string, signal: AbortSignal): Promise<Evaluation> {
  const evaluation = await evaluate(run, shardsOf(out, 'held-out'), { which: 'last', signal });
  await saveEvaluation(run, evaluation);
  return evaluation;
}

function changed<T extends Recipe>(recipe: T, { seed, epochs }: DemoTrainingOptions): T {
  const lengths = epochs === undefined ? [] : [`train.epochs=${epochs}`, 'train.warmupEpochs=0'];
  return changeRecipe(recipe, [`train.seed=${seed}`, ...lengths]);
}
