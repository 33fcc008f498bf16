/**
 * Runs tasks in child processes that can be killed: one task a process at a time, each under a deadline, a limit on standing
 * still and a limit on memory. A task that crashes, hangs or swells takes down its own process only.
 *
 * Processes and not threads, because native code that blocks or crashes can be ended in no other way.
 */

import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { TubeletError } from '../core/index.ts';
import type { ErrorCode, ErrorDetails } from '../core/index.ts';
import { residentBytes } from './process-memory.ts';
import type { ChildMessage, ParentMessage } from './process-child.ts';

/** How tasks are run. */
export interface PoolOptions {
  /** Module that calls `serveTasks`. */
  readonly module: URL;
  readonly workers: number;
  /** Seconds a task may take in all. */
  readonly timeoutSeconds: number;
  /** Seconds a task may go without reporting another number than before. */
  readonly stallSeconds: number;
  /** Resident memory a process may use, in bytes. */
  readonly memoryBytes: number;
  /** Seconds a process may take to load its module, before the clocks of its first task begin. Default: 60. */
  readonly startSeconds?: number;
}

/** A process does this many tasks before a fresh one takes its place. */
const TASKS_PER_PROCESS = 500;

/** A process that dies while it starts may have been somebody's mistake; one that does so again and again is not. */
const START_ATTEMPTS = 3;

const CHECK_EVERY_MS = 200;

const START_SECONDS = 60;

/** Bytes of a dead process's last words that are kept. */
const LAST_WORDS = 500;

/** One child process and the task it is at. */
interface Worker {
  readonly child: ChildProcess;
  /** Whether its module has been loaded. */
  isReady: boolean;
  tasksLeft: number;
  lastWords: string;
  job: Job | null;
}

interface Job {
  readonly id: number;
  startedAt: number;
  readonly onProgress: (done: number) => void;
  readonly settle: (outcome: Outcome) => void;
  progressAt: number;
  done: number;
}

type Outcome = { readonly value: unknown } | { readonly error: unknown };

/** A pool of child processes; belongs to the caller, who must dispose of it. Tasks and results must survive structured cloning. */
export class ProcessPool<Task, Result> {
  readonly #options: PoolOptions;
  readonly #idle: Worker[] = [];
  readonly #busy = new Set<Worker>();
  readonly #waiting: (() => void)[] = [];
  readonly #timer: NodeJS.Timeout;
  #nextId = 0;
  #isClosed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#checkBusy(), CHECK_EVERY_MS);
    this.#timer.unref();
  }

  /**
   * Runs one task; waits while all processes are busy.
   *
   * @throws {TubeletError} what the task threw, or TUBE_DECODE_TIMEOUT, TUBE_DECODE_MEMORY, TUBE_DECODE_CRASH,
   *   TUBE_WORKER_START
   */
  async run(task: Task, onProgress: (done: number) => void = ignore): Promise<Result> {
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#runOnce(task, onProgress);
      if ('value' in outcome) return outcome.value as Result;
      const { error } = outcome;
      const isStart = error instanceof TubeletError && error.code === 'TUBE_WORKER_START';
      const isSlow = isStart && error.details['seconds'] !== undefined;
      if (!isStart || isSlow || attempt === START_ATTEMPTS) throw error;
    }
  }

  async #runOnce(task: Task, onProgress: (done: number) => void): Promise<Outcome> {
    while (!this.#isClosed && this.#busy.size >= this.#options.workers) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    if (this.#isClosed) return { error: closedError() };
    const worker = this.#takeIdle() ?? this.#start();
    this.#busy.add(worker);
    return new Promise<Outcome>((settle) => {
      const now = performance.now();
      const id = this.#nextId++;
      worker.job = { id, startedAt: now, progressAt: now, done: 0, onProgress, settle };
      const message: ParentMessage = { id, task };
      try {
        worker.child.send(message, (error) => {
          // It had died before the task reached it, which is not the task's doing: another process is tried.
          if (error !== null) this.#fail(worker, 'TUBE_WORKER_START', { message: error.message });
        });
      } catch (error) {
        this.#settle(worker, { error }); // a task that cannot be cloned is the caller's mistake
        this.#release(worker);
      }
    });
  }

  /** Ends all processes at once, busy or not; safe to call twice. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    const workers = [...this.#idle.splice(0), ...this.#busy];
    for (const worker of workers) this.#settle(worker, { error: closedError() });
    for (const wake of this.#waiting.splice(0)) wake();
    await Promise.all(workers.map(({ child }) => endOf(child)));
  }

  /** A process that waits for a task; one that has just died is passed over. */
  #takeIdle(): Worker | undefined {
    let worker = this.#idle.pop();
    while (worker !== undefined && !worker.child.connected) worker = this.#idle.pop();
    return worker;
  }

  #start(): Worker {
    const child = fork(this.#options.module, [], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: [],
    });
    const worker: Worker = {
      child,
      isReady: false,
      tasksLeft: TASKS_PER_PROCESS,
      lastWords: '',
      job: null,
    };
    child.on('message', (message) => this.#receive(worker, message as ChildMessage));
    child.stderr?.on('data', (text: Buffer) => {
      worker.lastWords = (worker.lastWords + text.toString()).slice(-LAST_WORDS);
    });
    child.on('error', (error) => this.#fail(worker, deathCode(worker), { message: error.message }));
    child.on('close', (exitCode, signal) => {
      const cause = signal === null ? `exit code ${String(exitCode)}` : `signal ${signal}`;
      const lines = worker.lastWords.trim().split('\n');
      const words = lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? '';
      // What a crash prints differs from run to run and would end up in the files; why a start failed is for the user.
      const message = worker.isReady || words === '' ? cause : `${cause}: ${words}`;
      this.#fail(worker, deathCode(worker), { message });
      this.#forget(worker);
    });
    return worker;
  }

  #receive(worker: Worker, message: ChildMessage): void {
    const { job } = worker;
    if (message.kind === 'ready') {
      worker.isReady = true;
      // Loading the program is no part of the first task's time.
      if (job !== null) job.startedAt = job.progressAt = performance.now();
      return;
    }
    if (job === null || message.id !== job.id) return;
    if (message.kind === 'progress') {
      // Not "more": a task may count anew in each of its passes.
      if (message.done !== job.done) job.progressAt = performance.now();
      job.done = message.done;
      job.onProgress(message.done);
      return;
    }
    const outcome: Outcome =
      message.kind === 'result'
        ? { value: message.value }
        : { error: TubeletError.fromPlain(message.error) };
    this.#settle(worker, outcome);
    this.#release(worker);
  }

  /** Makes a process that has done its task ready for the next, or ends it. */
  #release(worker: Worker): void {
    worker.tasksLeft--;
    if (worker.tasksLeft > 0 && !this.#isClosed) this.#idle.push(worker);
    else worker.child.kill('SIGKILL');
    this.#waiting.shift()?.();
  }

  #checkBusy(): void {
    const { timeoutSeconds, stallSeconds, memoryBytes } = this.#options;
    const { startSeconds = START_SECONDS } = this.#options;
    const now = performance.now();
    for (const worker of this.#busy) {
      const { job } = worker;
      if (job === null) continue;
      const seconds = (now - job.startedAt) / 1000;
      if (!worker.isReady) {
        const details = { message: 'not ready in time', seconds: startSeconds };
        if (seconds > startSeconds) this.#fail(worker, 'TUBE_WORKER_START', details);
      } else if (seconds > timeoutSeconds) {
        const message = `not done after ${timeoutSeconds} s`;
        this.#fail(worker, 'TUBE_DECODE_TIMEOUT', { message });
      } else if ((now - job.progressAt) / 1000 > stallSeconds) {
        const message = `no progress for ${stallSeconds} s`;
        this.#fail(worker, 'TUBE_DECODE_TIMEOUT', { message });
      } else if (residentBytes(worker.child.pid) > memoryBytes) {
        const message = `more than ${Math.round(memoryBytes / 2 ** 20)} MiB`;
        this.#fail(worker, 'TUBE_DECODE_MEMORY', { message });
      }
    }
  }

  /** Fails the task of a process and makes an end of the process. */
  #fail(worker: Worker, code: ErrorCode, details: ErrorDetails): void {
    if (worker.job === null) return;
    worker.child.kill('SIGKILL');
    this.#settle(worker, { error: new TubeletError(code, details) });
    this.#waiting.shift()?.();
  }

  #settle(worker: Worker, outcome: Outcome): void {
    const { job } = worker;
    worker.job = null;
    this.#busy.delete(worker);
    job?.settle(outcome);
  }

  #forget(worker: Worker): void {
    const place = this.#idle.indexOf(worker);
    if (place >= 0) this.#idle.splice(place, 1);
  }
}

/** A process that dies before it has begun is not killed by its task. */
function deathCode({ isReady }: Worker): ErrorCode {
  return isReady ? 'TUBE_DECODE_CRASH' : 'TUBE_WORKER_START';
}

/** Kills a process and waits until it is gone. */
function endOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) {
      resolve();
      return;
    }
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}

function closedError(): TubeletError {
  return new TubeletError('TUBE_INTERNAL', { message: 'the pool is closed' });
}

function ignore(): void {
  // Nobody asked for progress.
}
