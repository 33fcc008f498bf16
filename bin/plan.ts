/** `tubelet plan`: what a training run would read, proved before it starts. */

import {
  REMAINDERS,
  SHUFFLES,
  createOrder,
  measureMixing,
  openDataset,
  planEpoch,
  sumBytesPerRank,
  summarizeEpoch,
} from '../lib/index.ts';
import type { EpochSummary, Mixing, Remainder, Shuffle } from '../lib/index.ts';
import { UsageError } from './flags.ts';
import type { Arguments, Command } from './flags.ts';
import { formatBytes, formatCount, formatFacts } from './format.ts';

/** The command. */
export const planCommand: Command = {
  name: 'plan',
  usage: 'DIR --batch-size N [flags]',
  summary:
    'Says how an epoch over the dataset in DIR splits into batches and ranks, and what each rank reads.',
  flags: [
    { name: 'batch-size', value: 'N', help: 'clips per batch and rank (required)' },
    { name: 'world-size', value: 'N', help: 'number of ranks (default: 1)' },
    {
      name: 'remainder',
      value: 'POLICY',
      help: 'samples that fill no batch on every rank: drop, pad or uneven (required for several ranks)',
    },
    { name: 'shuffle', value: 'KIND', help: 'global, window or none (default: global)' },
    { name: 'seed', value: 'N', help: 'seed of the order (default: 0)' },
    { name: 'epoch', value: 'N', help: 'which epoch (default: 0)' },
  ],
  run,
};

interface Report extends EpochSummary {
  readonly remainderPolicy: Remainder;
  readonly bytesPerRank: readonly number[];
  readonly shuffle: Shuffle;
  readonly mixing: Mixing;
}

async function run(args: Arguments): Promise<number> {
  const folder = args.single('DIR');
  const batchSize = args.number('batch-size');
  if (batchSize === undefined) throw new UsageError('--batch-size N is missing.');
  const shuffle = choice(args, 'shuffle', SHUFFLES) ?? 'global';
  const remainder = choice(args, 'remainder', REMAINDERS);
  await using dataset = await openDataset(folder);
  const plan = planEpoch({
    numSamples: dataset.numSamples,
    batchSize,
    worldSize: args.number('world-size') ?? 1,
    ...(remainder === undefined ? {} : { remainder }),
  });
  const order = createOrder({
    shardSamples: dataset.info.shards.map(({ samples }) => samples),
    shuffle,
    seed: args.number('seed') ?? 0,
    epoch: args.number('epoch') ?? 0,
  });
  const report: Report = {
    ...summarizeEpoch(plan),
    remainderPolicy: plan.remainder,
    bytesPerRank: await sumBytesPerRank(plan, dataset.entries(), (position) => order.at(position)),
    shuffle,
    mixing: measureMixing(order),
  };
  process.stdout.write(args.has('json') ? `${JSON.stringify(report)}\n` : reportText(report));
  return 0;
}

function choice<T extends string>(
  args: Arguments,
  name: string,
  valid: readonly T[],
): T | undefined {
  const text = args.text(name);
  const found = valid.find((one) => one === text);
  if (text !== undefined && found === undefined) {
    throw new UsageError(`--${name} must be one of ${valid.join(', ')} (got "${text}").`);
  }
  return found;
}

function reportText(report: Report): string {
  const { batchesPerRank, bytesPerRank, mixing, dropped, padded } = report;
  const fate = dropped > 0 ? `, ${dropped} left out` : padded > 0 ? `, ${padded} come twice` : '';
  return formatFacts([
    ['samples', formatCount(report.numSamples)],
    ['batch of all ranks', `${formatCount(report.worldBatchSize)} clips`],
    ['batches per rank', rangeText(batchesPerRank, formatCount)],
    ['remainder', `${formatCount(report.remainder)} (${report.remainderPolicy}${fate})`],
    ['bytes per rank', rangeText(bytesPerRank, formatBytes)],
    ['shuffle', report.shuffle],
    [
      'mixing',
      `variety ${mixing.variety.toFixed(2)}, spread ${mixing.spread.toFixed(4)} (1 is a global shuffle)`,
    ],
  ]);
}

function rangeText(values: readonly number[], format: (value: number) => string): string {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low === high ? format(low) : `${format(low)} to ${format(high)}`;
}
