import { join } from 'node:path';
import test from 'ava';
import { evaluate } from '../../lib/train/evaluate.ts';
import { writeFeatures } from '../../lib/train/features.ts';
import { finetune } from '../../lib/train/finetune.ts';
import { damageClips } from '../helpers/make-clips.ts';
import { smallFinetune, smallShards } from '../helpers/small-run.ts';

test('videos that cannot be read are named, and count as wrong', async (t) => {
  const { folder, shards } = await smallShards(t);
  const out = join(folder, 'run');
  await finetune(shards, {
    out,
    recipe: smallFinetune('train.epochs=1'),
    from: null,
    resume: false,
    overwrite: false,
    workers: 1,
  });
  const whole = await evaluate(out, shards, { workers: 1 });
  await damageClips(shards, [3, 7]);
  const record = await evaluate(out, shards, { workers: 1 });
  t.is(record.numVideos, 12);
  t.deepEqual(record.missing, ['train-clip-00003', 'train-clip-00007']);
  t.is(
    record.confusion.flat().reduce((a, b) => a + b, 0),
    10,
  );
  t.true(record.top1 <= whole.top1);
  const features = join(folder, 'features.safetensors');
  const { numClips, missing } = await writeFeatures(out, shards, { out: features, workers: 1 });
  t.is(numClips, 10);
  t.is(missing.length, 2);
});
