/** Layout `tubelets`: finished clips of a video, cropped from the centre and cut into tubelets. */

import { TubeletError } from '../core/index.ts';
import { VideoReader, listFrameTimes } from '../decode/index.ts';
import type { VideoFrame, VideoReport } from '../decode/index.ts';
import {
  centerCrop,
  clipFrames,
  clipStarts,
  createFrameChooser,
  cutTubelets,
  shortSideSize,
  tokenShape,
} from '../sample/index.ts';
import type { VideoRef } from '../source/index.ts';
import type { TubeletsContent } from './options.ts';
import type { SampleBuilder } from './sample-builder.ts';
import { policyOf } from './read-frames.ts';
import { placeInSpan } from './span.ts';
import type { VideoResult, VideoTask } from './video-task.ts';

interface Tools {
  readonly builder: SampleBuilder;
  readonly onProgress: (done: number) => void;
}

/** Reads one video and adds its clips. */
export async function readTubeletsLayout(
  task: VideoTask,
  content: TubeletsContent,
  { builder, onProgress }: Tools,
): Promise<VideoResult> {
  const { file, ref } = task;
  let times = await listFrameTimes(file, { onProgress });
  let clips = planClips(times, content, ref);
  let report = await readClips(task, content, { clips, builder, onProgress });
  if (report === null) {
    // The packets promised frames that did not come: count by decoding and plan anew.
    builder.clear();
    times = await listFrameTimes(file, { onProgress, decode: true });
    clips = planClips(times, content, ref);
    report = await readClips(task, content, { clips, builder, onProgress });
  }
  if (report === null) throw new TubeletError('TUBE_NO_FRAMES', { message: 'frames vanish' });
  return builder.finish({ ...report, numFrames: times.length });
}

/** Frame numbers of every clip, in the order of their starts. */
function planClips(times: Float64Array, content: TubeletsContent, ref: VideoRef): number[][] {
  const chosen = chosenFrames(times, content, ref);
  if (chosen.length === 0) throw new TubeletError('TUBE_EMPTY_SPAN', { framesSeen: times.length });
  const options = {
    numFrames: content.frames,
    stride: content.stride ?? 1,
    clips: content.clips,
    shortVideo: content.shortVideo,
  };
  return clipStarts(chosen.length, options).map((start) =>
    clipFrames(start, chosen.length, options).map((place) => chosen[place] ?? 0),
  );
}

/** Frames that clips may be made of: those of the span; with `fps` the subsampled ones, whose stride then is 1. */
function chosenFrames(times: Float64Array, content: TubeletsContent, ref: VideoRef): number[] {
  const first = times[0] ?? 0;
  const chooser = content.fps === null ? null : createFrameChooser(policyOf(content));
  const chosen: number[] = [];
  for (const [frameIndex, ptsSeconds] of times.entries()) {
    const isInSpan = placeInSpan(ptsSeconds - first, ref) === 'inside';
    if (isInSpan && (chooser === null || chooser.wants(frameIndex, ptsSeconds)))
      chosen.push(frameIndex);
  }
  return chosen;
}

interface ClipPlan extends Tools {
  readonly clips: readonly number[][];
}

/** Reads the frames of all clips in one pass; null if a frame did not come. */
async function readClips(
  { file }: VideoTask,
  content: TubeletsContent,
  { clips, builder, onProgress }: ClipPlan,
): Promise<VideoReport | null> {
  const uses = new Map<number, number>();
  for (const frameIndex of clips.flat()) uses.set(frameIndex, (uses.get(frameIndex) ?? 0) + 1);
  const wantedFrames = Float64Array.from(uses.keys()).sort();
  const lastFrame = wantedFrames.at(-1) ?? 0;
  const { size, shortSide } = content;
  const reader = new VideoReader(file, {
    createChooser: () => (frameIndex) =>
      uses.has(frameIndex) ? 'take' : frameIndex > lastFrame ? 'stop' : 'skip',
    notBefore: { frameIndex: wantedFrames[0] ?? 0 },
    chooseSize: ({ width, height }) => {
      const scaled = shortSideSize(width, height, shortSide);
      return { ...scaled, crop: centerCrop(scaled.width, scaled.height, size) };
    },
    onProgress,
  });
  const kept = new Map<number, VideoFrame>();
  let clip = 0;
  for await (const frame of framesIfAny(reader)) {
    kept.set(frame.frameIndex, frame);
    for (let wanted = clips[clip]; wanted !== undefined; wanted = clips[++clip]) {
      if (!wanted.every((frameIndex) => kept.has(frameIndex))) break;
      addClip(builder, content, { wanted, kept });
      forget(wanted, kept, uses);
    }
  }
  return clip === clips.length ? reader.report : null;
}

/** The frames of a reader; none if the wanted ones are not there. */
async function* framesIfAny(reader: VideoReader): AsyncGenerator<VideoFrame, void, undefined> {
  try {
    yield* reader.frames();
  } catch (error) {
    if (!(error instanceof TubeletError) || error.code !== 'TUBE_EMPTY_SPAN') throw error;
  }
}

function addClip(
  builder: SampleBuilder,
  { frames, size, tubelet, layout, codec }: TubeletsContent,
  { wanted, kept }: { readonly wanted: readonly number[]; readonly kept: Map<number, VideoFrame> },
): void {
  const pictures = wanted.map((frameIndex) => {
    const frame = kept.get(frameIndex);
    if (frame === undefined) throw new TubeletError('TUBE_INTERNAL', { message: 'frame not kept' });
    return frame;
  });
  const clipShape = [frames, size, size, 3] as const;
  const tokens = cutTubelets(Buffer.concat(pictures.map(({ data }) => data)), clipShape, tubelet);
  const body = {
    frameIndex: [...wanted],
    ptsSeconds: pictures.map(({ ptsSeconds }) => ptsSeconds),
    layout,
    codec,
    shape: tokenShape(clipShape, tubelet),
    tubelet,
    clipShape,
  };
  builder.add(body, tokens);
}

/** Lets go of frames that no later clip uses. */
function forget(
  wanted: readonly number[],
  kept: Map<number, VideoFrame>,
  uses: Map<number, number>,
): void {
  for (const frameIndex of wanted) {
    const left = (uses.get(frameIndex) ?? 1) - 1;
    uses.set(frameIndex, left);
    if (left === 0) kept.delete(frameIndex);
  }
}
