/** `tubelet plan`: what a training run would read, proved before it starts. */

import {
  createOrder,
  measureMixing,
  openDataset,
  planEpoch,
  sumBytesPerRank,
  summarizeEpoch,
} from '../lib/index.ts';
import type { EpochSummary, Mixing, Remainder, Shuffle } from '../lib/index.ts';
import type { Arguments, Command } from './flags.ts';
import { formatBytes, formatCount, formatFacts } from './format.ts';
import { pickFlags } from './loader-flags.ts';
import { loaderOptionsFrom } from './loader-options.ts';

const FLAGS = pickFlags(
  'batch-size',
  'seed',
  'epoch',
  'shuffle',
  'window-shards',
  'window-samples',
  'world-size',
  'remainder',
);

/** The command. */
export const planCommand: Command = {
  name: 'plan',
  usage: 'DIR --batch-size N [flags]',
  summary:
    'Says how an epoch over the dataset in DIR splits into batches and ranks, and what each rank reads.',
  flags: FLAGS,
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
  const options = loaderOptionsFrom(args, FLAGS);
  const { batchSize, worldSize = 1, remainder, shuffle = 'global', seed = 0, epoch = 0 } = options;
  const { windowShards, windowSamples } = options;
  await using dataset = await openDataset(folder);
  const plan = planEpoch({
    numSamples: dataset.numSamples,
    batchSize,
    worldSize,
    ...(remainder === undefined ? {} : { remainder }),
  });
  const order = createOrder({
    shardSamples: dataset.info.shards.map(({ samples }) => samples),
    shuffle,
    seed,
    epoch,
    ...(windowShards === undefined ? {} : { windowShards }),
    ...(windowSamples === undefined ? {} : { windowSamples }),
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
