/** One frame of a video. */

import { VideoReader } from '../../lib/decode/index.ts';
import type { ReadOptions, VideoFrame } from '../../lib/decode/index.ts';

/** Reads one frame and closes the file. */
export async function readOne(
  file: string | Buffer,
  frameIndex: number,
  options: ReadOptions = {},
): Promise<VideoFrame> {
  const createChooser =
    (): NonNullable<ReturnType<NonNullable<ReadOptions['createChooser']>>> => (i) =>
      i < frameIndex ? 'skip' : 'take';
  for await (const frame of new VideoReader(file, { ...options, createChooser }).frames()) {
    return frame;
  }
  throw new Error(`no frame ${frameIndex}`);
}
