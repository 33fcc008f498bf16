/** A probe in a process of its own that is killed: `node probe-child.js SHARDS FROM OUT STAGE NUMBER` dies when the stage is there. */

import { probe } from '../../lib/train/probe.ts';
import { smallProbe } from './small-run.ts';

const [shards = '', from = '', out = '', stage = '', number = ''] = process.argv.slice(2);
await probe(shards, {
  out,
  recipe: smallProbe(),
  from,
  resume: false,
  overwrite: false,
  workers: 1,
  onProgress: (report) => {
    if (report.stage === stage && report.done === Number(number))
      process.kill(process.pid, 'SIGKILL');
  },
});
