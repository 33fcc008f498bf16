/** Things worth knowing about a video that could be read all the same. */

import type { DecodeTally } from './decoder.ts';
import type { PictureFacts } from './frame-converter.ts';
import type { VideoInfo } from './video-info.ts';

/**
 * Kinds of warnings: data lost, fewer frames than announced, times made up, sizes changed, rotation not applied; a name that does
 * not fit the content, a file cut short or with something appended; what the decoder complained about.
 */
export type WarningCode =
  | 'damaged'
  | 'fewer-frames'
  | 'made-timestamps'
  | 'size-changes'
  | 'rotation-ignored'
  | 'extension'
  | 'cut-short'
  | 'extra-data'
  | 'decoder-message';

/** A warning about one video. */
export interface VideoWarning {
  readonly code: WarningCode;
  readonly message: string;
}

/** Seconds by which the last frame may lie before the announced end: audio is often a little longer than the picture. */
const END_TOLERANCE_SECONDS = 1;

/** Gathers the warnings of one pass over a video. */
export function warningsOf(
  info: VideoInfo,
  tally: DecodeTally,
  facts: PictureFacts | null,
): VideoWarning[] {
  const warnings: VideoWarning[] = [];
  const warn = (code: WarningCode, message: string): void => void warnings.push({ code, message });
  const { badPackets, damagedFrames } = tally;
  if (badPackets > 0 || damagedFrames > 0) {
    warn(
      'damaged',
      `${badPackets} packets could not be decoded, ${damagedFrames} frames show damage`,
    );
  }
  const missing = missingFrames(info, tally);
  if (missing !== null) warn('fewer-frames', missing);
  if (tally.madeTimestamps)
    warn('made-timestamps', 'the stream lacks timestamps; evenly spaced ones stand in');
  if (facts?.sizeChanged === true)
    warn('size-changes', 'frames of other sizes were scaled to the first');
  if (facts?.rotationIgnored === true) {
    warn('rotation-ignored', 'the rotation is no multiple of 90 degrees and was not applied');
  }
  return warnings;
}

function missingFrames(
  { declaredFrames, durationSeconds, fps }: VideoInfo,
  { reachedEnd, numFrames, hiddenPackets, lastPtsSeconds }: DecodeTally,
): string | null {
  if (!reachedEnd) return null;
  if (declaredFrames !== null && numFrames < declaredFrames - hiddenPackets) {
    return `the container announces ${declaredFrames} frames, ${numFrames} could be decoded`;
  }
  if (declaredFrames !== null || durationSeconds === null || lastPtsSeconds === null) return null;
  const end = lastPtsSeconds + (fps === null ? 0 : 1 / fps);
  if (end >= durationSeconds - END_TOLERANCE_SECONDS) return null;
  return `the container announces ${durationSeconds.toFixed(2)} s, frames end at ${end.toFixed(2)} s`;
}
