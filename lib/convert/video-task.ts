/** What the parent asks of a worker process, and what it gets back; all of it survives structured cloning. */

import type { VideoRef } from '../source/index.ts';
import type { VideoWarning } from '../decode/index.ts';
import type { VideoContent } from './options.ts';

/** One video to turn into samples. */
export interface VideoTask {
  /** Path for the file system, as bytes where the name is not UTF-8. */
  readonly file: string | Buffer;
  readonly ref: VideoRef;
  readonly split: string;
  readonly content: VideoContent;
  /** File for the pixels on their way to the parent; made if missing, overwritten from the start. */
  readonly spool: string;
}

/** One sample: its head as bytes, its pixels in the spool file. */
export interface SpooledSample {
  readonly key: string;
  readonly label: number | null;
  /** Number of stored frames. */
  readonly frames: number;
  /** The packed sample up to its pixels. */
  readonly head: Uint8Array;
  /** Where the packed pixels lie in the spool file. */
  readonly offset: number;
  readonly bytes: number;
}

/** What became of a video. */
export interface VideoResult {
  /** In the order of time; at least one. */
  readonly samples: readonly SpooledSample[];
  readonly warnings: readonly VideoWarning[];
  /** Duration of the video, or of the span of it that is meant, in milliseconds. */
  readonly milliseconds: number;
}
