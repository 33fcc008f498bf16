/** `tubelet inspect`: what is in a dataset, in numbers and pictures. */

import { writeFile } from 'node:fs/promises';
import { datasetSheet, inspect } from '../lib/index.ts';
import type { Inspection, Spread } from '../lib/index.ts';
import { UsageError } from './flags.ts';
import type { Arguments, Command } from './flags.ts';
import { formatBytes, formatCount, formatDuration, formatFacts, formatTable } from './format.ts';

/** The command. */
export const inspectCommand: Command = {
  name: 'inspect',
  usage: 'DIR [--out PNG] [--key KEY]',
  summary: 'Describes the dataset in DIR: totals, classes, sizes, durations, failures.',
  flags: [
    {
      name: 'out',
      value: 'PNG',
      help: 'also draw a contact sheet: one sample of each class, or the sample of --key',
    },
    { name: 'key', value: 'KEY', help: 'the sample to draw' },
    { name: 'rows', value: 'N', help: 'samples on the sheet at most (default: 12)' },
  ],
  run,
};

async function run(args: Arguments, signal: AbortSignal): Promise<number> {
  const folder = args.single('DIR');
  const key = args.text('key');
  const out = args.text('out');
  const rows = args.number('rows');
  if (key !== undefined && out === undefined)
    throw new UsageError('--key needs --out PNG to draw to.');
  const inspection = await inspect(folder, { signal });
  if (out !== undefined) {
    const sheet = await datasetSheet(folder, {
      ...(key === undefined ? {} : { key }),
      ...(rows === undefined ? {} : { rows }),
    });
    await writeFile(out, sheet);
  }
  process.stdout.write(
    args.has('json') ? `${JSON.stringify(inspection)}\n` : inspectionText(inspection),
  );
  if (out !== undefined && !args.has('json')) process.stdout.write(`  contact sheet in ${out}\n`);
  return 0;
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
    [
      'duration',
      `${formatDuration(totals.seconds)} (${spreadText(inspection.sourceSeconds, 1)} s a video)`,
    ],
    ['frame rate', `${spreadText(inspection.sourceFps, 1)} per second`],
    ['source sizes', sizesText(inspection.sourceSizes)],
    ['stored sizes', sizesText(inspection.storedSizes)],
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

function spreadText({ min, median, max }: Spread, digits = 0): string {
  const [low, middle, high] = [min, median, max].map((value) => value.toFixed(digits));
  return min === max ? String(low) : `${String(low)} to ${String(high)}, median ${String(middle)}`;
}

function sizesText(sizes: Readonly<Record<string, number>>): string {
  const names = Object.keys(sizes);
  const shown = names.slice(0, 4).join(', ');
  return names.length > 4 ? `${shown} and ${names.length - 4} more` : shown;
}
