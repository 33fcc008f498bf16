import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { readMetrics } from '../../lib/records/index.ts';
import { pretrain } from '../../lib/train/pretrain.ts';
import { evaluate } from '../../lib/train/evaluate.ts';
import { finetune } from '../../lib/train/finetune.ts';
import { findWeights, readProgress } from '../../lib/train/checkpoint.ts';
import { openWeights } from '../../lib/weights/index.ts';
import { smallFinetune, smallPretrain, smallShards } from '../helpers/small-run.ts';

const ONCE = { resume: false, overwrite: false, workers: 1 };

test('a run learns, logs every step and leaves its checkpoints', async (t) => {
  const { folder, shards } = await smallShards(t);
  const out = join(folder, 'run');
  const recipe = smallPretrain('train.epochs=8');
  const steps: number[] = [];
  const summary = await pretrain(shards, {
    ...ONCE,
    out,
    recipe,
    onProgress: ({ step }) => void steps.push(step),
  });
  t.is(summary.step, 24);
  t.deepEqual(
    steps,
    Array.from({ length: 24 }, (_, i) => i + 1),
  );
  t.like(summary.facts, {
    numSamples: 12,
    stepsPerEpoch: 3,
    numSteps: 24,
    tokensPerClip: 32,
    visibleTokens: 8,
    microBatchSize: 4,
  });
  const records = [];
  for await (const record of readMetrics(join(out, 'metrics.jsonl'))) records.push(record);
  const epochs = records
    .filter(({ kind }) => kind === 'epoch')
    .map(({ values }) => values['loss']!);
  t.is(epochs.length, 8);
  t.true(epochs.at(-1)! < epochs[0]! - 0.02, epochs.join(' '));
  t.is(records.filter(({ kind }) => kind === 'train').length, 24);
  const kept = await readdir(join(out, 'checkpoints'));
  t.true(kept.includes('step-00000024'));
  const best = JSON.parse(await readFile(join(out, 'best.json'), 'utf8')) as { step: number };
  t.true(kept.includes(`step-${String(best.step).padStart(8, '0')}`));
});

test('videos that are not trained on are measured after each epoch and say what is best', async (t) => {
  const { folder, shards } = await smallShards(t);
  // Five clips: a batch of four, and one that is not full.
  const other = await smallShards(t, {
    layout: 'raw',
    shape: [6, 20, 30, 3],
    sizes: [5],
    name: 'val',
  });
  const recipe = smallPretrain('train.epochs=4');
  const logs: Record<string, readonly (readonly [string, number, number | undefined])[]> = {};
  for (const name of ['with', 'without']) {
    const out = join(folder, name);
    const val = name === 'with' ? { val: other.shards } : {};
    const { best } = await pretrain(shards, { ...ONCE, ...val, out, recipe });
    t.is(best?.measure, name === 'with' ? 'valLoss' : 'loss');
    const lines: (readonly [string, number, number | undefined])[] = [];
    for await (const { kind, values } of readMetrics(join(out, 'metrics.jsonl'))) {
      lines.push([kind, values['loss']!, values['valLoss']]);
    }
    logs[name] = lines;
  }
  const losses = logs['with']!.flatMap(([kind, , loss]) => (kind === 'epoch' ? [loss!] : []));
  t.is(losses.length, 4);
  t.true(
    losses.every((loss) => loss > 0.5 && loss < 2),
    losses.join(' '),
  );
  t.true(losses.at(-1)! < losses[0]!, losses.join(' '));
  const trained = (name: string): unknown => logs[name]!.map(([kind, loss]) => [kind, loss]);
  t.deepEqual(trained('with'), trained('without'));
  t.true(logs['without']!.every(([, , loss]) => loss === undefined));
});

test('a moving average is kept beside the weights and can be used in their place', async (t) => {
  const { folder, shards } = await smallShards(t);
  const [plain, averaged] = ['plain', 'averaged'].map((name) => join(folder, name)) as [
    string,
    string,
  ];
  const recipe = smallFinetune('train.epochs=2');
  await finetune(shards, { ...ONCE, out: plain, recipe, from: null });
  const error = await t.throwsAsync(findWeights(plain, 'average'), { instanceOf: RangeError });
  t.regex(error.message, /train\.emaDecay/);
  const keeping = smallFinetune('train.epochs=2', 'train.emaDecay=0.5');
  await finetune(shards, { ...ONCE, out: averaged, recipe: keeping, from: null });
  await using last = await openWeights(await findWeights(averaged, 'last'));
  await using average = await openWeights(await findWeights(averaged, 'average'));
  t.deepEqual(
    average.weights.map(({ name, shape }) => [name, shape]),
    last.weights.map(({ name, shape }) => [name, shape]),
  );
  const pairs = await Promise.all(
    average.weights.map(async (weight, i) => [await weight.read(), await last.weights[i]!.read()]),
  );
  t.true(pairs.some(([a, b]) => a!.data.some((value, i) => value !== b!.data[i])));
  const record = await evaluate(averaged, shards, { which: 'average', workers: 1 });
  t.is(record.numVideos, 12);
});

test('a mistake leaves nothing behind, and what was there stays', async (t) => {
  const { folder, shards } = await smallShards(t);
  const out = join(folder, 'run');
  const wrong = smallPretrain('data.mask=cube');
  const named = { instanceOf: RangeError, message: /"mask" must be one of tube/ };
  await t.throwsAsync(pretrain(shards, { ...ONCE, out, recipe: wrong }), named);
  t.false((await readdir(folder)).includes('run'));
  const recipe = smallPretrain('train.epochs=1', 'train.warmupEpochs=0');
  await pretrain(shards, { ...ONCE, out, recipe });
  const before = await readdir(out, { recursive: true });
  await t.throwsAsync(pretrain(shards, { ...ONCE, out, recipe: wrong, overwrite: true }), named);
  t.deepEqual(await readdir(out, { recursive: true }), before);
});

test('a run that goes astray ends, and its last checkpoint is one from before', async (t) => {
  const { folder, shards } = await smallShards(t);
  const out = join(folder, 'run');
  const recipe = smallPretrain('train.epochs=30', 'train.lr=2000', 'save.everySteps=1');
  const losses: number[] = [];
  const running = pretrain(shards, {
    ...ONCE,
    out,
    recipe,
    onProgress: ({ loss }) => void losses.push(loss),
  });
  await t.throwsAsync(running, { code: 'TUBE_LOSS_DIVERGED' });
  t.true(losses.length < 90);
  const progress = await readProgress(out);
  t.is(progress?.badSteps, 0);
  // The rate of the first step is 0: after it, the second one is as good.
  t.true(losses[progress!.step - 1]! < 5 * losses[0]!, losses.join(' '));
  t.true(losses.at(-1)! > 5 * losses[0]!, losses.join(' '));
});
