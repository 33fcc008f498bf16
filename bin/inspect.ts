/** `tubelet inspect`: what is in a dataset, in numbers and pictures. */

import { once } from 'node:events';
import { inspect, openDataset, writeDatasetSheet } from '../lib/index.ts';
import type { Inspection, Spread } from '../lib/index.ts';
import { UsageError } from './flags.ts';
import type { Arguments, Command } from './flags.ts';
import { formatBytes, formatCount, formatDuration, formatFacts, formatTable } from './format.ts';

/** Lines that are written together. */
const BLOCK_CHARACTERS = 2 ** 16;

/** The command. */
export const inspectCommand: Command = {
  name: 'inspect',
  usage: 'DIR [--out PNG] [--key KEY] | DIR --keys',
  summary: 'Describes the dataset in DIR: totals, classes, sizes, durations, failures.',
  flags: [
    {
      name: 'out',
      value: 'PNG',
      help: 'also draw a contact sheet: one sample of each class, or the sample of --key',
    },
    { name: 'key', value: 'KEY', help: 'the sample to draw' },
    { name: 'rows', value: 'N', help: 'samples on the sheet at most (default: 12)' },
    { name: 'keys', help: 'print the key of every sample instead, one a line' },
  ],
  run,
};

async function run(args: Arguments, signal: AbortSignal): Promise<number> {
  const folder = args.single('DIR');
  const key = args.text('key');
  const out = args.text('out');
  const rows = args.number('rows');
  if (args.has('keys')) {
    if (args.has('json') || [key, out, rows].some((value) => value !== undefined))
      throw new UsageError('--keys does not go with --json, --key, --out or --rows.');
    await printKeys(folder, signal);
    return 0;
  }
  if (out === undefined && key !== undefined)
    throw new UsageError('--key needs --out PNG to draw to.');
  if (out === undefined && rows !== undefined)
    throw new UsageError('--rows needs --out PNG to draw to.');
  const inspection = await inspect(folder, { signal });
  if (out !== undefined) {
    await writeDatasetSheet(folder, out, {
      ...(key === undefined ? {} : { key }),
      ...(rows === undefined ? {} : { rows }),
    });
  }
  process.stdout.write(
    args.has('json') ? `${JSON.stringify(inspection)}\n` : inspectionText(inspection),
  );
  if (out !== undefined && !args.has('json')) process.stdout.write(`  contact sheet in ${out}\n`);
  return 0;
}

/** Never holds more than one shard's keys and a block of lines. */
async function printKeys(folder: string, signal: AbortSignal): Promise<void> {
  await using dataset = await openDataset(folder, { maxIndexedSamples: 1 });
  let lines = '';
  for await (const key of dataset.keys()) {
    lines += `${key}\n`;
    if (lines.length < BLOCK_CHARACTERS) continue;
    signal.throwIfAborted();
    if (!process.stdout.write(lines)) await once(process.stdout, 'drain', { signal });
    lines = '';
  }
  process.stdout.write(lines);
}

/** An inspection as text. */
export function inspectionText(inspection: Inspection): string {
  const { info, classes } = inspection;
  const { totals } = info;
  const failures = Object.entries(totals.failures).map(([code, count]) => `${count} ${code}`);
  const facts = formatFacts([
    ['videos', `${formatCount(totals.videos)} of ${formatCount(info.source.videos)}`],
    ['samples', formatCount(totals.samples)],
    [
      'frames',
      `${formatCount(totals.frames)} (${spreadText(inspection.framesPerSample)} a sample)`,
    ],
    ['shards', formatCount(info.shards.length)],
    ['size', formatBytes(totals.bytes)],
    ['duration', formatDuration(totals.seconds)],
    ['source of a sample', sourceText(inspection)],
    ['source sizes', sizesText(inspection.sourceSizes)],
    ['stored sizes', sizesText(inspection.storedSizes)],
    ...unreadableFacts(inspection),
    ['failed', failures.length === 0 ? 'none' : failures.join(', ')],
  ]);
  const table = formatTable([
    ['class', 'samples', 'frames'],
    ...classes.map(({ label, name, samples, frames }) => [
      name ?? (label === null ? '(unlabelled)' : `class ${label}`),
      formatCount(samples),
      formatCount(frames),
    ]),
  ]);
  return `${info.name} (split ${info.split})\n${facts}\n${table}`;
}

/** Over the samples that were read: a video of many samples counts many times. */
function sourceText({ sourceSeconds, sourceFps }: Inspection): string {
  return `${spreadText(sourceSeconds, 1)} s; ${spreadText(sourceFps, 1)} frames per second`;
}

function unreadableFacts({ samplesRead, samplesUnreadable }: Inspection): [string, string][] {
  if (samplesUnreadable === 0) return [];
  const tried = formatCount(samplesRead + samplesUnreadable);
  return [['unreadable', `${formatCount(samplesUnreadable)} of ${tried} samples looked at`]];
}

function spreadText({ min, median, max }: Spread, digits = 0): string {
  const [low, middle, high] = [min, median, max].map((value) => value.toFixed(digits));
  return min === max ? String(low) : `${String(low)} to ${String(high)}, median ${String(middle)}`;
}

function sizesText(sizes: Readonly<Record<string, number>>): string {
  const names = Object.keys(sizes);
  const shown = names.slice(0, 4).join(', ');
  return names.length > 4 ? `${shown} and ${names.length - 4} more` : shown;
}
