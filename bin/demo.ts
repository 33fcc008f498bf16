/** `tubelet demo`: the whole way without any data of one's own, from videos to a fine-tuned network. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { datasetSheet, inspect } from '../lib/index.ts';
import type { ConvertSummary } from '../lib/index.ts';
import {
  SET_NAMES,
  SHEET,
  STANDARD_SIZES,
  convertSet,
  makeSet,
  prepareDemo,
  shardsOf,
  verifySets,
} from './demo-sets.ts';
import type { SetSizes } from './demo-sets.ts';
import { trainDemo } from './demo-training.ts';
import type { DemoResults } from './demo-training.ts';
import { UsageError } from './flags.ts';
import type { Arguments, Command } from './flags.ts';
import { formatCount, formatTable } from './format.ts';
import { inspectionText } from './inspect.ts';

/** Videos of each of ten classes that make a batch of 32. */
const FEWEST_VIDEOS = 4;

/** The command. */
export const demoCommand: Command = {
  name: 'demo',
  usage: '[--out DIR]',
  summary:
    'Makes real videos, converts and verifies them, pre-trains an encoder on them without labels, and shows what it is worth.',
  flags: [
    { name: 'out', value: 'DIR', help: 'where everything goes (default: demo-out)' },
    {
      name: 'videos',
      value: 'N',
      help: `videos of each of the ten classes to train on (default: ${STANDARD_SIZES.train})`,
      option: 'perClass',
    },
    {
      name: 'held-out',
      value: 'N',
      help: `videos of each class to evaluate on (default: ${STANDARD_SIZES['held-out']})`,
    },
    {
      name: 'epochs',
      value: 'N',
      help: 'epochs of every training (default: those of the recipes demo-pretrain, demo-finetune, demo-probe)',
    },
    { name: 'no-train', help: 'stop when the shards are made and checked' },
    { name: 'seed', value: 'N', help: 'seed of all that is drawn (default: 0)' },
  ],
  notes: ['A demo that was stopped goes on where it was when the same command is run again.'],
  run,
};

async function run(args: Arguments, signal: AbortSignal): Promise<number> {
  const out = args.text('out') ?? 'demo-out';
  const seed = args.number('seed') ?? 0;
  const epochs = args.number('epochs');
  const sizes: SetSizes = {
    train: args.number('videos') ?? STANDARD_SIZES.train,
    'held-out': args.number('held-out') ?? STANDARD_SIZES['held-out'],
  };
  if (sizes.train < FEWEST_VIDEOS && !args.has('no-train')) {
    throw new UsageError(
      `--videos must be at least ${FEWEST_VIDEOS}, one batch in all, or go with --no-train (got ${sizes.train}).`,
    );
  }
  const isQuiet = args.has('quiet') || args.has('json');
  const say = (text: string): void => void (isQuiet || process.stderr.write(`${text}\n`));
  const startedAt = performance.now();
  await prepareDemo(out, { sizes, seed, epochs: epochs ?? null });

  const making = { sizes, seed, signal, isQuiet };
  say(`1. Videos of ten kinds of motion, in four containers, into ${join(out, 'videos')}`);
  for (const name of SET_NAMES) await makeSet(out, name, making);
  say(`2. Videos become shards in ${join(out, 'shards')}`);
  const converted: Record<string, ConvertSummary> = {};
  for (const name of SET_NAMES) converted[name] = await convertSet(out, name, making);
  say('3. Every hash and every frame is checked');
  const { defects, frames } = await verifySets(out, signal);
  say('4. What came out');
  const shards = shardsOf(out, 'train');
  const inspection = await inspect(shards);
  const sheet = join(out, SHEET);
  await writeFile(sheet, await datasetSheet(shards));
  const verdict = defects.length === 0 ? 'all sound' : `${defects.length} defects`;
  if (!args.has('json')) {
    process.stdout.write(
      `${inspectionText(inspection)}\n  ${formatCount(frames)} frames checked: ${verdict}\n  contact sheet: ${sheet}\n`,
    );
  }
  const training =
    defects.length > 0 || args.has('no-train')
      ? null
      : await trainDemo(out, { seed, epochs, signal, isQuiet, say });
  const seconds = (performance.now() - startedAt) / 1000;
  process.stdout.write(
    args.has('json')
      ? `${JSON.stringify({ sets: converted, defects, frames, sheet, training, seconds })}\n`
      : `${training === null ? '' : resultsText(training)}\n  done in ${seconds.toFixed(0)} s\n` +
          `\nNext: tubelet inspect ${shards} --json, or convert videos of your own: tubelet convert FOLDER --out DIR\n`,
  );
  return defects.length === 0 ? 0 : 1;
}

function resultsText(results: DemoResults): string {
  const table = formatTable([
    [`on ${results.numVideos} held-out videos`, 'top-1'],
    ['chance', percent(results.chance)],
    ['from scratch', percent(results.scratch)],
    ['pre-trained, frozen, linear probe', percent(results.probe)],
    ['pre-trained, fine-tuned', percent(results.finetuned)],
  ]);
  const reports = results.reports.map((path) => `  report: ${path}\n`).join('');
  return `\n${table}\n  reconstructions: ${results.reconstructions}\n${reports}`;
}

function percent(part: number): string {
  return `${(100 * part).toFixed(1)} %`;
}
