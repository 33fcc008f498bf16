/** Collects the samples of one video: pixels go to the spool at once, heads are packed when everything is known. */

import { encodeData, encodeMeta } from '../shard/index.ts';
import type { SampleMeta } from '../shard/index.ts';
import { displayPath } from '../source/index.ts';
import type { VideoRef } from '../source/index.ts';
import type { VideoReport } from '../decode/index.ts';
import { sampleKey } from './sample-key.ts';
import type { SpoolWriter } from './spool-writer.ts';
import type { SpooledSample, VideoResult, VideoTask } from './video-task.ts';

/** Frames and their form, as one sample stores them. */
export type SampleBody = Pick<
  SampleMeta,
  'frameIndex' | 'ptsSeconds' | 'layout' | 'codec' | 'shape' | 'tubelet' | 'clipShape'
>;

/** One builder serves one video. */
export class SampleBuilder {
  readonly #task: VideoTask;
  readonly #spool: SpoolWriter;
  readonly #parts: {
    readonly body: SampleBody;
    readonly offset: number;
    readonly bytes: number;
  }[] = [];

  constructor(task: VideoTask, spool: SpoolWriter) {
    this.#task = task;
    this.#spool = spool;
  }

  /** Forgets all samples. */
  clear(): void {
    this.#parts.length = 0;
    this.#spool.rewind();
  }

  /** Adds the next sample of the video. The pixels may be reused when the call returns. */
  add(body: SampleBody, data: Uint8Array | readonly Uint8Array[]): void {
    this.#parts.push({ body, ...this.#spool.append(encodeData(data)) });
  }

  /** Packs the heads with what reading the whole video has shown. */
  finish({ info, numFrames, warnings }: VideoReport): VideoResult {
    const { ref, split } = this.#task;
    const seconds = info.durationSeconds ?? this.#storedSeconds();
    const source = {
      path: displayPath(ref.path),
      width: info.width,
      height: info.height,
      fps: info.fps ?? 0,
      frames: numFrames,
      seconds,
    };
    const samples = this.#parts.map(({ body, offset, bytes }, number): SpooledSample => {
      const key = sampleKey(ref, number);
      const meta = {
        v: 1,
        key,
        split,
        label: ref.label,
        class: ref.className,
        source,
        ...body,
        boxes: null,
      };
      const head = encodeMeta(meta);
      return { key, label: ref.label, frames: body.frameIndex.length, head, offset, bytes };
    });
    const milliseconds = Math.round(spanSeconds(ref, seconds) * 1000);
    return { samples, warnings, milliseconds };
  }

  /** Time from the first stored frame to the last. */
  #storedSeconds(): number {
    const first = this.#parts[0]?.body.ptsSeconds[0] ?? 0;
    const last = this.#parts.at(-1)?.body.ptsSeconds.at(-1) ?? first;
    return Math.max(0, last - first);
  }
}

/** Length of the part of a video that is meant. */
function spanSeconds({ startSeconds, endSeconds }: VideoRef, seconds: number): number {
  const start = Math.min(startSeconds ?? 0, seconds);
  return Math.max(0, Math.min(endSeconds ?? seconds, seconds) - start);
}
