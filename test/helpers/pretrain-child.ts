/** A pre-training in a process of its own, to be killed: `node pretrain-child.js SHARDS OUT`; says every step. */

import { pretrain } from '../../lib/train/pretrain.ts';
import { RESUMABLE, smallPretrain } from './small-run.ts';

const [shards = '', out = ''] = process.argv.slice(2);
await pretrain(shards, {
  out,
  recipe: smallPretrain(...RESUMABLE),
  resume: false,
  overwrite: false,
  workers: 1,
  onProgress: ({ step }) => void process.stdout.write(`step ${step}\n`),
});
