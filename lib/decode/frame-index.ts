/**
 * The list of a video's frames from its packets alone, without decoding: for knowing how many frames there are and for going
 * straight to a late one. A scan reads the file once and costs 1 to 3 ms for a clip of ten seconds.
 */

import { AV_NOPTS_VALUE, AV_PKT_FLAG_CORRUPT, AV_PKT_FLAG_DISCARD } from 'node-av/constants';
import type { OpenVideo } from './open-video.ts';

/** A frame at which decoding can start. */
export interface KeyFrame {
  readonly frameIndex: number;
  readonly pts: bigint;
  readonly dts: bigint;
}

/** Presentation times of all frames, in order, and where decoding can start. */
export interface FrameIndex {
  /** In ticks of the stream's time base, strictly ascending. */
  readonly pts: readonly bigint[];
  readonly keyFrames: readonly KeyFrame[];
}

/** Packets between two chances for the caller to do something else. */
const PACKETS_PER_TURN = 32;

/**
 * Scans an open video to its end; yields now and then, so that the caller can turn the event loop. Returns null where only
 * decoding can tell the frames: timestamps missing or double, damage, or a start cut out of a longer video, whose first packets
 * need pictures that are not there and may become no frames.
 */
export function* scanFrames(video: OpenVideo): Generator<null, FrameIndex | null> {
  const { packet } = video;
  let numPackets = 0;
  const all: { readonly pts: bigint; readonly dts: bigint; readonly isKey: boolean }[] = [];
  let startPts: bigint | null = null;
  while (video.readPacket()) {
    const { pts, dts, flags, size, isKeyframe } = packet;
    packet.unref();
    startPts ??= pts;
    if (pts === AV_NOPTS_VALUE || (flags & AV_PKT_FLAG_CORRUPT) !== 0) return null;
    if (++numPackets % PACKETS_PER_TURN === 0) yield null;
    if (size === 0 || (flags & AV_PKT_FLAG_DISCARD) !== 0) continue;
    if (pts < startPts) return null;
    all.push({ pts, dts, isKey: isKeyframe });
  }
  all.sort((a, b) => (a.pts < b.pts ? -1 : a.pts > b.pts ? 1 : 0));
  if (all.some(({ pts }, i) => i > 0 && pts === all[i - 1]?.pts)) return null;
  return {
    pts: all.map(({ pts }) => pts),
    keyFrames: all.flatMap(({ pts, dts, isKey }, frameIndex) =>
      isKey ? [{ frameIndex, pts, dts }] : [],
    ),
  };
}

/** Place of a presentation time in the index, or -1. */
export function findFrame({ pts }: FrameIndex, wanted: bigint): number {
  let low = 0;
  let high = pts.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const value = pts[middle];
    if (value === undefined || value === wanted) return middle;
    if (value < wanted) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}
