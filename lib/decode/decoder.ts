/** The decoder of one pass over a video: sends packets, receives frames, keeps count of what goes wrong. */

import {
  AV_FRAME_FLAG_CORRUPT,
  AV_NOPTS_VALUE,
  AVERROR_EAGAIN,
  AVERROR_EOF,
} from 'node-av/constants';
import { Frame } from 'node-av/lib';
import type { Packet } from 'node-av/lib';
import type { OpenVideo } from './open-video.ts';

/** What was seen on the way. */
export interface DecodeTally {
  /** Frames numbered so far; the number of frames of the video if `reachedEnd`. */
  numFrames: number;
  reachedEnd: boolean;
  /** Packets that the decoder refused. */
  badPackets: number;
  /** Frames that the decoder gave back with visible damage. */
  damagedFrames: number;
  /** Packets that an edit list hides. */
  hiddenPackets: number;
  lastPtsSeconds: number | null;
  madeTimestamps: boolean;
}

/** A tally before the first packet. */
export function emptyTally(): DecodeTally {
  return {
    numFrames: 0,
    reachedEnd: false,
    badPackets: 0,
    damagedFrames: 0,
    hiddenPackets: 0,
    lastPtsSeconds: null,
    madeTimestamps: false,
  };
}

/** Whether the decoder itself says that a frame is damaged. */
export function isDoubtful(frame: Frame): boolean {
  return frame.decodeErrorFlags !== 0 || (frame.flags & AV_FRAME_FLAG_CORRUPT) !== 0;
}

/** Sends packets and receives frames, tallying what goes wrong. */
export class Decoder {
  readonly #video: OpenVideo;
  readonly #tally: DecodeTally;
  readonly #frame = new Frame();

  constructor(video: OpenVideo, tally: DecodeTally) {
    this.#video = video;
    this.#tally = tally;
    this.#frame.alloc();
  }

  /** Sends a packet and lets go of it; null begins the end. */
  send(packet: Packet | null): void {
    const code = this.#video.decoder.sendPacketSync(packet);
    packet?.unref();
    if (code < 0 && code !== AVERROR_EOF) this.#tally.badPackets++;
  }

  /** The next frame, or null if the decoder wants more packets. */
  receive(): Frame | null {
    for (;;) {
      const code = this.#video.decoder.receiveFrameSync(this.#frame);
      if (code === AVERROR_EAGAIN || code === AVERROR_EOF) return null;
      if (code >= 0) {
        if (isDoubtful(this.#frame)) this.#tally.damagedFrames++;
        return this.#frame;
      }
      this.#tally.badPackets++;
      if (this.#tally.badPackets > 100_000) return null;
    }
  }

  [Symbol.dispose](): void {
    this.#frame.free();
  }
}

/** Presentation times where the stream has them, and evenly spaced ones where it has none. */
export class FrameClock {
  readonly #video: OpenVideo;
  readonly #spacingSeconds: number;
  #lastSeconds: number | null = null;
  #firstSeconds = 0;
  hasMadeUp = false;

  constructor(video: OpenVideo) {
    this.#video = video;
    const { rFrameRate } = video.stream;
    const guessed = rFrameRate.num > 0 && rFrameRate.den > 0 ? rFrameRate.num / rFrameRate.den : 25;
    const fps = video.info.fps ?? guessed;
    this.#spacingSeconds = 1 / (fps > 0 && fps <= 240 ? fps : 25);
  }

  get firstSeconds(): number {
    return this.#firstSeconds;
  }

  secondsOf(frame: Frame): number {
    const pts = frame.bestEffortTimestamp;
    let seconds: number;
    if (pts === AV_NOPTS_VALUE) {
      seconds = this.#lastSeconds === null ? 0 : this.#lastSeconds + this.#spacingSeconds;
      this.hasMadeUp = true;
    } else {
      seconds = this.#video.secondsOf(pts);
    }
    if (this.#lastSeconds === null) this.#firstSeconds = seconds;
    this.#lastSeconds = seconds;
    return seconds;
  }
}
