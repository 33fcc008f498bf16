/**
 * Thins a stream of frames while it is decoded: every k-th frame, or a target rate in frames per second.
 *
 * Source: our own rules.
 */

import { checkInteger, checkNumber } from '../core/index.ts';

/**
 * Which frames of a video to keep: every `stride`-th from frame 0, or about `fps` a second by presentation time. A video
 * slower than `fps` keeps each frame once: frames are chosen, never made up.
 */
export type FramePolicy =
  | { readonly kind: 'stride'; readonly stride: number }
  | { readonly kind: 'fps'; readonly fps: number };

/** Decides frame by frame; has a memory, so one chooser serves one video. */
export interface FrameChooser {
  /** Says whether to keep this frame. To be called once per decoded frame, in presentation order. */
  wants(frameIndex: number, ptsSeconds: number): boolean;
}

/**
 * Part of a slot by which a frame may be early. Containers round times, often to 1 ms, so a frame that belongs on the border
 * of a slot can be stamped a little before it; without slack every such frame would be dropped.
 */
const SLACK = 0.1;

/**
 * Makes the chooser of one video.
 *
 * `fps` cuts time, counted from the first frame, into slots of `1 / fps` seconds and keeps the first frame of each slot that
 * is later than all before; a frame at most a tenth of a slot early counts for the next one. Frames whose time stands still
 * or goes back are dropped.
 *
 * @throws {RangeError} if the kind is unknown, `stride` is not an integer ≥ 1 or `fps` is not in 0.001 … 1000;
 *   from `wants` if a time is not a finite number
 */
export function createFrameChooser(policy: FramePolicy): FrameChooser {
  switch (policy.kind) {
    case 'stride':
      return everyStride(policy.stride);
    case 'fps':
      return atRate(policy.fps);
    default: {
      const { kind } = policy as { kind: unknown };
      throw new RangeError(`"policy.kind" must be one of stride, fps (got "${String(kind)}").`);
    }
  }
}

function everyStride(stride: number): FrameChooser {
  checkInteger('stride', stride, { min: 1 });
  return { wants: (frameIndex) => frameIndex % stride === 0 };
}

function atRate(fps: number): FrameChooser {
  checkNumber('fps', fps, { min: 0.001, max: 1000 });
  let firstPts: number | undefined;
  let lastSlot = -1;
  return {
    wants(_frameIndex, ptsSeconds) {
      checkNumber('ptsSeconds', ptsSeconds);
      firstPts ??= ptsSeconds;
      const slot = Math.floor((ptsSeconds - firstPts) * fps + SLACK);
      if (slot <= lastSlot) return false;
      lastSlot = slot;
      return true;
    },
  };
}
