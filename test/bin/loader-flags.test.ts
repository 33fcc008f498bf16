import test from 'ava';
import { parseFlags } from '../../bin/flags.ts';
import { LOADER_FLAGS } from '../../bin/loader-flags.ts';
import { loaderOptionsFrom } from '../../bin/loader-options.ts';
import { pipeCommand } from '../../bin/pipe.ts';
import { PRESETS } from '../../lib/index.ts';
import type { LoaderOptions, MixOptions, StoreOptions, ViewCounts } from '../../lib/index.ts';

/** Every option of the loader: `'flag'`, its parts, or why the table has none. A new option is an error of types here. */
const OPTIONS: Readonly<Record<keyof LoaderOptions, 'flag' | readonly string[] | { why: string }>> =
  {
    batchSize: 'flag',
    seed: 'flag',
    shuffle: 'flag',
    windowShards: 'flag',
    windowSamples: 'flag',
    epochSamples: 'flag',
    epoch: 'flag',
    epochs: 'flag',
    rank: 'flag',
    worldSize: 'flag',
    remainder: 'flag',
    repeats: 'flag',
    numClasses: 'flag',
    smoothing: 'flag',
    onError: 'flag',
    workers: 'flag',
    prefetchBatches: 'flag',
    maxBytes: 'flag',
    check: 'flag',
    numFrames: 'flag',
    stride: 'flag',
    frames: 'flag',
    size: 'flag',
    crop: 'flag',
    resize: 'flag',
    flip: 'flag',
    keepDirection: 'flag',
    randAugment: 'flag',
    erasing: 'flag',
    form: 'flag',
    tubelet: 'flag',
    dtype: 'flag',
    target: 'flag',
    targetFrames: 'flag',
    views: ['segments', 'crops'] satisfies (keyof ViewCounts)[],
    colours: ['mean', 'std'],
    mask: ['kind', 'ratio'],
    mix: [
      'mixupAlpha',
      'cutmixAlpha',
      'probability',
      'switchProbability',
    ] satisfies (keyof MixOptions)[],
    store: [
      'cacheFolder',
      'cacheBytes',
      'maxRequests',
      'maxRetries',
      'stallSeconds',
    ] satisfies (keyof StoreOptions)[],
    cursor: { why: 'pipe has --cursor FILE' },
    onBadSample: { why: 'pipe names bad samples on stderr' },
    signal: { why: 'Ctrl-C' },
  };

test('every option of the loader has its flag, and every flag its option', (t) => {
  for (const [option, kind] of Object.entries(OPTIONS)) {
    const parts = LOADER_FLAGS.filter(({ sets }) => sets === option).map(({ part }) => part);
    if (kind === 'flag') t.deepEqual(parts, [null], option);
    else if (Array.isArray(kind)) t.deepEqual(parts, [...kind] as string[], option);
    else t.deepEqual(parts, [], option);
  }
  for (const { sets } of LOADER_FLAGS) t.true(sets in OPTIONS, sets);
  const names = pipeCommand.flags.map(({ name }) => name);
  t.is(new Set(names).size, names.length);
});

function optionsOf(line: string): LoaderOptions {
  return loaderOptionsFrom(parseFlags(pipeCommand, line.split(' ')));
}

test('every flag reaches its option', (t) => {
  const line =
    'd --batch-size 4 --seed 5 --epoch 1 --epochs forever --epoch-samples 9 --shuffle window --window-shards 2 ' +
    '--window-samples 16 --repeats 2 --rank 1 --world-size 2 --remainder pad --on-error skip --frames 8 --stride 2 ' +
    '--frame-rule uniform --segments 2 --crops 3 --size 32 --crop resized --resize reference --flip 0.5 ' +
    '--keep-direction left --keep-direction right --rand-augment rand-m7-n4-inc1 --erasing 0.25 --form frames ' +
    '--tubelet 2x8x8 --dtype uint8 --mean 0.1,0.2,0.3 --std 1,1,1 --mask random --mask-ratio 0.75 --target pixels ' +
    '--target-frames center ' +
    '--mixup 0.8 --cutmix 1 --mix-probability 0.5 --mix-switch 0.4 --smoothing 0.1 --num-classes 7 --workers 3 ' +
    '--prefetch 2 --max-bytes 1.5G --check always --cache c --cache-bytes 3T --max-requests 4 --max-retries 2 --stall 9.5';
  t.deepEqual(optionsOf(line), {
    batchSize: 4,
    seed: 5,
    epoch: 1,
    epochs: Infinity,
    epochSamples: 9,
    shuffle: 'window',
    windowShards: 2,
    windowSamples: 16,
    repeats: 2,
    rank: 1,
    worldSize: 2,
    remainder: 'pad',
    onError: 'skip',
    numFrames: 8,
    stride: 2,
    frames: 'uniform',
    views: { segments: 2, crops: 3 },
    size: 32,
    crop: 'resized',
    resize: 'reference',
    flip: 0.5,
    keepDirection: ['left', 'right'],
    randAugment: 'rand-m7-n4-inc1',
    erasing: 0.25,
    form: 'frames',
    tubelet: [2, 8, 8],
    dtype: 'uint8',
    colours: { mean: [0.1, 0.2, 0.3], std: [1, 1, 1] },
    mask: { kind: 'random', ratio: 0.75 },
    target: 'pixels',
    targetFrames: 'center',
    mix: { mixupAlpha: 0.8, cutmixAlpha: 1, probability: 0.5, switchProbability: 0.4 },
    smoothing: 0.1,
    numClasses: 7,
    workers: 3,
    prefetchBatches: 2,
    maxBytes: 1.5 * 2 ** 30,
    check: 'always',
    store: {
      cacheFolder: 'c',
      cacheBytes: 3 * 2 ** 40,
      maxRequests: 4,
      maxRetries: 2,
      stallSeconds: 9.5,
    },
  });
  for (const { name } of LOADER_FLAGS) t.true(line.includes(`--${name} `), name);
});

test('flags change a preset one by one', (t) => {
  const { pretrain, finetune, evaluate } = PRESETS;
  t.deepEqual(optionsOf('d --batch-size 8'), { batchSize: 8, seed: 0 });
  t.deepEqual(optionsOf('d --batch-size 8 --preset pretrain --mask-ratio 0.75 --seed 3'), {
    ...pretrain,
    seed: 3,
    batchSize: 8,
    mask: { kind: 'tube', ratio: 0.75 },
  });
  const { mask: _mask, ...unmasked } = pretrain;
  t.deepEqual(optionsOf('d --batch-size 8 --preset pretrain --mask none'), {
    ...unmasked,
    seed: 0,
    batchSize: 8,
  });
  const { mix: _mix, smoothing: _smoothing, randAugment: _randAugment, ...plain } = finetune;
  const off = '--mixup 0 --cutmix 0 --smoothing none --rand-augment none';
  t.deepEqual(optionsOf(`d --batch-size 8 --preset finetune ${off}`), {
    ...plain,
    seed: 0,
    batchSize: 8,
  });
  t.deepEqual(optionsOf('d --batch-size 8 --preset evaluate --crops 1'), {
    ...evaluate,
    seed: 0,
    batchSize: 8,
    views: { segments: 5, crops: 1 },
  });
});

test('half of an option stands with the usual other half', (t) => {
  t.deepEqual(optionsOf('d --batch-size 1 --mask-ratio 0.5').mask, { kind: 'tube', ratio: 0.5 });
  t.deepEqual(optionsOf('d --batch-size 1 --mask frame').mask, { kind: 'frame', ratio: 0.9 });
  t.deepEqual(optionsOf('d --batch-size 1 --cutmix 1').mix, {
    mixupAlpha: 0,
    cutmixAlpha: 1,
    probability: 1,
    switchProbability: 0.5,
  });
  t.deepEqual(optionsOf('d --batch-size 1 --segments 2').views, { segments: 2, crops: 1 });
  t.deepEqual(optionsOf('d --batch-size 1 --std 1,1,1').colours!.mean, [0.485, 0.456, 0.406]);
});
