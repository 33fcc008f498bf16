/** Event files, which TensorBoard shows as curves. */

import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { checkInteger, checkNumber, systemCode, toWriteError } from '../core/index.ts';
import { encodeEvent } from './event-bytes.ts';
import type { EventContent, EventPlace } from './event-bytes.ts';

/** Runs that begin and end within one second get numbers. */
const MAX_FILES_PER_SECOND = 99;

/** Settings of {@link EventLog.create}. */
export interface EventLogOptions {
  /** When the run began or went on: seconds since 1970. Part of the name of the file. */
  readonly wallSeconds: number;
  /** The step of the checkpoint that the run goes on from, or null for a new run. */
  readonly lastStep: number | null;
}

/** Appends to one event file; owns it. */
export class EventLog {
  /** Path of the file. */
  readonly path: string;
  readonly #file: FileHandle;

  private constructor(path: string, file: FileHandle) {
    this.path = path;
    this.#file = file;
  }

  /**
   * Creates an event file in the folder of a run, which must exist. A run that goes on gets a file of its own, which tells
   * TensorBoard to forget what the files before have after `lastStep`.
   *
   * @throws {RangeError} if an option is out of range
   * @throws {TubeletError} TUBE_OUT_NOT_WRITABLE, TUBE_DISK_FULL
   */
  static async create(
    folder: string,
    { wallSeconds, lastStep }: EventLogOptions,
  ): Promise<EventLog> {
    checkNumber('wallSeconds', wallSeconds, { min: 0 });
    if (lastStep !== null) checkInteger('lastStep', lastStep, { min: 0 });
    const log = await EventLog.#createFile(folder, Math.floor(wallSeconds));
    await log.#write({ wallSeconds, step: 0 }, { type: 'version' });
    if (lastStep !== null) {
      await log.#write({ wallSeconds, step: lastStep + 1 }, { type: 'start' });
    }
    return log;
  }

  /** TensorBoard reads files in the order of their names. */
  static async #createFile(folder: string, second: number): Promise<EventLog> {
    const name = `events.out.tfevents.${String(second).padStart(10, '0')}.tubelet`;
    for (let count = 0; ; count++) {
      const path = join(folder, `${name}.${String(count).padStart(2, '0')}`);
      try {
        return new EventLog(path, await open(path, 'ax'));
      } catch (error) {
        if (systemCode(error) !== 'EEXIST' || count >= MAX_FILES_PER_SECOND) {
          throw toWriteError(error, path);
        }
      }
    }
  }

  /**
   * Appends the values of a step; await it before the next. Names with a slash, such as `train/loss`, are shown in groups.
   *
   * @throws {RangeError} if step or time is out of range
   * @throws {TubeletError} TUBE_DISK_FULL, TUBE_OUT_NOT_WRITABLE
   */
  async append(place: EventPlace, values: Readonly<Record<string, number>>): Promise<void> {
    checkInteger('step', place.step, { min: 0 });
    checkNumber('wallSeconds', place.wallSeconds, { min: 0 });
    await this.#write(place, { type: 'scalars', values });
  }

  async #write(place: EventPlace, content: EventContent): Promise<void> {
    try {
      await this.#file.appendFile(encodeEvent(place, content));
    } catch (error) {
      throw toWriteError(error, this.path);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A handle that is closed already has the descriptor -1.
    if (this.#file.fd !== -1) await this.#file.close();
  }
}
