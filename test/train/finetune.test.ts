import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { evaluate } from '../../lib/train/evaluate.ts';
import { writeFeatures } from '../../lib/train/features.ts';
import { finetune } from '../../lib/train/finetune.ts';
import { findWeights } from '../../lib/train/checkpoint.ts';
import { pretrain } from '../../lib/train/pretrain.ts';
import { probe } from '../../lib/train/probe.ts';
import { openWeights } from '../../lib/weights/index.ts';
import { CLASSES } from '../helpers/make-clips.ts';
import { smallFinetune, smallPretrain, smallProbe, smallShards } from '../helpers/small-run.ts';

const ONCE = { resume: false, overwrite: false, workers: 1 };
/** Nothing is drawn but the order, so that a few clips can be learned by heart. */
const BY_HEART = [
  'train.epochs=20',
  'train.lr=0.3',
  'train.layerDecay=1',
  'data.mixupAlpha=0',
  'data.cutmixAlpha=0',
  'data.smoothing=0',
  'data.crop=center',
  'data.frames=first',
  'model.dropPath=0',
];

test('pre-train, fine-tune, probe, evaluate, features: from shards to numbers', async (t) => {
  const { folder, shards } = await smallShards(t);
  const run = (name: string): string => join(folder, name);
  await pretrain(shards, { ...ONCE, out: run('pre'), recipe: smallPretrain() });
  const from = await findWeights(run('pre'), 'last');

  const tuned = await finetune(shards, {
    ...ONCE,
    out: run('tuned'),
    recipe: smallFinetune(...BY_HEART),
    from,
    val: shards,
  });
  t.is(tuned.step, 60);
  t.is(tuned.best?.measure, 'top1');
  const record = await evaluate(run('tuned'), shards, { workers: 1 });
  t.is(record.numVideos, 12);
  t.deepEqual(record.classNames, [...CLASSES]);
  t.true(record.top1 >= 0.6, `top-1 on what was learned by heart: ${record.top1}`);
  t.is(
    record.confusion.flat().reduce((a, b) => a + b, 0),
    12,
  );
  t.deepEqual(record.missing, []);

  const recipe = smallProbe('train.warmupEpochs=10');
  const probed = await probe(shards, { ...ONCE, out: run('probe'), recipe, from });
  t.is(probed.numClips, 24);
  t.is(probed.numSteps, 60);
  t.true(probed.loss < Math.log(3), `loss ${probed.loss}`);
  const linear = await evaluate(run('probe'), shards, { workers: 1 });
  t.is(linear.numVideos, 12);
  t.true(linear.top1 > 0.4, `probe ${linear.top1}`);

  for (const name of ['pre', 'tuned', 'probe']) {
    const out = run(`${name}.safetensors`);
    const summary = await writeFeatures(run(name), shards, { out, workers: 1 });
    t.deepEqual(summary, { numClips: 12, width: 24, missing: [] });
    await using file = await openWeights(out);
    t.deepEqual(Object.fromEntries(file.weights.map(({ name: own, shape }) => [own, shape])), {
      crops: [12],
      features: [12, 24],
      labels: [12],
      segments: [12],
    });
    t.is((JSON.parse(file.metadata['keys']!) as string[]).length, 12);
  }
  await t.throwsAsync(evaluate(run('pre'), shards), { instanceOf: RangeError });
  await t.throwsAsync(evaluate(run('none'), shards), { code: 'TUBE_RUN_NOT_FOUND' });
});

test('the encoder of a fine-tuned network starts from the pre-trained one', async (t) => {
  const { folder, shards } = await smallShards(t);
  const pre = join(folder, 'pre');
  await pretrain(shards, { ...ONCE, out: pre, recipe: smallPretrain('train.epochs=1') });
  const from = await findWeights(pre, 'last');
  const stop = new AbortController();
  const reason = new Error('after one step, whose rate is 0');
  const out = join(folder, 'tuned');
  const run = finetune(shards, {
    ...ONCE,
    out,
    recipe: smallFinetune('train.weightDecay=0', 'train.weightDecayEnd=0'),
    from,
    signal: stop.signal,
    onProgress: () => stop.abort(reason),
  });
  t.is(await t.throwsAsync(run), reason);
  t.deepEqual(await readdir(join(out, 'checkpoints')), ['step-00000001']);
  await using before = await openWeights(from);
  await using after = await openWeights(await findWeights(out, 'last'));
  const old = new Map(before.weights.map((weight) => [weight.name, weight]));
  let compared = 0;
  for (const weight of after.weights) {
    const same = old.get(`encoder.${weight.name}`);
    if (same === undefined || !/^(blocks|patch_embed)\./.test(weight.name)) continue;
    t.deepEqual((await weight.read()).data, (await same.read()).data, weight.name);
    compared += 1;
  }
  t.is(compared, 2 + 2 * 13);
  const config = JSON.parse(await readFile(join(out, 'config.json'), 'utf8')) as { from: string };
  t.is(config.from, from);
});
