/** Entry of a worker thread of the loader. It ends by itself when the run is over or stopped, and is never cut off in the middle. */

import { parentPort, workerData } from 'node:worker_threads';
import { TubeletError } from '../core/index.ts';
import { BatchFiller } from './batch-filler.ts';
import { shortError } from './bad-sample.ts';
import { ExitGuard } from './exit-guard.ts';
import { reopenMembers } from './members.ts';
import { Ring } from './ring.ts';
import type { HostMessage, WorkerMessage, WorkerStart } from './worker-messages.ts';

await work(workerData as WorkerStart).catch((error: unknown) => {
  send({ kind: 'failed', error: shortError(error) });
});
parentPort?.close();

async function work({ job, guard: memory, worker }: WorkerStart): Promise<void> {
  const guard = new ExitGuard(memory, worker);
  guard.leave(); // All that this file imports is loaded.
  if (parentPort === null) throw new TubeletError('TUBE_INTERNAL', { message: 'no parent' });
  const stopping = new AbortController();
  let filler: BatchFiller | undefined;
  // Listens before anything is opened, so that also what waits for a slow server then is broken off.
  parentPort.on('message', (message: HostMessage) => {
    if (message.kind === 'stop') stopping.abort();
    filler?.wake();
    if (message.kind === 'stop') void filler?.[Symbol.asyncDispose]();
  });
  const ring = new Ring(job.layout, job.memory);
  const { signal } = stopping;
  const members = await reopenMembers(job.run.members, job.fingerprint, { ...job.store, signal });
  filler = new BatchFiller(job.run, ring, { members, guard }, (batch) => {
    send({ kind: 'whole', batch });
  });
  try {
    await filler.run();
  } finally {
    await filler[Symbol.asyncDispose]();
  }
}

function send(message: WorkerMessage): void {
  parentPort?.postMessage(message);
}
