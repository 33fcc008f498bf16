/** An ablation that takes some seconds: six runs of a network of two narrow blocks. */

import { findAblation } from '../../lib/recipes/index.ts';
import type { AblationRecipe } from '../../lib/recipes/index.ts';

/** Changes that make the small recipes tiny. */
export const TINY: readonly string[] = [
  'model.width=24',
  'model.depth=2',
  'model.heads=2',
  'pretrain.model.decoderWidth=12',
  'pretrain.model.decoderDepth=1',
  'pretrain.model.decoderHeads=2',
  'data.numFrames=4',
  'data.size=16',
  'data.patch=4',
  'data.mask=tube',
  'data.maskRatio=0.75',
  'data.target=normalised',
  'pretrain.train.batchSize=4',
  'pretrain.train.epochs=4',
  'pretrain.train.warmupEpochs=1',
  'pretrain.save.everySteps=2',
  'probe.train.epochs=3',
  'probe.train.warmupEpochs=1',
  'finetune.train.batchSize=4',
  'finetune.train.epochs=1',
  'finetune.train.warmupEpochs=0',
];

/** Two masks, one of them the standard that is also asked for as all videos; half of the videos, and none. */
export const TINY_ABLATION: AblationRecipe = {
  ...findAblation('small-ablation'),
  name: 'tiny',
  parts: [
    {
      name: 'mask',
      title: 'Mask',
      axis: 'part that is masked',
      points: [
        { name: 'mask-tube-0.75', changes: ['data.maskRatio=0.75'], line: 'tube', x: 0.75 },
        { name: 'mask-tube-0.5', changes: ['data.maskRatio=0.5'], line: 'tube', x: 0.5 },
        {
          name: 'mask-frame-0.5',
          changes: ['data.mask=frame', 'data.maskRatio=0.5'],
          line: 'frame',
          x: 0.5,
        },
      ],
    },
    {
      name: 'videos',
      title: 'Videos',
      axis: 'part of the videos',
      points: [0, 0.5, 1].map((videos) => ({
        name: `videos-${videos}`,
        changes: [],
        videos,
        x: videos,
      })),
    },
    {
      name: 'target',
      title: 'Target',
      axis: 'target',
      points: [
        { name: 'target-normalised', changes: [], line: 'normalised' },
        { name: 'target-pixels', changes: ['data.target=pixels'], line: 'pixels' },
      ],
    },
  ],
};
