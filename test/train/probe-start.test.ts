import { join } from 'node:path';
import test from 'ava';
import { applyHead } from '../../lib/model/index.ts';
import { layerNorm, tf } from '../../lib/ops/index.ts';
import { createRng } from '../../lib/core/index.ts';
import { evaluate } from '../../lib/train/evaluate.ts';
import { finetune } from '../../lib/train/finetune.ts';
import { findWeights } from '../../lib/train/checkpoint.ts';
import { pretrain } from '../../lib/train/pretrain.ts';
import { probe } from '../../lib/train/probe.ts';
import { foldNorm, normaliseFeatures } from '../../lib/train/probe-head.ts';
import { readRunConfig } from '../../lib/train/run-folder.ts';
import type { ProbeConfig } from '../../lib/train/run-folder.ts';
import { openWeights } from '../../lib/weights/index.ts';
import { smallFinetune, smallPretrain, smallProbe, smallShards } from '../helpers/small-run.ts';

const ONCE = { resume: false, overwrite: false, workers: 1 };
const HEAD = ['fc_norm.weight', 'fc_norm.bias', 'head.weight', 'head.bias'];

test('statistics of features become the scale and shift behind the classifier’s normalisation', (t) => {
  const [width, numClasses] = [24, 3];
  const rng = createRng(7, 'probe start');
  const draw = (length: number, scale = 1): Float32Array =>
    Float32Array.from({ length }, () => scale * (rng.uniform() - 0.5));
  const config = {
    encoder: { width, depth: 1, numHeads: 1 },
    numClasses,
    batchNorm: true,
    features: 'classifier',
  } as ProbeConfig;
  const head = {
    'head.weight': draw(numClasses * width),
    'head.bias': draw(numClasses),
    'bn.running_mean': draw(width, 3),
    'bn.running_var': draw(width).map((value) => (value + 0.5) ** 2 + 1e-4),
  };
  const folded = foldNorm(config, head);
  t.deepEqual(Object.keys(folded).toSorted(), HEAD.toSorted());
  const shapes = { 'head.weight': [numClasses, width], 'head.bias': [numClasses] } as const;
  const tensors = (data: typeof folded): Record<string, tf.Tensor> =>
    Object.fromEntries(
      Object.entries(data).map(([name, one]) => [
        name,
        tf.tensor(one, [...(shapes[name as keyof typeof shapes] ?? [width])]),
      ]),
    );
  tf.tidy(() => {
    const pooled: tf.Tensor2D = tf.tensor2d(draw(5 * width), [5, width]);
    const [ones, zeros] = [tf.ones([width]), tf.zeros([width])];
    const plain = layerNorm<tf.Tensor2D>(pooled, ones, zeros, 1e-6);
    const [before, after] = [tensors(head), tensors(folded)];
    const expected = applyHead(before, normaliseFeatures(before, plain, true)).dataSync();
    const { 'fc_norm.weight': weight, 'fc_norm.bias': bias } = after;
    const norm = layerNorm<tf.Tensor2D>(pooled, weight!, bias!, 1e-6);
    const found = applyHead(after, norm).dataSync();
    const largest = Math.max(...expected.map(Math.abs));
    for (const [place, value] of expected.entries()) {
      t.true(Math.abs(found[place]! - value) < 1e-5 * largest, `${found[place]} for ${value}`);
    }
  });
});

test('a probe of the classifier’s features is a classifier, and fine-tuning begins with it', async (t) => {
  const { folder, shards } = await smallShards(t);
  const run = (name: string): string => join(folder, name);
  await pretrain(shards, { ...ONCE, out: run('pre'), recipe: smallPretrain() });
  const from = await findWeights(run('pre'), 'last');
  const recipe = smallProbe('train.warmupEpochs=10', 'model.features=classifier');
  const wrong = smallProbe('model.features=both');
  await t.throwsAsync(probe(shards, { ...ONCE, out: run('probe'), recipe: wrong, from }), {
    instanceOf: RangeError,
    message: /"model\.features" .*classifier/,
  });
  const { loss } = await probe(shards, { ...ONCE, out: run('probe'), recipe, from });
  t.true(loss < Math.log(3), `loss ${loss}`);
  t.is((await readRunConfig(run('probe'))).model.kind, 'classifier');
  const { top1 } = await evaluate(run('probe'), shards, { workers: 1 });
  t.true(top1 > 0.4, `probe ${top1}`);

  const stop = new AbortController();
  const reason = new Error('after one step, whose rate is 0');
  const tuning = finetune(shards, {
    ...ONCE,
    out: run('tuned'),
    recipe: smallFinetune('train.weightDecay=0', 'train.weightDecayEnd=0'),
    from: await findWeights(run('probe'), 'last'),
    signal: stop.signal,
    onProgress: () => stop.abort(reason),
  });
  t.is(await t.throwsAsync(tuning), reason);
  await using before = await openWeights(await findWeights(run('probe'), 'last'));
  await using after = await openWeights(await findWeights(run('tuned'), 'last'));
  const old = new Map(before.weights.map((weight) => [weight.name, weight]));
  t.deepEqual(
    after.weights.map(({ name }) => name).toSorted(),
    [...old.keys()].toSorted(),
    'the same network',
  );
  for (const weight of after.weights) {
    t.deepEqual((await weight.read()).data, (await old.get(weight.name)!.read()).data, weight.name);
  }
});
