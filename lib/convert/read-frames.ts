/** Layout `frames`: the subsampled frames of a video, cut into samples where the video is long. */

import { VideoReader } from '../decode/index.ts';
import type { FrameChooser, PixelFormat, VideoFrame } from '../decode/index.ts';
import { createFrameChooser, shortSideSize } from '../sample/index.ts';
import type { FramePolicy } from '../sample/index.ts';
import type { VideoRef } from '../source/index.ts';
import type { FramesContent } from './options.ts';
import type { SampleBuilder } from './sample-builder.ts';
import { HAIR_SECONDS, placeInSpan } from './span.ts';
import type { VideoResult, VideoTask } from './video-task.ts';

/**
 * Bytes of pixels after which a sample ends and the next begins: bounds the memory of whoever writes or reads it. Seven minutes
 * of video at 256 pixels and every fourth frame.
 */
const MAX_SAMPLE_BYTES = 64 * 2 ** 20;

/** Reads one video and adds its samples. */
export async function readFramesLayout(
  { file, ref }: VideoTask,
  content: FramesContent,
  { builder, onProgress }: { builder: SampleBuilder; onProgress: (done: number) => void },
): Promise<VideoResult> {
  const reader = new VideoReader(file, {
    createChooser: () => chooserOf(content, ref),
    chooseSize: ({ width, height }) => shortSideSize(width, height, content.shortSide),
    format: formatOf(content),
    ...(ref.startSeconds === null
      ? {}
      : { notBefore: { seconds: ref.startSeconds - HAIR_SECONDS } }),
    onProgress,
  });
  let frames: VideoFrame[] = [];
  let bytes = 0;
  let firstPts: number | null = null;
  let part = 0;
  for await (const frame of reader.frames()) {
    firstPts ??= frame.ptsSeconds;
    const framePart = partOf(frame.ptsSeconds - firstPts, content.maxSeconds);
    if (frames.length > 0 && (framePart !== part || bytes + frame.data.length > MAX_SAMPLE_BYTES)) {
      addSample(builder, content, frames);
      frames = [];
      bytes = 0;
    }
    part = framePart;
    frames.push(frame);
    bytes += frame.data.length;
  }
  addSample(builder, content, frames);
  return builder.finish(reader.report);
}

function addSample(
  builder: SampleBuilder,
  { layout, codec }: FramesContent,
  frames: readonly VideoFrame[],
): void {
  const [first] = frames;
  if (first === undefined) return;
  const body = {
    frameIndex: frames.map(({ frameIndex }) => frameIndex),
    ptsSeconds: frames.map(({ ptsSeconds }) => ptsSeconds),
    layout,
    codec,
    shape: [frames.length, first.height, first.width, 3],
  };
  const data = frames.map((frame) => frame.data);
  builder.add(body, codec === 'jpeg' ? data : Buffer.concat(data));
}

/** Number of the sample that a time belongs to. */
function partOf(seconds: number, maxSeconds: number | null): number {
  return maxSeconds === null ? 0 : Math.floor((seconds + HAIR_SECONDS) / maxSeconds);
}

function formatOf({ quality }: FramesContent): PixelFormat {
  return quality === null ? { kind: 'rgb' } : { kind: 'jpeg', quality };
}

/** Subsampling policy of a conversion. */
export function policyOf({ stride, fps }: Pick<FramesContent, 'stride' | 'fps'>): FramePolicy {
  return fps === null ? { kind: 'stride', stride: stride ?? 1 } : { kind: 'fps', fps };
}

/** Chooses within the wanted span of the video; counts frames from the first of the span. */
function chooserOf(content: FramesContent, ref: VideoRef): FrameChooser {
  const chooser = createFrameChooser(policyOf(content));
  let firstInSpan: number | null = null;
  return (frameIndex, ptsSeconds, firstPtsSeconds) => {
    const place = placeInSpan(ptsSeconds - firstPtsSeconds, ref);
    if (place !== 'inside') return place === 'before' ? 'skip' : 'stop';
    firstInSpan ??= frameIndex;
    return chooser.wants(frameIndex - firstInSpan, ptsSeconds) ? 'take' : 'skip';
  };
}
