/** Frames of a video as short texts that can be compared. */

import { createHash } from 'node:crypto';
import { VideoReader } from '../../lib/decode/index.ts';
import type { ReadOptions, Size, VideoReport } from '../../lib/decode/index.ts';

/** Frames as `index time hash`, and the report. */
export interface ReadOutcome {
  readonly frames: readonly string[];
  readonly report: VideoReport;
}

/** Reads all wanted frames. */
export async function readAsText(
  file: string | Buffer,
  options: ReadOptions,
): Promise<ReadOutcome> {
  const reader = new VideoReader(file, options);
  const frames: string[] = [];
  for await (const { frameIndex, ptsSeconds, data } of reader.frames()) {
    const hash = createHash('md5').update(data).digest('hex');
    frames.push(`${frameIndex} ${ptsSeconds} ${hash}`);
  }
  return { frames, report: reader.report };
}

/** At most 128 pixels a side: a wrong frame still shows, in less time. */
export function smallSize({ width, height }: Size): Size {
  return { width: Math.min(width, 128), height: Math.min(height, 128) };
}
