/** Starts a pool with one busy and one idle process, says their numbers, and waits to be killed. */

import { ProcessPool } from '../../lib/decode/index.ts';
import type { PoolTask } from './pool-child.ts';

const pool = new ProcessPool<PoolTask, number>({
  module: new URL('pool-child.js', import.meta.url),
  workers: 2,
  timeoutSeconds: 100,
  stallSeconds: 100,
  memoryBytes: 2 ** 40,
});
const pids = await Promise.all([pool.run({ kind: 'pid' }), pool.run({ kind: 'pid' })]);
process.send?.(pids);
await pool.run({ kind: 'sleep' });
