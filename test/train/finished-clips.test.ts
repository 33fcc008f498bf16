/** Training from shards of layout `tubelets`, whose clips are finished, and from shards without labels. */

import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { readMetrics } from '../../lib/records/index.ts';
import { findWeights } from '../../lib/train/checkpoint.ts';
import { evaluate } from '../../lib/train/evaluate.ts';
import { writeFeatures } from '../../lib/train/features.ts';
import { finetune } from '../../lib/train/finetune.ts';
import { pretrain } from '../../lib/train/pretrain.ts';
import { probe } from '../../lib/train/probe.ts';
import { reconstruct } from '../../lib/train/reconstruct.ts';
import { writeClips } from '../helpers/make-clips.ts';
import type { ClipsForm } from '../helpers/make-clips.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';
import { smallFinetune, smallPretrain, smallProbe } from '../helpers/small-run.ts';

const ONCE = { resume: false, overwrite: false, workers: 1 };
/** The same pixels twice: as frames, and cut into the tokens of the small recipes. */
const FRAMES: ClipsForm = { layout: 'raw', shape: [4, 16, 16, 3], sizes: [7, 5] };
const TUBELETS: ClipsForm = { ...FRAMES, layout: 'tubelets', tubelet: [2, 4, 4] };
/** With these values a recipe takes frames as they are. */
const WHOLE = ['data.frames=first', 'data.crop=center'];

async function makeShards<Name extends string>(
  t: ExecutionContext,
  forms: Readonly<Record<Name, ClipsForm>>,
): Promise<{ readonly at: (name: string) => string }> {
  const folder = await temporaryFolder(t);
  for (const [name, form] of Object.entries<ClipsForm>(forms)) {
    await mkdir(join(folder, name));
    await writeClips(join(folder, name), form);
  }
  return { at: (name) => join(folder, name) };
}

async function lossesOf(run: string): Promise<number[]> {
  const losses: number[] = [];
  for await (const { kind, values } of readMetrics(join(run, 'metrics.jsonl'))) {
    if (kind === 'train') losses.push(values['loss']!);
  }
  return losses;
}

test('finished clips train as the same frames do, to the last bit', async (t) => {
  const { at } = await makeShards(t, { frames: FRAMES, tubelets: TUBELETS });
  for (const shards of ['frames', 'tubelets']) {
    const recipe = smallPretrain(...WHOLE, 'train.epochs=2');
    await pretrain(at(shards), { ...ONCE, out: at(`pre-${shards}`), recipe });
    const from = await findWeights(at('pre-frames'), 'last');
    const tuning = { recipe: smallFinetune(...WHOLE, 'train.epochs=2'), from, val: at(shards) };
    await finetune(at(shards), { ...ONCE, ...tuning, out: at(`tuned-${shards}`) });
  }
  for (const task of ['pre', 'tuned']) {
    const losses = await lossesOf(at(`${task}-tubelets`));
    t.is(losses.length, 6);
    t.deepEqual(losses, await lossesOf(at(`${task}-frames`)));
  }
  const { views, ...whole } = await evaluate(at('tuned-tubelets'), at('tubelets'), { workers: 1 });
  t.deepEqual(views, { segments: 1, crops: 1 });
  const same = await evaluate(at('tuned-frames'), at('frames'), { views, workers: 1 });
  t.like(same, whole);
  t.is(whole.numVideos, 12);
  const [own, other] = await Promise.all(
    ['tubelets', 'frames'].map(async (shards) => {
      const out = at(`${shards}.safetensors`);
      t.like(await writeFeatures(at('pre-frames'), at(shards), { out, workers: 1 }), {
        numClips: 12,
        missing: [],
      });
      return readFile(out);
    }),
  );
  t.deepEqual(own, other);
  const pictures = await reconstruct(at('pre-tubelets'), at('tubelets'), { workers: 1 });
  t.deepEqual(pictures, await reconstruct(at('pre-frames'), at('frames'), { workers: 1 }));
  t.is(pictures.clips.length, 4);
});

test('a probe sees each finished clip once', async (t) => {
  const { at } = await makeShards(t, { tubelets: TUBELETS });
  await pretrain(at('tubelets'), {
    ...ONCE,
    out: at('pre'),
    recipe: smallPretrain('train.epochs=1', 'train.warmupEpochs=0'),
  });
  const from = await findWeights(at('pre'), 'last');
  const recipe = smallProbe('train.epochs=2');
  const { numClips } = await probe(at('tubelets'), { ...ONCE, out: at('probe'), recipe, from });
  t.is(numClips, 12);
});

test('other clips than those of the recipe are refused, saying what to set', async (t) => {
  const { at } = await makeShards(t, { tubelets: TUBELETS });
  for (const { changes, shown } of [
    {
      changes: ['data.numFrames=8', 'data.size=32'],
      shown: /--set data.numFrames=4 --set data.size=16\)/,
    },
    {
      changes: ['data.tubeletFrames=4', 'data.patch=8'],
      shown: /data.tubeletFrames=2 --set data.patch=4\)/,
    },
    { changes: ['data.flip=0.5'], shown: /--set data.flip=0\)/ },
  ]) {
    const out = at('pre');
    const running = pretrain(at('tubelets'), { ...ONCE, out, recipe: smallPretrain(...changes) });
    t.regex((await t.throwsAsync(running, { code: 'TUBE_CLIPS_DIFFER' })).message, shown);
  }
  const recipe = smallFinetune('data.erasing=0.25', 'data.randAugment=rand-m7-n4-mstd0.5-inc1');
  const tuning = finetune(at('tubelets'), { ...ONCE, out: at('tuned'), recipe, from: null });
  t.regex(
    (await t.throwsAsync(tuning, { code: 'TUBE_CLIPS_DIFFER' })).message,
    /--set data.erasing=0 --set data.randAugment=none/,
  );
  await finetune(at('tubelets'), {
    ...ONCE,
    out: at('tuned'),
    recipe: smallFinetune('train.epochs=1', 'train.warmupEpochs=0'),
    from: null,
  });
  const views = { segments: 2, crops: 1 };
  const looking = evaluate(at('tuned'), at('tubelets'), { views, workers: 1 });
  t.regex((await t.throwsAsync(looking, { code: 'TUBE_CLIPS_DIFFER' })).message, /1 x 1 .* 2 x 1/);
});

test('shards without labels are enough to pre-train, and for nothing that needs them', async (t) => {
  const { at } = await makeShards(t, {
    bare: { ...FRAMES, isUnlabelled: true },
    labelled: FRAMES,
  });
  await pretrain(at('bare'), {
    ...ONCE,
    out: at('pre'),
    recipe: smallPretrain('train.epochs=1', 'train.warmupEpochs=0'),
  });
  const from = await findWeights(at('pre'), 'last');
  const out = at('other');
  const code = 'TUBE_LABELS_MISSING';
  await t.throwsAsync(finetune(at('bare'), { ...ONCE, out, recipe: smallFinetune(), from }), {
    code,
  });
  await t.throwsAsync(probe(at('bare'), { ...ONCE, out, recipe: smallProbe(), from }), { code });
  const recipe = smallFinetune('train.epochs=1', 'train.warmupEpochs=0');
  await finetune(at('labelled'), { ...ONCE, out, recipe, from });
  await t.throwsAsync(evaluate(out, at('bare'), { workers: 1 }), { code });
  const features = { out: at('features.safetensors'), workers: 1 };
  t.like(await writeFeatures(at('pre'), at('bare'), features), { numClips: 12 });
});
