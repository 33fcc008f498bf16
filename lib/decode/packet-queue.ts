/**
 * Numbers packets in presentation order while they are read in decoding order, with a look ahead of a few packets.
 *
 * No packet is shown before the time at which it is decoded, so once the decoding time has reached a packet's presentation time,
 * nothing earlier can follow and its number is final. This lets the reader leave out packets before they are decoded. Where a
 * file breaks the rule the numbers are not to be trusted: `NumberingLost` is thrown and the video is read by plain counting.
 */

import { AV_NOPTS_VALUE, AV_PKT_FLAG_DISCARD } from 'node-av/constants';
import type { Packet } from 'node-av/lib';
import type { OpenVideo } from './open-video.ts';

/** Numbers derived from timestamps turned out wrong; plain counting must take over. Never leaves this room. */
export class NumberingLost extends Error {}

/** A packet with the number of the frame it becomes. */
export interface NumberedPacket {
  /** Belongs to whoever took it from the queue. */
  readonly packet: Packet;
  readonly pts: bigint;
  /** Place among the shown frames, or null for a packet that an edit list hides. */
  frameIndex: number | null;
  isHidden: boolean;
}

/** Reads ahead and hands packets out in decoding order; belongs to the caller, who must dispose of it. */
export class PacketQueue {
  readonly #video: OpenVideo;
  /** Called once per shown frame, in presentation order. */
  readonly #onNumbered: (packet: NumberedPacket) => void;
  /** In decoding order. */
  readonly #pending: NumberedPacket[] = [];
  /** Not yet numbered, by presentation time. */
  readonly #waiting: NumberedPacket[] = [];
  #lastDts: bigint | null = null;
  #lastPts: bigint | null = null;
  #startPts: bigint | null = null;
  #count = 0;
  #isAtEnd = false;

  constructor(video: OpenVideo, onNumbered: (packet: NumberedPacket) => void) {
    this.#video = video;
    this.#onNumbered = onNumbered;
  }

  /** Frames numbered so far; after the end, the number of frames of the video. */
  get count(): number {
    return this.#count;
  }

  /** The next packet in decoding order, numbered; null at the end. */
  next(): NumberedPacket | null {
    while (!this.#isAtEnd && !this.#isReady(this.#pending[0])) this.#read();
    return this.#pending.shift() ?? null;
  }

  [Symbol.dispose](): void {
    for (const { packet } of this.#pending.splice(0)) packet.free();
  }

  #isReady(head: NumberedPacket | undefined): boolean {
    return head !== undefined && (head.isHidden || head.frameIndex !== null);
  }

  #read(): void {
    if (!this.#video.readPacket()) {
      this.#isAtEnd = true;
      this.#number(null);
      return;
    }
    const { packet } = this.#video;
    const { pts, dts } = packet;
    // Matroska does not store decoding times; FFmpeg makes them up from the third packet or so on.
    const hasDts = dts !== AV_NOPTS_VALUE;
    if (pts === AV_NOPTS_VALUE || (!hasDts && this.#lastDts !== null))
      throw new NumberingLost('no timestamp');
    if (hasDts && pts < dts) throw new NumberingLost('shown before decoded');
    if (hasDts && this.#lastDts !== null && dts <= this.#lastDts)
      throw new NumberingLost('decoding time runs back');
    if (hasDts) this.#lastDts = dts;
    this.#startPts ??= pts;
    const own = packet.clone();
    packet.unref();
    if (own === null) throw new NumberingLost('no memory for a packet');
    const isHidden = (own.flags & AV_PKT_FLAG_DISCARD) !== 0 || own.size === 0;
    const numbered: NumberedPacket = { packet: own, pts, frameIndex: null, isHidden };
    this.#pending.push(numbered);
    if (!isHidden && pts < this.#startPts) throw new NumberingLost('shown before the first packet');
    if (!isHidden) this.#insert(numbered);
    if (hasDts) this.#number(dts);
  }

  #insert(numbered: NumberedPacket): void {
    let place = this.#waiting.length;
    while (place > 0 && (this.#waiting[place - 1]?.pts ?? numbered.pts) > numbered.pts) place--;
    if (this.#waiting[place - 1]?.pts === numbered.pts)
      throw new NumberingLost('two frames at one time');
    this.#waiting.splice(place, 0, numbered);
  }

  /** Numbers all that are shown at or before a decoding time; null means all. */
  #number(dts: bigint | null): void {
    for (let head = this.#waiting[0]; head !== undefined; head = this.#waiting[0]) {
      if (dts !== null && head.pts > dts) return;
      if (this.#lastPts !== null && head.pts <= this.#lastPts)
        throw new NumberingLost('time runs back');
      this.#lastPts = head.pts;
      this.#waiting.shift();
      head.frameIndex = this.#count++;
      this.#onNumbered(head);
    }
  }
}
