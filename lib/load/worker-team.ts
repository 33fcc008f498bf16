/**
 * The worker threads of a loader, as the trainer's thread sees them. They are asked to stop and end by themselves: a thread that is
 * cut off inside FFmpeg can take the whole process with it.
 */

import { Worker } from 'node:worker_threads';
import { TubeletError, messageText } from '../core/index.ts';
import { ExitGuard, createExitGuard, watchExit } from './exit-guard.ts';
import type { Ring } from './ring.ts';
import type { HostMessage, WorkerJob, WorkerMessage, WorkerStart } from './worker-messages.ts';

/** Running worker threads; belong to the caller, who must dispose of them. */
export class WorkerTeam {
  readonly #ring: Ring;
  readonly #workers: readonly Worker[];
  readonly #ended: Promise<unknown>;
  #failure: { readonly error: unknown } | undefined;
  #changed: (() => void) | undefined;

  constructor(numWorkers: number, ring: Ring, job: WorkerJob) {
    this.#ring = ring;
    const guard = createExitGuard(numWorkers);
    const unwatch = watchExit(guard);
    this.#workers = Array.from({ length: numWorkers }, (_, worker) =>
      this.#start({ job, guard, worker }),
    );
    this.#ended = Promise.all(this.#workers.map(ended)).then(unwatch);
  }

  /**
   * Waits until a batch is whole. Does not turn the event loop if it is.
   *
   * @throws what a worker failed with
   */
  async untilWhole(batch: number): Promise<void> {
    while (!this.#ring.isWhole(batch)) {
      if (this.#failure !== undefined) throw this.#failure.error;
      await this.#nextChange();
    }
  }

  /** Makes every wait for a batch that is not whole end with an error; the first one counts. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#change();
  }

  /** Tells the workers that a place became free. */
  wake(): void {
    this.#tell({ kind: 'released' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ring.stop();
    this.#tell({ kind: 'stop' });
    for (const worker of this.#workers) worker.ref();
    await this.#ended;
  }

  #start(start: WorkerStart): Worker {
    const worker = new Worker(new URL('load-worker.js', import.meta.url), {
      workerData: start,
      ...execOptions(),
      name: `tubelet load ${start.worker}`,
    });
    const guard = new ExitGuard(start.guard, start.worker);
    worker.once('exit', () => {
      guard.leave();
    });
    worker.unref(); // A forgotten loader does not keep the process alive; one that is waited for does.
    worker.on('message', (message: WorkerMessage) => {
      if (message.kind === 'failed') this.fail(TubeletError.fromPlain(message.error));
      this.#change();
    });
    worker.on('error', (error) => {
      this.fail(
        new TubeletError('TUBE_WORKER_START', { message: messageText(error) }, { cause: error }),
      );
    });
    return worker;
  }

  #tell(message: HostMessage): void {
    for (const worker of this.#workers) worker.postMessage(message);
  }

  async #nextChange(): Promise<void> {
    for (const worker of this.#workers) worker.ref();
    await new Promise<void>((resolve) => {
      this.#changed = resolve;
    });
    // Unless what ended the wait is the end of all.
    if (this.#failure === undefined) for (const worker of this.#workers) worker.unref();
  }

  #change(): void {
    this.#changed?.();
    this.#changed = undefined;
  }
}

function ended(worker: Worker): Promise<void> {
  return new Promise((resolve) => {
    worker.once('exit', () => resolve());
  });
}

/** Flags that a program given on the command line (`--input-type=module -e …`) has, and a worker may not have. */
function execOptions(): { readonly execArgv?: string[] } {
  return process.execArgv.some((flag) => flag.startsWith('--input-type')) ? { execArgv: [] } : {};
}
