/** Writes one shard from the outcomes of its videos, in their order. */

import { ShardWriter, readSidecar, tarPath } from '../shard/index.ts';
import type { Sidecar, SidecarSample, VideoFailure, VideoNote } from '../shard/index.ts';
import { displayPath } from '../source/index.ts';
import type { VideoRef } from '../source/index.ts';
import { digestOf } from './shard-digest.ts';
import type { ShardDigest } from './shard-digest.ts';
import { videoIdOfKey } from './sample-key.ts';
import { payloadOf, readRange } from './spool-files.ts';
import type { VideoResult } from './video-task.ts';

/** What became of one video. */
export type VideoOutcome =
  | { readonly kind: 'done'; readonly result: VideoResult; readonly spool: string }
  | { readonly kind: 'failed'; readonly failure: VideoFailure }
  /** Taken over from the shard as it was: samples, warnings, or the failure. */
  | { readonly kind: 'kept' };

/** A shard being written; belongs to the caller, who must dispose of it. */
export class ShardJob {
  readonly #writer: ShardWriter;
  readonly #folder: string;
  readonly #before: Sidecar | null;
  readonly #failures: VideoFailure[] = [];
  readonly #warnings: VideoNote[] = [];
  #videos = 0;
  #milliseconds = 0;
  /** Stored frames and bytes of samples so far. */
  frames = 0;
  bytes = 0;
  samples = 0;

  private constructor(writer: ShardWriter, folder: string, before: Sidecar | null) {
    this.#writer = writer;
    this.#folder = folder;
    this.#before = before;
    // All that gave samples before is taken over, so their durations are too; what is tried again had given nothing.
    this.#milliseconds = Math.round((before?.seconds ?? 0) * 1000);
  }

  /** Begins a shard; `rewrites` if some of its content is to be taken over from the shard that is there. */
  static async begin(folder: string, name: string, rewrites: boolean): Promise<ShardJob> {
    const before = rewrites ? await readSidecar(folder, name) : null;
    return new ShardJob(await ShardWriter.create(folder, name), folder, before);
  }

  get numFailures(): number {
    return this.#failures.length;
  }

  /** Adds the next video of the shard. */
  async add(ref: VideoRef, outcome: VideoOutcome): Promise<void> {
    if (outcome.kind === 'failed') {
      this.#failures.push(outcome.failure);
    } else if (outcome.kind === 'done') {
      await this.#addResult(ref, outcome.result, outcome.spool);
    } else if (this.#before !== null) {
      await this.#keep(ref, this.#before);
    }
  }

  /** Completes the shard. */
  async finish(): Promise<ShardDigest> {
    const { name } = await this.#writer.finish({
      videos: this.#videos,
      seconds: this.#milliseconds / 1000,
      failures: this.#failures,
      warnings: this.#warnings,
    });
    return digestOf(await readSidecar(this.#folder, name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer[Symbol.asyncDispose]();
  }

  async #addResult(ref: VideoRef, result: VideoResult, spool: string): Promise<void> {
    for (const sample of result.samples) {
      const { key, head, bytes, label, frames } = sample;
      const payload = payloadOf(spool, sample);
      await this.#writer.add({ key, bytes: head.length + bytes, payload, label, frames });
      this.#count(frames, head.length + bytes);
    }
    const path = displayPath(ref.path);
    this.#warnings.push(...result.warnings.map((warning) => ({ path, id: ref.id, ...warning })));
    this.#videos++;
    this.#milliseconds += result.milliseconds;
  }

  /** Copies what the shard held of a video. */
  async #keep(ref: VideoRef, before: Sidecar): Promise<void> {
    const failure = before.failures.find(({ id }) => id === ref.id);
    if (failure !== undefined) {
      this.#failures.push(failure);
      return;
    }
    const samples = before.samples.filter(({ key }) => videoIdOfKey(key) === ref.id);
    for (const sample of samples) await this.#copy(sample, tarPath(this.#folder, before.shard));
    this.#warnings.push(...before.warnings.filter(({ id }) => id === ref.id));
    this.#videos++;
  }

  async #copy({ key, offset, bytes, label, frames }: SidecarSample, tar: string): Promise<void> {
    await this.#writer.add({ key, bytes, payload: readRange(tar, offset, bytes), label, frames });
    this.#count(frames, bytes);
  }

  #count(frames: number, bytes: number): void {
    this.samples++;
    this.frames += frames;
    this.bytes += bytes;
  }
}
