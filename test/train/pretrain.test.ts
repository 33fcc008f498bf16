import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { readMetrics } from '../../lib/records/index.ts';
import { pretrain } from '../../lib/train/pretrain.ts';
import { smallPretrain, smallShards } from '../helpers/small-run.ts';

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
