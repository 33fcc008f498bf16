/** All logs of a run: metrics.jsonl, and event files for TensorBoard where a clock is given. */

import { EventLog, MetricsLog } from '../records/index.ts';
import type { MetricsRecord } from '../records/index.ts';

/** Appends to the logs of a run; owns their files. */
export class RunLog {
  readonly #metrics: MetricsLog;
  readonly #events: EventLog | null;
  readonly #wallClock: () => number;

  private constructor(metrics: MetricsLog, events: EventLog | null, wallClock: () => number) {
    this.#metrics = metrics;
    this.#events = events;
    this.#wallClock = wallClock;
  }

  /**
   * Opens the logs in the folder of a run; what they have after `lastStep` is cut. Null starts them anew.
   *
   * @throws {TubeletError} TUBE_RECORDS_DAMAGED, TUBE_OUT_NOT_WRITABLE, TUBE_DISK_FULL
   */
  static async open(
    folder: string,
    lastStep: number | null,
    wallClock?: () => number,
  ): Promise<RunLog> {
    const metrics = await MetricsLog.open(folder, { lastStep });
    try {
      const events =
        wallClock === undefined
          ? null
          : await EventLog.create(folder, { wallSeconds: wallClock(), lastStep });
      return new RunLog(metrics, events, wallClock ?? (() => 0));
    } catch (error) {
      await metrics[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Appends the values of a step; await it before the next. `wall` is what depends on the clock. */
  async append(record: MetricsRecord, wall?: Readonly<Record<string, number>>): Promise<void> {
    await this.#metrics.append(record, wall);
    if (this.#events === null) return;
    const values = Object.entries({ ...record.values, ...wall }).map(
      ([name, value]) => [`${record.kind}/${name}`, value] as const,
    );
    const place = { step: record.step, wallSeconds: this.#wallClock() };
    await this.#events.append(place, Object.fromEntries(values));
  }

  /** Resolves when the metrics are on the disk. */
  async flush(): Promise<void> {
    await this.#metrics.flush();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#metrics[Symbol.asyncDispose]();
    await this.#events?.[Symbol.asyncDispose]();
  }
}
