/** `tubelet pipe`: the loader for trainers in other languages. Batches go to stdout, everything else to stderr. */

import { writeFile } from 'node:fs/promises';
import { BATCH_FORMATS, TubeletError, batchSheet, loadCursor, openLoader } from '../lib/index.ts';
import type { BadSample, BatchFormat, Loader } from '../lib/index.ts';
import { openStdout } from './batch-output.ts';
import { UsageError } from './flags.ts';
import type { Arguments, Command, Flag } from './flags.ts';
import { LOADER_FLAGS, PRESET_FLAG } from './loader-flags.ts';
import { loaderOptionsFrom, tellPreset } from './loader-options.ts';
import { sourceFrom } from './loader-source.ts';
import { keepCursor, pipeBatches } from './pipe-batches.ts';
import { endText, summaryOf, summaryText } from './pipe-text.ts';
import type { PipeTotals } from './pipe-text.ts';
import { ProgressLine } from './progress-line.ts';

const STREAM = 'The stream';
/** Bad samples that are named; further ones are only counted. */
const MAX_NAMED = 20;

const STREAM_FLAGS: readonly Flag[] = [
  {
    name: 'format',
    value: BATCH_FORMATS.join('|'),
    help: 'one MessagePack map per batch, or NumPy arrays in a row (default: msgpack)',
    group: STREAM,
  },
  { name: 'max-batches', value: 'N', help: 'end after so many batches', group: STREAM },
  {
    name: 'cursor',
    value: 'FILE',
    help: 'go on where the cursor in FILE says, if there is one; leave the next one there at the end',
    group: STREAM,
  },
  {
    name: 'sheet',
    value: 'PNG',
    help: 'draw the first batch instead: clips, what is visible, what is to be predicted',
    group: STREAM,
  },
];

/** The command. */
export const pipeCommand: Command = {
  name: 'pipe',
  usage: 'DIR|URL[=WEIGHT]... --batch-size N [flags] | TRAINER',
  summary: 'Writes training batches of the shards in DIR to stdout, for a trainer in any language.',
  flags: [
    PRESET_FLAG,
    ...LOADER_FLAGS,
    ...STREAM_FLAGS,
    { name: 'json', help: 'a summary as one JSON object, the last line on stderr' },
  ],
  notes: [
    'tubelet pipe shards/train --preset pretrain --batch-size 8 | python train.py',
    'Several datasets are mixed by weight: shards/a=0.7 shards/b=0.3. Every rank runs its own tubelet, with its own --cursor FILE.',
    'The cursor in FILE names the batch after the last one that stdout took whole, also after Ctrl-C, an error or a reader that went\naway (after a kill it may be seconds old). A reader may be some batches behind: each batch carries the cursor behind it, to be\nstored with a checkpoint.',
    'Exit codes: 0 done, or the reader went away; 1 failed; 2 wrong use; 130 interrupted (143 by SIGTERM).',
    'shards/README.md tells what a batch holds, shards/read_batches.py reads it in Python.',
  ],
  isStream: true,
  run,
};

async function run(args: Arguments, signal: AbortSignal): Promise<number> {
  try {
    if (args.text('sheet') !== undefined) return await drawSheet(args);
    return await stream(args, signal);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError(error.message + tellPreset(args, error.message), { cause: error });
  }
}

async function drawSheet(args: Arguments): Promise<number> {
  for (const name of ['cursor', 'max-batches', 'format']) {
    if (args.text(name) !== undefined)
      throw new UsageError(`--sheet does not go with --${name}: it writes no batches.`);
  }
  const path = args.text('sheet') ?? '';
  const options = loaderOptionsFrom(args);
  await writeFile(path, await batchSheet(sourceFrom(args.positionals), options));
  if (args.has('json')) process.stderr.write(`${JSON.stringify({ sheet: path })}\n`);
  else process.stderr.write(`The first batch is drawn in ${path}; no batches were written.\n`);
  return 0;
}

async function stream(args: Arguments, signal: AbortSignal): Promise<number> {
  const source = sourceFrom(args.positionals);
  const format = formatFrom(args);
  const maxBatches = maxBatchesFrom(args);
  const options = loaderOptionsFrom(args);
  if (process.stdout.isTTY) {
    throw new UsageError(
      'Batches are binary, and stdout is a terminal. Send them to a program or a file: tubelet pipe … | python train.py',
    );
  }
  const path = args.text('cursor');
  const cursor = path === undefined ? undefined : await loadCursor(path);
  const loader = await openAt(path, () =>
    openLoader(source, {
      ...options,
      ...(cursor === undefined ? {} : { cursor }),
      onBadSample: nameBadSamples(),
      signal,
    }),
  );
  await using _closing = loader;
  const line = new ProgressLine('pipe', args.has('quiet') || args.has('json'));
  const totals = await keepCursor(path, loader.cursor(), (keep) =>
    pipeBatches({ loader, out: openStdout(), format, maxBatches, line, signal }, keep),
  );
  report(args, totals, { loader, path });
  signal.throwIfAborted();
  return 0;
}

/** Names the file of a cursor that is refused. */
async function openAt(path: string | undefined, open: () => Promise<Loader>): Promise<Loader> {
  try {
    return await open();
  } catch (error) {
    const isCursor = error instanceof TubeletError && error.code === 'TUBE_CURSOR_MISMATCH';
    if (path === undefined || !isCursor) throw error;
    throw new TubeletError(error.code, { path, ...error.details }, { cause: error });
  }
}

function report(
  args: Arguments,
  totals: PipeTotals,
  { loader, path }: { readonly loader: Loader; readonly path: string | undefined },
): void {
  if (args.has('json')) {
    const summary = summaryOf(totals, loader.report(), path ?? null);
    process.stderr.write(`${JSON.stringify(summary)}\n`);
    return;
  }
  if (totals.end === 'reader-gone') return;
  if (totals.end === 'interrupted') process.stderr.write(endText(totals, path));
  else if (!args.has('quiet')) process.stderr.write(summaryText(totals, loader.report(), path));
}

function nameBadSamples(): (bad: BadSample) => void {
  let count = 0;
  return ({ key, sample, dataset, message }) => {
    count += 1;
    if (count > MAX_NAMED + 1) return;
    const place = dataset === '' ? '' : ` of ${dataset}`;
    const text =
      count > MAX_NAMED
        ? 'More bad samples; from here on they are only counted.'
        : `bad sample ${key ?? `number ${sample}`}${place}: ${message}`;
    process.stderr.write(`${text}\n`);
  };
}

function formatFrom(args: Arguments): BatchFormat {
  const text = args.text('format') ?? 'msgpack';
  const found = BATCH_FORMATS.find((one) => one === text);
  if (found !== undefined) return found;
  throw new UsageError(`--format must be one of ${BATCH_FORMATS.join(', ')} (got "${text}").`);
}

function maxBatchesFrom(args: Arguments): number {
  const value = args.number('max-batches') ?? Infinity;
  if (value === Infinity || (Number.isSafeInteger(value) && value >= 1)) return value;
  throw new UsageError(`--max-batches must be an integer of at least 1 (got ${value}).`);
}
