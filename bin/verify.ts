/** `tubelet verify`: is a dataset whole. */

import { verify } from '../lib/index.ts';
import type { Defect } from '../lib/index.ts';
import type { Arguments, Command } from './flags.ts';
import { formatCount, formatRate } from './format.ts';
import { ProgressLine } from './progress-line.ts';

/** The command. */
export const verifyCommand: Command = {
  name: 'verify',
  usage: 'DIR',
  summary:
    'Checks every hash, index entry, sample and picture of the dataset in DIR; exit code 1 if anything is wrong.',
  flags: [],
  run,
};

async function run(args: Arguments, signal: AbortSignal): Promise<number> {
  const folder = args.single('DIR');
  const line = new ProgressLine('verify', args.has('quiet') || args.has('json'));
  const startedAt = performance.now();
  const report = await verify(folder, {
    signal,
    onProgress: ({ samplesDone, samplesTotal }) => {
      const secondsElapsed = (performance.now() - startedAt) / 1000;
      const facts = [`${formatRate(samplesDone / Math.max(secondsElapsed, 0.001))} samples/s`];
      line.show(() => ({ done: samplesDone, total: samplesTotal, secondsElapsed, facts }));
    },
  });
  line.close();
  const { shards, samples, frames, defects } = report;
  if (args.has('json')) {
    process.stdout.write(`${JSON.stringify({ isSound: defects.length === 0, ...report })}\n`);
  } else {
    for (const defect of defects) process.stdout.write(`${defectText(defect)}\n`);
    const checked = `${formatCount(shards)} shards, ${formatCount(samples)} samples, ${formatCount(frames)} frames`;
    const verdict = defects.length === 0 ? 'all sound' : `${formatCount(defects.length)} defects`;
    process.stdout.write(`${folder}: ${checked}: ${verdict}\n`);
  }
  return defects.length === 0 ? 0 : 1;
}

function defectText({ code, shard, key, message }: Defect): string {
  const where = [shard, key].filter((part) => part !== null).join(' ');
  return `${code}  ${where === '' ? 'dataset' : where}  ${message}`;
}
