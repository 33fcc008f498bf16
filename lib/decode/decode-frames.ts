/**
 * Three ways from packets to numbered frames, from cheap to certain. All count frames as `ffprobe -count_frames` does: frame n is
 * the n-th that the decoder gives back from the start of the stream.
 *
 * - seeking: jumps to a key frame and numbers by the index of a scan;
 * - dropping: numbers packets ahead of the decoder and leaves out those that neither a wanted frame nor the caller needs;
 * - counting: decodes everything and counts.
 *
 * The first two check every frame against what they expect and throw `NumberingLost` at the first doubt.
 *
 * All yield null after every packet, so that the caller sees that work goes on even where no frame comes out for long.
 */

import {
  AV_FRAME_FLAG_KEY,
  AV_NOPTS_VALUE,
  AV_PKT_FLAG_DISCARD,
  AVSEEK_FLAG_BACKWARD,
} from 'node-av/constants';
import type { Frame } from 'node-av/lib';
import { Decoder, FrameClock, isDoubtful } from './decoder.ts';
import type { DecodeTally } from './decoder.ts';
import { findFrame } from './frame-index.ts';
import type { FrameIndex, KeyFrame } from './frame-index.ts';
import { createDropTest } from './nal-units.ts';
import { NumberingLost, PacketQueue } from './packet-queue.ts';
import type { NumberedPacket } from './packet-queue.ts';
import type { OpenVideo } from './open-video.ts';

/** Whether a frame is wanted; `stop` means that neither it nor any later one is. */
export type FrameVerdict = 'take' | 'skip' | 'stop';

/**
 * Decides over the frames of one video. Called in presentation order; with `counting` and `dropping` once for every frame from
 * the first, with `seeking` from the first frame after the jump.
 */
export type FrameChooser = (
  frameIndex: number,
  ptsSeconds: number,
  firstPtsSeconds: number,
) => FrameVerdict;

/** A wanted frame; `frame` is valid until the next one is asked for. */
export interface DecodedFrame {
  readonly frame: Frame;
  readonly frameIndex: number;
  readonly ptsSeconds: number;
}

/** Decodes everything and counts; right for every file, and the judge of all others. */
export function* countFrames(
  video: OpenVideo,
  choose: FrameChooser,
  tally: DecodeTally,
): Generator<DecodedFrame | null> {
  using decoder = new Decoder(video, tally);
  const clock = new FrameClock(video);
  let isDraining = false;
  while (!isDraining) {
    isDraining = !video.readPacket();
    if (!isDraining && (video.packet.flags & AV_PKT_FLAG_DISCARD) !== 0) tally.hiddenPackets++;
    decoder.send(isDraining ? null : video.packet);
    for (let frame = decoder.receive(); frame !== null; frame = decoder.receive()) {
      const frameIndex = tally.numFrames++;
      const ptsSeconds = clock.secondsOf(frame);
      tally.madeTimestamps ||= clock.hasMadeUp;
      tally.lastPtsSeconds = ptsSeconds;
      const verdict = choose(frameIndex, ptsSeconds, clock.firstSeconds);
      if (verdict === 'stop') return;
      if (verdict === 'take') yield { frame, frameIndex, ptsSeconds };
      frame.unref();
    }
    yield null;
  }
  tally.reachedEnd = true;
}

/** Leaves out packets that no wanted frame needs. */
export function* dropFrames(
  video: OpenVideo,
  choose: FrameChooser,
  tally: DecodeTally,
): Generator<DecodedFrame | null> {
  const canDrop = createDropTest(video.info.codec, video.decoder.extraData);
  if (canDrop === null) {
    yield* countFrames(video, choose, tally); // the codec does not say what can be left out
    return;
  }
  using decoder = new Decoder(video, tally);
  const taken = new Set<number>();
  let firstSeconds: number | null = null;
  let stopAt = Infinity;
  using queue = new PacketQueue(video, ({ frameIndex, pts }) => {
    const ptsSeconds = video.secondsOf(pts);
    firstSeconds ??= ptsSeconds;
    if (frameIndex === null || frameIndex >= stopAt) return;
    const verdict = choose(frameIndex, ptsSeconds, firstSeconds);
    if (verdict === 'take') taken.add(frameIndex);
    if (verdict === 'stop') stopAt = frameIndex;
  });
  const expected: NumberedPacket[] = [];
  let isDraining = false;
  while (!isDraining) {
    const next = queue.next();
    tally.numFrames = queue.count;
    isDraining = next === null;
    if (next !== null) {
      const { packet, frameIndex, isHidden } = next;
      if (isHidden) tally.hiddenPackets++;
      const isUnwanted = frameIndex !== null && !taken.has(frameIndex);
      const data = isUnwanted ? packet.data : null; // a call into FFmpeg: once, and only where it is needed
      const isDropped = data !== null && canDrop(data);
      if (!isDropped) decoder.send(packet);
      if (!isDropped && !isHidden) insertByTime(expected, next);
      packet.free();
    } else {
      decoder.send(null);
    }
    if (tally.badPackets > 0) throw new NumberingLost('a packet cannot be decoded');
    for (let frame = decoder.receive(); frame !== null; frame = decoder.receive()) {
      const due = expected.shift();
      if (due?.pts !== frame.bestEffortTimestamp || due.frameIndex === null || isDoubtful(frame)) {
        throw new NumberingLost('a frame is missing, late or damaged');
      }
      if (due.frameIndex >= stopAt) return;
      const ptsSeconds = video.secondsOf(due.pts);
      tally.lastPtsSeconds = ptsSeconds;
      if (taken.delete(due.frameIndex)) yield { frame, frameIndex: due.frameIndex, ptsSeconds };
      frame.unref();
    }
    yield null;
  }
  if (expected.length > 0) throw new NumberingLost('the last frames are missing');
  tally.reachedEnd = true;
}

/** Starts at the last key frame at or before `target` and numbers by the index. */
export function* seekFrames(
  video: OpenVideo,
  choose: FrameChooser,
  tally: DecodeTally,
  { index, target }: { readonly index: FrameIndex; readonly target: number },
): Generator<DecodedFrame | null> {
  const keyFrame = index.keyFrames.findLast(({ frameIndex }) => frameIndex <= target);
  const firstPts = index.pts[0];
  if (keyFrame === undefined || firstPts === undefined) throw new NumberingLost('no key frame');
  using decoder = new Decoder(video, tally);
  seekTo(video, decoder, keyFrame);
  let due = keyFrame.frameIndex;
  let isDraining = false;
  while (!isDraining) {
    isDraining = !video.readPacket();
    decoder.send(isDraining ? null : video.packet);
    for (let frame = decoder.receive(); frame !== null; frame = decoder.receive()) {
      const pts = frame.bestEffortTimestamp;
      const frameIndex = findFrame(index, pts);
      const isEarly = due === keyFrame.frameIndex && frameIndex >= 0 && frameIndex < due;
      if (isEarly) {
        frame.unref(); // shown before the key frame but stored behind it; its own references are not there
        continue;
      }
      if (frameIndex !== due || isDoubtful(frame) || tally.badPackets > 0) {
        throw new NumberingLost('a frame is missing, late or damaged');
      }
      if (frameIndex === keyFrame.frameIndex && (frame.flags & AV_FRAME_FLAG_KEY) === 0) {
        throw new NumberingLost('the container lies about its key frames');
      }
      due++;
      tally.numFrames = due;
      const ptsSeconds = video.secondsOf(pts);
      const verdict = choose(frameIndex, ptsSeconds, video.secondsOf(firstPts));
      if (verdict === 'stop') return;
      if (verdict === 'take') yield { frame, frameIndex, ptsSeconds };
      frame.unref();
    }
    yield null;
  }
  if (due !== index.pts.length) throw new NumberingLost('the last frames are missing');
}

/** Some old streams carry in their first packet what the decoder needs for all others, so that one goes in before the jump. */
function seekTo(video: OpenVideo, decoder: Decoder, keyFrame: KeyFrame): void {
  if (video.readPacket()) decoder.send(video.packet);
  for (const time of [keyFrame.pts, keyFrame.dts]) {
    if (time === AV_NOPTS_VALUE) continue;
    if (video.format.seekFrameSync(video.stream.index, time, AVSEEK_FLAG_BACKWARD) < 0) continue;
    if (!video.readPacket()) continue;
    if (video.packet.pts !== keyFrame.pts) {
      video.packet.unref();
      continue;
    }
    video.decoder.flushBuffers();
    decoder.send(video.packet);
    return;
  }
  throw new NumberingLost('the key frame cannot be reached');
}

function insertByTime(expected: NumberedPacket[], numbered: NumberedPacket): void {
  let place = expected.length;
  while (place > 0 && (expected[place - 1]?.pts ?? numbered.pts) > numbered.pts) place--;
  expected.splice(place, 0, numbered);
}
