/** A run that measures the same things each time: logs steps from one to another and says so after each. */

import { MetricsLog } from '../../lib/records/index.ts';
import { createRng } from '../../lib/core/index.ts';

/** What the run measures at a step. */
export async function logStep(log: MetricsLog, step: number): Promise<void> {
  const rng = createRng(0, 'metrics', step);
  const wall = { seconds: performance.now() / 1000 };
  await log.append({ step, kind: 'train', values: { loss: rng.uniform(), lr: 1 / step } }, wall);
  if (step % 5 === 0) {
    const top1 = step === 10 ? Number.NaN : rng.uniform();
    await log.append({ step, kind: 'validation', values: { epoch: step / 5, top1 } }, wall);
  }
}

const [, program, folder, from, to] = process.argv;
if (program?.includes('metrics-child') === true && folder !== undefined) {
  const first = Number(from);
  await using log = await MetricsLog.open(folder, { lastStep: first === 1 ? null : first - 1 });
  for (let step = first; step <= Number(to); step++) {
    await logStep(log, step);
    process.stdout.write(`${step}\n`);
  }
}
