/**
 * Clips as numbers: how much of a video a clip covers, where clips start, which frames they take. All pure functions.
 *
 * Source: our own rules; the rules of published recipes stand in dense-frames.ts and uniform-frames.ts.
 */

import { TubeletError, checkInteger, checkOneOf } from '../core/index.ts';

/** How a clip takes frames: `numFrames` of them, `stride` source frames from one to the next; both ≥ 1. */
export interface ClipOptions {
  readonly numFrames: number;
  readonly stride: number;
}

/** Where clips go: `'all'` tiles the video, a number spreads that many evenly over it. */
export interface ClipStartOptions extends ClipOptions {
  readonly clips: 'all' | number;
}

/**
 * What a clip does when the video ends before it: `'repeat-last'` stays at the last frame it reached (not always the last
 * of the video), `'loop'` goes on from frame 0, `'error'` refuses the video.
 */
export type ShortVideoPolicy = 'repeat-last' | 'loop' | 'error';

/** {@link ClipOptions} with the policy for videos that are too short. */
export interface ClipFrameOptions extends ClipOptions {
  readonly shortVideo: ShortVideoPolicy;
}

type FrameRule = (start: number, numVideoFrames: number, options: ClipOptions) => number[];

const SHORT_VIDEO_RULES: Readonly<Record<ShortVideoPolicy, FrameRule>> = {
  'repeat-last': repeatLast,
  loop,
  error: refuse,
};

/** The names of all short-video policies, for option parsers. */
export const SHORT_VIDEO_POLICIES: readonly ShortVideoPolicy[] = Object.keys(
  SHORT_VIDEO_RULES,
) as ShortVideoPolicy[];

/**
 * Gives the frames covered by a clip, first and last included: `numFrames = 4, stride = 2` takes `f.f.f.f`, so 7.
 *
 * @throws {RangeError} if either argument is not an integer ≥ 1
 */
export function clipSpan(numFrames: number, stride: number): number {
  checkInteger('numFrames', numFrames, { min: 1 });
  checkInteger('stride', stride, { min: 1 });
  return stride * (numFrames - 1) + 1;
}

/**
 * Gives the first frame of each clip in a video of `numVideoFrames` frames, in ascending order.
 * `'all'`: spans side by side from frame 0; what is left at the end is dropped, but one clip is always given.
 * A number `k`: the first starts at 0 and the last ends with the video; `k = 1` is centred. In a short video starts repeat.
 *
 * @throws {RangeError} if a number is not an integer ≥ 1
 */
export function clipStarts(numVideoFrames: number, options: ClipStartOptions): number[] {
  checkInteger('numVideoFrames', numVideoFrames, { min: 1 });
  const { clips } = options;
  const span = clipSpan(options.numFrames, options.stride);
  if (clips !== 'all') return spreadEvenly(Math.max(0, numVideoFrames - span), clips);
  const numClips = Math.max(1, Math.floor(numVideoFrames / span));
  return Array.from({ length: numClips }, (_, clip) => clip * span);
}

/**
 * Gives the frame indices of one clip that starts at frame `start`.
 *
 * @throws {RangeError} if a number is out of bounds or the policy is unknown
 * @throws {TubeletError} `TUBE_VIDEO_TOO_SHORT` with policy `'error'`
 */
export function clipFrames(
  start: number,
  numVideoFrames: number,
  options: ClipFrameOptions,
): number[] {
  checkInteger('numVideoFrames', numVideoFrames, { min: 1 });
  checkInteger('start', start, { min: 0, max: numVideoFrames - 1 });
  checkOneOf('shortVideo', options.shortVideo, SHORT_VIDEO_POLICIES);
  const last = start + clipSpan(options.numFrames, options.stride) - 1;
  if (last < numVideoFrames) return loop(start, numVideoFrames, options);
  return SHORT_VIDEO_RULES[options.shortVideo](start, numVideoFrames, options);
}

/**
 * Spreads `count` offsets over `0 … room`, both included, rounded down; a single one goes to the middle.
 *
 * @throws {RangeError} if `count` is not an integer ≥ 1
 */
export function spreadEvenly(room: number, count: number): number[] {
  checkInteger('count', count, { min: 1 });
  if (count === 1) return [Math.floor(room / 2)];
  return Array.from({ length: count }, (_, index) => Math.floor((index * room) / (count - 1)));
}

function repeatLast(start: number, numVideoFrames: number, options: ClipOptions): number[] {
  const { numFrames, stride } = options;
  const lastStep = Math.floor((numVideoFrames - 1 - start) / stride);
  return Array.from({ length: numFrames }, (_, step) => start + Math.min(step, lastStep) * stride);
}

function loop(start: number, numVideoFrames: number, options: ClipOptions): number[] {
  const { numFrames, stride } = options;
  return Array.from({ length: numFrames }, (_, step) => (start + step * stride) % numVideoFrames);
}

function refuse(start: number, numVideoFrames: number, options: ClipOptions): never {
  const span = clipSpan(options.numFrames, options.stride);
  throw new TubeletError('TUBE_VIDEO_TOO_SHORT', { frames: numVideoFrames, start, span });
}
