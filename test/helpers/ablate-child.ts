/** An ablation in a process of its own, to be killed: `node ablate-child.js SHARDS OUT`; says every step. */

import { ablate } from '../../lib/study/index.ts';
import { TINY, TINY_ABLATION } from './small-ablation.ts';

const [shards = '', out = ''] = process.argv.slice(2);
await ablate({
  source: shards,
  val: shards,
  out,
  recipe: TINY_ABLATION,
  changes: TINY,
  resume: false,
  overwrite: false,
  workers: 1,
  onProgress: ({ number, stage }) => void process.stdout.write(`${number} ${stage}\n`),
});
