/** `tubelet convert`: a source becomes shards. */

import { ERROR_CODES, TubeletError, convert, describeError, planConvert } from '../lib/index.ts';
import type { ConvertOptions, ConvertProgress, ConvertSummary, RetryReason } from '../lib/index.ts';
import { interruptedText, planText, stateOf, summaryText } from './convert-text.ts';
import { UsageError } from './flags.ts';
import type { Arguments, Command, Flag } from './flags.ts';
import { readTubelet } from './flag-values.ts';
import { ProgressLine } from './progress-line.ts';
import { printFailure } from './report-error.ts';

const FLAGS: readonly Flag[] = [
  {
    name: 'out',
    value: 'DIR',
    help: 'output folder (required); an unfinished conversion there is gone on with',
  },
  {
    name: 'name',
    value: 'NAME',
    help: 'shards are named NAME-000000.tar (default: the split, or train)',
  },
  {
    name: 'split',
    value: 'NAME',
    help: 'stored in every sample; rows of other splits of a list are left out',
  },
  {
    name: 'list',
    value: 'FILE',
    help: 'CSV, TSV, "path label" or JSON lines, with optional start, end and split',
  },
  {
    name: 'root',
    value: 'DIR',
    help: 'where relative paths of a list start (default: the folder of the list)',
  },
  {
    name: 'form',
    value: 'csv|tsv|lines|jsonl',
    help: 'form of the list (default: told from its content)',
  },
  {
    name: 'layout',
    value: 'frames|tubelets',
    help: 'subsampled frames, or finished clips cut into tubelets (default: frames)',
  },
  {
    name: 'codec',
    value: 'jpeg|raw',
    help: 'how frames are stored (default: jpeg; tubelets are raw)',
  },
  { name: 'quality', value: 'Q', help: 'JPEG quality 1 to 100, in steps of 5 (default: 90)' },
  { name: 'stride', value: 'N', help: 'store every N-th source frame, 1 stores all (default: 4)' },
  {
    name: 'fps',
    value: 'F',
    help: 'store F frames per second by their times, instead of --stride',
  },
  {
    name: 'short-side',
    value: 'PX',
    help: 'pixels of the shorter side, 0 keeps the size (default: 256; tubelets: --size)',
  },
  { name: 'max-seconds', value: 'S', help: 'longer videos become several samples (frames)' },
  { name: 'frames', value: 'N', help: 'frames of a clip (tubelets; default: 16)' },
  {
    name: 'size',
    value: 'PX',
    help: 'side of a clip, cut from the centre (tubelets; default: 224)',
  },
  {
    name: 'clips',
    value: 'N|all',
    help: 'clips of a video, spread evenly, or all that fit (tubelets; default: 1)',
  },
  {
    name: 'tubelet',
    value: 'TxPxP',
    help: 'frames and pixels of a tubelet (tubelets; default: 2x16x16)',
  },
  {
    name: 'short-video',
    value: 'POLICY',
    help: 'videos shorter than a clip: repeat-last, loop or error (default: repeat-last)',
  },
  {
    name: 'videos-per-shard',
    value: 'N',
    help: 'videos whose samples share a shard (default: 64)',
  },
  { name: 'seed', value: 'N', help: 'seed of the order of videos (default: 0)' },
  { name: 'no-shuffle', help: 'keep the order of the source' },
  { name: 'workers', value: 'N', help: 'worker processes (default: one per processor)' },
  {
    name: 'timeout',
    value: 'S',
    help: 'seconds one video may take (default: 60)',
    option: 'timeoutSeconds',
  },
  {
    name: 'stall',
    value: 'S',
    help: 'seconds one video may go without progress (default: 10)',
    option: 'stallSeconds',
  },
  {
    name: 'worker-memory',
    value: 'MIB',
    help: 'memory a worker may use, Linux only (default: 2048)',
    option: 'workerMemoryMib',
  },
  {
    name: 'max-failures',
    value: 'N|P%',
    help: 'end with exit code 1 if more videos fail (default: 5%)',
  },
  { name: 'strict', help: 'the same as --max-failures 0' },
  {
    name: 'retry',
    value: 'KINDS',
    help: 'try failed videos again: timeout, crash, memory, missing, unreadable (comma between)',
  },
  { name: 'overwrite', help: 'start anew in a folder filled by another conversion' },
  { name: 'dry-run', help: 'say what would be done and write nothing' },
];

/** The command. */
export const convertCommand: Command = {
  name: 'convert',
  usage: 'SOURCE --out DIR [flags]',
  summary: 'Turns SOURCE (a folder, folder/CLASS/*.* or a list file) into training-ready shards.',
  flags: FLAGS,
  notes: [
    'Stop it at any time and run the same command again: finished shards are kept, and the result is the same to the byte.',
    'Videos that cannot be read are listed with their reason in DIR/failures.jsonl.',
  ],
  run,
};

async function run(args: Arguments, signal: AbortSignal): Promise<number> {
  const source = args.positionals[0] ?? args.text('list');
  if (source === undefined)
    throw new UsageError('SOURCE is missing: a folder of videos or a list file.');
  if (args.positionals.length > 1)
    throw new UsageError(`Unexpected argument "${String(args.positionals[1])}".`);
  const options = optionsFrom(args);
  if (args.has('dry-run')) {
    const plan = await planConvert(source, { ...options, signal });
    process.stdout.write(args.has('json') ? `${JSON.stringify(plan)}\n` : planText(plan));
    return 0;
  }
  const line = new ProgressLine('convert', args.has('quiet') || args.has('json'));
  let last: ConvertProgress | null = null;
  const started = {
    ...options,
    signal,
    onProgress: (progress: ConvertProgress) => {
      last = progress;
      line.show(() => stateOf(progress));
    },
  };
  let summary: ConvertSummary;
  try {
    summary = await convert(source, started);
  } catch (error) {
    line.close();
    if (signal.aborted) process.stderr.write(interruptedText(last, args.has('overwrite')));
    throw error;
  }
  line.close();
  process.stdout.write(
    args.has('json') ? `${JSON.stringify(summary)}\n` : summaryText(summary, options.out),
  );
  if (!summary.hasTooManyFailures) return 0;
  const failed = Object.values(summary.failures).reduce((sum, count) => sum + count, 0);
  const details = {
    failed,
    allowed: args.has('strict') ? '0' : (args.text('max-failures') ?? '5%'),
  };
  printFailure(
    new TubeletError('TUBE_TOO_MANY_FAILURES', { ...details, ...mostFrequent(summary) }),
  );
  return 1;
}

/** The reason that most videos failed for, with what can be done about it. */
function mostFrequent({ failures }: ConvertSummary): { readonly mostly?: string } {
  const [code] = Object.entries(failures).sort(([, a], [, b]) => b - a)[0] ?? [];
  const known = ERROR_CODES.find((one) => one === code);
  if (known === undefined) return {};
  const { what, hint } = describeError(known);
  return { mostly: `${known}: ${what}. ${hint}` };
}

function optionsFrom(args: Arguments): ConvertOptions {
  const out = args.text('out');
  if (out === undefined) throw new UsageError('--out DIR is missing: where the shards go.');
  if (args.has('strict') && args.text('max-failures') !== undefined) {
    throw new UsageError('--strict and --max-failures exclude each other.');
  }
  const clips = args.text('clips') === 'all' ? 'all' : args.number('clips');
  const given = {
    name: args.text('name'),
    split: args.text('split'),
    list: args.text('list'),
    root: args.text('root'),
    form: args.text('form'),
    layout: args.text('layout'),
    codec: args.text('codec'),
    quality: args.number('quality'),
    stride: args.number('stride'),
    fps: args.number('fps'),
    shortSide: args.number('short-side'),
    maxSeconds: args.number('max-seconds'),
    frames: args.number('frames'),
    size: args.number('size'),
    clips,
    tubelet: readTubelet(args, 'tubelet'),
    shortVideo: args.text('short-video'),
    videosPerShard: args.number('videos-per-shard'),
    seed: args.number('seed'),
    shuffle: args.has('no-shuffle') ? false : undefined,
    workers: args.number('workers'),
    timeoutSeconds: args.number('timeout'),
    stallSeconds: args.number('stall'),
    workerMemoryMib: args.number('worker-memory'),
    maxFailures: args.has('strict') ? 0 : args.text('max-failures'),
    retry: args.text('retry')?.split(',') as RetryReason[] | undefined,
    overwrite: args.has('overwrite') ? true : undefined,
  };
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { out, ...set };
}
