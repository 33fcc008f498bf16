/**
 * Holds the end of the process back while a worker thread is inside native code. When a process ends, Node.js cuts its threads off; one that
 * is loading FFmpeg or decoding at that moment aborts the whole process, and a program that had done its work fails.
 */

/** Word that says that the process ends; the words after it say for each worker whether it is inside. */
const IS_EXITING = 0;
const FIRST_WORKER = 1;
const MAX_WAIT_MS = 5000;

const watched = new Set<Int32Array>();

/** Memory of a guard for so many workers, all of them inside: they start by loading FFmpeg. */
export function createExitGuard(numWorkers: number): SharedArrayBuffer {
  const memory = new SharedArrayBuffer((FIRST_WORKER + numWorkers) * Int32Array.BYTES_PER_ELEMENT);
  new Int32Array(memory).fill(1, FIRST_WORKER);
  return memory;
}

/** Makes the end of this process wait for the workers of a guard, until the function that it gives is called. */
export function watchExit(memory: SharedArrayBuffer): () => void {
  const words = new Int32Array(memory);
  if (watched.size === 0) process.on('exit', waitForAll);
  watched.add(words);
  return () => {
    if (watched.delete(words) && watched.size === 0) process.off('exit', waitForAll);
  };
}

/** One worker's side. */
export class ExitGuard {
  readonly #words: Int32Array;
  readonly #own: number;

  constructor(memory: SharedArrayBuffer, worker: number) {
    this.#words = new Int32Array(memory);
    this.#own = FIRST_WORKER + worker;
  }

  /** Does what calls native code and does not wait. Does nothing and throws if the process is ending. */
  within<T>(work: () => T): T {
    Atomics.store(this.#words, this.#own, 1);
    try {
      if (Atomics.load(this.#words, IS_EXITING) === 1) throw new Error('The process is ending.');
      return work();
    } finally {
      this.leave();
    }
  }

  /** The worker is out of native code, or gone. */
  leave(): void {
    Atomics.store(this.#words, this.#own, 0);
    Atomics.notify(this.#words, this.#own);
  }
}

function waitForAll(): void {
  for (const words of watched) Atomics.store(words, IS_EXITING, 1);
  const end = performance.now() + MAX_WAIT_MS;
  for (const words of watched) {
    for (let worker = FIRST_WORKER; worker < words.length; worker++) {
      Atomics.wait(words, worker, 1, Math.max(0, end - performance.now()));
    }
  }
}
