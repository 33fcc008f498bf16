/** When each frame of a video is shown: from the packets where they can be trusted, else by decoding. */

import { setImmediate } from 'node:timers/promises';
import { scanFrames } from './frame-index.ts';
import { openVideo } from './open-video.ts';
import { TURN_MS, VideoReader } from './video-reader.ts';

/** How to find the frames of a video. */
export interface FrameTimesOptions {
  /** Decode even if the packets look trustworthy; for files that gave other frames than their packets promised. */
  readonly decode?: boolean;
  readonly signal?: AbortSignal;
  /** As for a {@link VideoReader}. */
  readonly onProgress?: (done: number) => void;
}

/**
 * Lists the presentation time of every frame, in seconds on the container's time line, in presentation order.
 *
 * @throws {TubeletError} the codes of opening a video; TUBE_NO_FRAMES if nothing decodes
 */
export async function listFrameTimes(
  file: string | Buffer,
  options: FrameTimesOptions = {},
): Promise<Float64Array> {
  if (options.decode !== true) {
    await setImmediate(); // as in VideoReader
    using video = openVideo(file);
    const scan = scanFrames(video);
    let step = scan.next();
    let turnAt = performance.now() + TURN_MS;
    for (; step.done !== true; step = scan.next()) {
      options.signal?.throwIfAborted();
      if (performance.now() < turnAt) continue;
      options.onProgress?.(video.packetsRead);
      await setImmediate();
      turnAt = performance.now() + TURN_MS;
    }
    const index = step.value;
    if (index !== null && index.pts.length > 0) {
      return Float64Array.from(index.pts, (pts) => video.secondsOf(pts));
    }
  }
  const times: number[] = [];
  const { signal, onProgress } = options;
  const reader = new VideoReader(file, {
    createChooser: () => {
      times.length = 0;
      return (_, ptsSeconds) => {
        times.push(ptsSeconds);
        return times.length === 1 ? 'take' : 'skip'; // one frame proves that there are any
      };
    },
    method: 'count',
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  for await (const _ of reader.frames()) continue;
  return Float64Array.from(times);
}
