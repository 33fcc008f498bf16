/** Progress on stderr: one line that is written over on a terminal, a plain line now and then elsewhere. */

import { formatDuration } from './format.ts';

/** State of some work. */
export interface ProgressState {
  readonly done: number;
  /** May be `Infinity`. */
  readonly total: number;
  /** Done before this run; does not count for the time left. */
  readonly before?: number;
  readonly secondsElapsed: number;
  /** Rates and counts, shown in this order. */
  readonly facts: readonly string[];
}

const TERMINAL_EVERY_MS = 100;
const PLAIN_EVERY_MS = 5000;
const BAR_WIDTH = 24;

/** Shows the progress of one piece of work; close it before printing anything else. */
export class ProgressLine {
  readonly #title: string;
  readonly #isQuiet: boolean;
  readonly #isTerminal = process.stderr.isTTY;
  #shownAt = -Infinity;
  #last: (() => ProgressState) | null = null;
  #hasLine = false;

  constructor(title: string, isQuiet: boolean) {
    this.#title = title;
    this.#isQuiet = isQuiet;
  }

  /** Takes a function, since most states are never shown. */
  show(state: () => ProgressState): void {
    if (this.#isQuiet) return;
    this.#last = state;
    const now = performance.now();
    const every = this.#isTerminal ? TERMINAL_EVERY_MS : PLAIN_EVERY_MS;
    if (!this.#isTerminal && this.#shownAt === -Infinity) this.#shownAt = now;
    if (now - this.#shownAt < every) return;
    this.#shownAt = now;
    this.#write(state());
  }

  /** Shows the last state and ends the line. */
  close(): void {
    if (this.#isQuiet || this.#last === null) return;
    if (this.#isTerminal) this.#write(this.#last());
    if (this.#hasLine) process.stderr.write('\n');
    this.#last = null;
    this.#hasLine = false;
  }

  #write({ done, total, before = 0, secondsElapsed, facts }: ProgressState): void {
    const share = total === 0 ? 1 : (done + before) / total;
    const left = done === 0 ? Infinity : (secondsElapsed / done) * (total - before - done);
    const isEndless = total === Infinity;
    const counts = isEndless ? String(done + before) : `${done + before}/${total}`;
    const end = isEndless ? [] : [`${formatDuration(left)} left`];
    const rest = [counts, ...facts, ...end].join(' · ');
    if (!this.#isTerminal) {
      const percent = isEndless ? '' : `${Math.floor(share * 100)} % · `;
      process.stderr.write(`${this.#title}: ${percent}${rest}\n`);
      return;
    }
    const filled = Math.round(share * BAR_WIDTH);
    const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
    const line = `${this.#title} ${bar} ${rest}`;
    const width = (process.stderr.columns ?? 80) - 1;
    process.stderr.write(`\r${line.slice(0, width).padEnd(width)}`);
    this.#hasLine = true;
  }
}
