/** Everything that the paper ablates in pre-training can be set by name, and what comes out has the shapes that follow. */

import { join } from 'node:path';
import test from 'ava';
import { findWeights } from '../../lib/train/checkpoint.ts';
import { pretrain } from '../../lib/train/pretrain.ts';
import { reconstruct } from '../../lib/train/reconstruct.ts';
import { openWeights } from '../../lib/weights/index.ts';
import { smallPretrain, smallShards } from '../helpers/small-run.ts';

const ONCE = { resume: false, overwrite: false, workers: 1 };
/** Values of a tubelet of 2 x 4 x 4 pixels. */
const LENGTH = 96;

const CASES: readonly {
  readonly changes: readonly string[];
  readonly targetLength?: number;
  readonly visibleTokens?: number;
  readonly decoder?: { readonly width: number; readonly depth: number };
}[] = [
  { changes: ['data.target=pixels', 'train.loss=l1'] },
  { changes: ['data.targetFrames=center'], targetLength: LENGTH / 2 },
  { changes: ['data.targetFrames=double', 'data.stride=2'], targetLength: 2 * LENGTH },
  {
    changes: ['data.targetFrames=center', 'data.target=pixels', 'train.loss=smooth-l1'],
    targetLength: LENGTH / 2,
  },
  { changes: ['data.mask=random', 'data.maskRatio=0.9'], visibleTokens: 4 },
  { changes: ['data.mask=frame', 'data.maskRatio=0.5'], visibleTokens: 16 },
  { changes: ['model.decoderWidth=8', 'model.decoderDepth=3'], decoder: { width: 8, depth: 3 } },
];

for (const { changes, targetLength = LENGTH, visibleTokens = 8, decoder } of CASES) {
  test(`pre-training with ${changes.join(' ')}`, async (t) => {
    const { folder, shards } = await smallShards(t);
    const out = join(folder, 'run');
    const recipe = smallPretrain('train.epochs=1', 'train.warmupEpochs=0', ...changes);
    const { step, loss, facts } = await pretrain(shards, { ...ONCE, out, recipe });
    t.is(step, 3);
    t.true(Number.isFinite(loss));
    t.is(facts.visibleTokens, visibleTokens);
    const { width, depth } = decoder ?? { width: 12, depth: 1 };
    await using file = await openWeights(await findWeights(out, 'last'));
    const shapes = new Map(file.weights.map((weight) => [weight.name, weight.shape]));
    t.deepEqual(shapes.get('decoder.head.weight'), [targetLength, width]);
    t.true(shapes.has(`decoder.blocks.${depth - 1}.norm1.weight`));
    t.false(shapes.has(`decoder.blocks.${depth}.norm1.weight`));
    const { clips, usesTrueMeans } = await reconstruct(out, shards, { numClips: 2, workers: 1 });
    t.is(usesTrueMeans, recipe.data.target === 'normalised');
    for (const { original, reconstructed, masked } of clips) {
      t.is(reconstructed.length, 4);
      const pixelsOf = (frames: typeof masked): Buffer =>
        Buffer.concat(frames.map(({ data }) => data));
      const [truth, hidden, made] = [original, masked, reconstructed].map(pixelsOf) as [
        Buffer,
        Buffer,
        Buffer,
      ];
      let changed = 0;
      for (const [i, value] of hidden.entries()) {
        if (value === truth[i]) continue;
        if (made[i] !== truth[i]) changed += 1;
      }
      t.true(changed > 0.5 * (1 - visibleTokens / 32) * truth.length);
    }
  });
}
