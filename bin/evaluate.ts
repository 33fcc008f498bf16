/** `tubelet evaluate`, `tubelet features` and `tubelet reconstruct`: what a trained network makes of videos. */

import { writeFile } from 'node:fs/promises';
import { evaluate, reconstruct, reconstructionSheet, writeFeatures } from '../lib/index.ts';
import type { EvaluateOptions } from '../lib/index.ts';
import { UsageError } from './flags.ts';
import type { Arguments, Command, Flag } from './flags.ts';
import { sourceFrom } from './loader-source.ts';
import { ProgressLine } from './progress-line.ts';
import {
  MACHINE_FLAGS,
  WEIGHTS_FLAG,
  evaluationText,
  machineFrom,
  required,
  whichFrom,
} from './train-flags.ts';

const FLAGS: readonly Flag[] = [
  { name: 'segments', value: 'N', help: 'views along time (default: those of the recipe)' },
  { name: 'crops', value: 'N', help: 'views across each (default: those of the recipe)' },
  WEIGHTS_FLAG,
  { name: 'batch-size', value: 'N', help: 'clips at once (default: 16)' },
  ...MACHINE_FLAGS,
];

/** Counts what is right. */
export const evaluateCommand: Command = {
  name: 'evaluate',
  usage: 'RUN DIR',
  summary: 'Evaluates the classifier of a run on the shards in DIR: several views of each video.',
  flags: FLAGS,
  run: async (args, signal) => {
    const { run, source } = placesFrom(args);
    const line = new ProgressLine('evaluate', args.has('quiet') || args.has('json'));
    const evaluation = await evaluate(run, source, optionsFrom(args, signal, line));
    line.close();
    process.stdout.write(
      args.has('json') ? `${JSON.stringify(evaluation)}\n` : evaluationText(evaluation),
    );
    return 0;
  },
};

/** Writes features to a file. */
export const featuresCommand: Command = {
  name: 'features',
  usage: 'RUN DIR --out F',
  summary: 'Writes the features of a run’s encoder for all videos in DIR to a safetensors file.',
  flags: [{ name: 'out', value: 'F', help: 'the file (required)' }, ...FLAGS],
  run: async (args, signal) => {
    const { run, source } = placesFrom(args);
    const out = required(args, 'out', 'F');
    const line = new ProgressLine('features', args.has('quiet') || args.has('json'));
    const summary = await writeFeatures(run, source, { ...optionsFrom(args, signal, line), out });
    line.close();
    const { numClips, width, missing } = summary;
    const lost = missing.length === 0 ? '' : `, missing: ${missing.join(', ')}`;
    process.stdout.write(
      args.has('json')
        ? `${JSON.stringify({ out, ...summary })}\n`
        : `${out}: ${numClips} clips of ${width} numbers${lost}\n`,
    );
    return 0;
  },
};

/** Draws what is predicted. */
export const reconstructCommand: Command = {
  name: 'reconstruct',
  usage: 'RUN DIR --out PNG',
  summary:
    'Draws clips of DIR as they are, masked, and as the pre-trained network of a run reconstructs them.',
  flags: [
    { name: 'out', value: 'PNG', help: 'the picture (required)' },
    { name: 'clips', value: 'N', help: 'clips, the first of the dataset (default: 4)' },
    { name: 'mask-ratio', value: 'R', help: 'part that is hidden (default: that of the run)' },
    { name: 'seed', value: 'N', help: 'seed of the masks (default: 0)' },
    ...MACHINE_FLAGS,
  ],
  run: async (args, signal) => {
    const { run, source } = placesFrom(args);
    const out = required(args, 'out', 'PNG');
    const [numClips, maskRatio, seed] = ['clips', 'mask-ratio', 'seed'].map((name) =>
      args.number(name),
    );
    const reconstructions = await reconstruct(run, source, {
      signal,
      ...(numClips === undefined ? {} : { numClips }),
      ...(maskRatio === undefined ? {} : { maskRatio }),
      ...(seed === undefined ? {} : { seed }),
      ...machineFrom(args),
    });
    await writeFile(out, await reconstructionSheet(reconstructions));
    const keys = reconstructions.clips.map(({ key }) => key);
    process.stdout.write(
      args.has('json')
        ? `${JSON.stringify({ out, keys, usesTrueMeans: reconstructions.usesTrueMeans })}\n`
        : `${out}: ${keys.join(', ')}\n`,
    );
    return 0;
  },
};

function placesFrom(args: Arguments): {
  readonly run: string;
  readonly source: ReturnType<typeof sourceFrom>;
} {
  const [run, ...places] = args.positionals;
  if (run === undefined) throw new UsageError('RUN is missing: the folder of a run.');
  return { run, source: sourceFrom(places) };
}

function optionsFrom(args: Arguments, signal: AbortSignal, line: ProgressLine): EvaluateOptions {
  const [segments, crops] = [args.number('segments'), args.number('crops')];
  if ((segments === undefined) !== (crops === undefined)) {
    throw new UsageError('--segments and --crops go together.');
  }
  const batchSize = args.number('batch-size');
  const startedAt = performance.now();
  return {
    which: whichFrom(args),
    signal,
    ...(batchSize === undefined ? {} : { batchSize }),
    ...(segments === undefined || crops === undefined ? {} : { views: { segments, crops } }),
    ...machineFrom(args),
    onProgress: (done, total) => {
      const secondsElapsed = (performance.now() - startedAt) / 1000;
      line.show(() => ({ done, total, secondsElapsed, facts: [] }));
    },
  };
}
