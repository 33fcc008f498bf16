/**
 * The options of a loader as flags: one table for all commands that have some of them. A row says which option, or which part of
 * one, the flag sets; a test holds the table against the options that there are.
 */

import {
  CROP_RULES,
  FRAME_RULES,
  MASK_KINDS,
  TARGET_FRAMES,
  CHECKS,
  ON_ERROR,
  PRESETS,
  REMAINDERS,
  SHUFFLES,
} from '../lib/index.ts';
import type { LoaderOptions } from '../lib/index.ts';
import {
  orNone,
  readBytes,
  readColour,
  readEpochs,
  readList,
  readNumber,
  readText,
  readTubelet,
} from './flag-values.ts';
import type { ReadFlag } from './flag-values.ts';
import type { Flag } from './flags.ts';

/** Name of an option of the loader. */
export type OptionName = keyof LoaderOptions;

/** A flag of the loader. */
export interface LoaderFlag extends Flag {
  readonly sets: OptionName;
  /** The part of that option, if it has parts. */
  readonly part: string | null;
  readonly read: ReadFlag;
}

type Target = Pick<LoaderFlag, 'sets' | 'part' | 'read'>;

const GROUPS: Readonly<Record<string, readonly LoaderFlag[]>> = {
  'Batches and their order': [
    row('batch-size', 'N', 'clips of a batch on one rank (required)', to('batchSize', readNumber)),
    row('seed', 'N', 'seed of all that is shuffled and drawn (default: 0)', to('seed', readNumber)),
    row('epoch', 'N', 'first epoch (default: 0)', to('epoch', readNumber)),
    row('epochs', 'N|forever', 'epochs of the run (default: 1)', to('epochs', readEpochs)),
    row(
      'epoch-samples',
      'N',
      'samples of an epoch over all ranks (default: all; mixtures: until the first dataset is used up)',
      to('epochSamples', readNumber),
    ),
    row(
      'shuffle',
      oneOf(SHUFFLES),
      'over all samples, among shards side by side, or not (default: global)',
      to('shuffle', readText),
    ),
    row(
      'window-shards',
      'N',
      'shards read side by side (window; default: 8)',
      to('windowShards', readNumber),
    ),
    row(
      'window-samples',
      'N',
      'samples shuffled among each other (window; default: 1024)',
      to('windowSamples', readNumber),
    ),
    row(
      'repeats',
      'N',
      'times each clip stands in its batch, augmented anew (default: 1)',
      to('repeats', readNumber),
    ),
    row('rank', 'N', 'this process among all, from 0 (default: 0)', to('rank', readNumber)),
    row('world-size', 'N', 'number of ranks (default: 1)', to('worldSize', readNumber)),
    row(
      'remainder',
      oneOf(REMAINDERS),
      'samples that fill no batch on every rank (required for several ranks)',
      to('remainder', readText),
    ),
    row(
      'on-error',
      oneOf(ON_ERROR),
      'a bad sample ends the run, is replaced, or stays empty (default: throw)',
      to('onError', readText),
    ),
  ],
  'Clips, from shards of layout frames': [
    row('frames', 'N', 'frames of a clip (default: 16)', to('numFrames', readNumber)),
    row('stride', 'N', 'stored frames from one to the next (default: 1)', to('stride', readNumber)),
    row(
      'frame-rule',
      'RULE',
      `how frames are chosen: ${FRAME_RULES.join(', ')} (default: dense)`,
      to('frames', readText),
    ),
    row(
      'segments',
      'N',
      'test views along time; with --crops',
      to('views', readNumber, 'segments'),
    ),
    row('crops', 'N', 'test views across each; with --segments', to('views', readNumber, 'crops')),
    row('size', 'PX', 'width and height of a clip (default: 224)', to('size', readNumber)),
    row(
      'crop',
      'RULE',
      `how the square is chosen: ${CROP_RULES.join(', ')} (default: center)`,
      to('crop', readText),
    ),
    row(
      'resize',
      'decoder|reference',
      "scale while decoding, or with Pillow's and PyTorch's exact arithmetic (default: decoder)",
      to('resize', readText),
    ),
    row('flip', 'P', 'part of the clips that is mirrored (default: 0)', to('flip', readNumber)),
    {
      ...row(
        'keep-direction',
        'CLASS',
        'never mirrored; repeatable',
        to('keepDirection', readList),
      ),
      isRepeatable: true,
    },
    row(
      'rand-augment',
      'CONFIG|none',
      'such as rand-m7-n4-mstd0.5-inc1 (default: none)',
      to('randAugment', orNone(readText)),
    ),
    row('erasing', 'P', 'part that loses a box to noise (default: 0)', to('erasing', readNumber)),
  ],
  'What a batch holds': [
    row(
      'form',
      'tubelets|frames',
      '[B, N, P] tokens or [B, T, H, W, 3] (default: tubelets)',
      to('form', readText),
    ),
    row(
      'tubelet',
      'TxPxP',
      'frames and pixels of a token (default: 2x16x16, or that of the shards)',
      to('tubelet', readTubelet),
    ),
    row(
      'dtype',
      'float32|uint8',
      'normalised colours, or bytes (default: float32)',
      to('dtype', readText),
    ),
    row('mean', 'R,G,B', "mean colour (default: ImageNet's)", to('colours', readColour, 'mean')),
    row('std', 'R,G,B', "deviation (default: ImageNet's)", to('colours', readColour, 'std')),
    row(
      'mask',
      `${oneOf(MASK_KINDS)}|none`,
      'hide tokens: visible, target and their places come in place of pixels (default: none)',
      to('mask', orNone(readText), 'kind'),
    ),
    row('mask-ratio', 'R', 'part that is hidden (default: 0.9)', to('mask', readNumber, 'ratio')),
    row(
      'target',
      'normalised|pixels',
      'what hidden tokens hold (default: normalised)',
      to('target', readText),
    ),
    row(
      'target-frames',
      oneOf(TARGET_FRAMES),
      'which frames they have to predict (default: own)',
      to('targetFrames', readText),
    ),
    row('mixup', 'ALPHA', 'Mixup, 0 for none (default: 0)', to('mix', readNumber, 'mixupAlpha')),
    row('cutmix', 'ALPHA', 'CutMix, 0 for none (default: 0)', to('mix', readNumber, 'cutmixAlpha')),
    row(
      'mix-probability',
      'P',
      'part of the batches that is mixed (default: 1)',
      to('mix', readNumber, 'probability'),
    ),
    row(
      'mix-switch',
      'P',
      'part of these that gets CutMix, with both (default: 0.5)',
      to('mix', readNumber, 'switchProbability'),
    ),
    row(
      'smoothing',
      'S|none',
      'part of a label spread over all classes; gives softLabels (default: none)',
      to('smoothing', orNone(readNumber)),
    ),
    row(
      'num-classes',
      'N',
      'classes of softLabels (default: those of the dataset)',
      to('numClasses', readNumber),
    ),
  ],
  'This machine': [
    row('workers', 'N', 'threads (default: one per processor)', to('workers', readNumber)),
    row('prefetch', 'N', 'batches made ahead (default: 3)', to('prefetchBatches', readNumber)),
    row('max-bytes', 'N[K|M|G]', 'memory for batches (default: 2G)', to('maxBytes', readBytes)),
    row(
      'check',
      oneOf(CHECKS),
      'look at the checksum of a sample when it is read first, or each time (default: once)',
      to('check', readText),
    ),
    row('cache', 'DIR', 'keep what comes from a server', to('store', readText, 'cacheFolder')),
    row(
      'cache-bytes',
      'N[K|M|G|T]',
      'budget of --cache (default: 32G)',
      to('store', readBytes, 'cacheBytes'),
    ),
    row(
      'max-requests',
      'N',
      'requests to a server at once (default: 16)',
      to('store', readNumber, 'maxRequests'),
    ),
    row(
      'max-retries',
      'N',
      'tries after a failed request (default: 5)',
      to('store', readNumber, 'maxRetries'),
    ),
    row(
      'stall',
      'S',
      'longest silence of a server, in seconds (default: 30)',
      to('store', readNumber, 'stallSeconds'),
    ),
  ],
};

/** All flags that set an option. */
export const LOADER_FLAGS: readonly LoaderFlag[] = Object.entries(GROUPS).flatMap(([group, rows]) =>
  rows.map((one) => Object.assign({}, one, { group })),
);

/** Names a set of options to start from. */
export const PRESET_FLAG: Flag = {
  name: 'preset',
  value: Object.keys(PRESETS).join('|'),
  help: "VideoMAE's options for this job; flags change them one by one",
  group: 'Batches and their order',
};

/** Gives the flags of these names, as they stand in the table. */
export function pickFlags(...names: readonly string[]): readonly LoaderFlag[] {
  return LOADER_FLAGS.filter(({ name }) => names.includes(name));
}

function row(name: string, value: string, help: string, target: Target): LoaderFlag {
  const { sets, part } = target;
  const option = part === null ? sets : [sets, part, `${sets}.${part}`];
  return { ...target, name, value, help, option };
}

function to(sets: OptionName, read: ReadFlag, part: string | null = null): Target {
  return { sets, part, read };
}

function oneOf(names: readonly string[]): string {
  return names.join('|');
}
