/**
 * Reads wanted frames of a video file, in presentation order, numbered as ffprobe counts them.
 *
 * Tries the cheap ways first and falls back to plain counting as soon as one of them is in doubt; frames already handed out are
 * not repeated, and the numbers stay true.
 */

import { setImmediate } from 'node:timers/promises';
import { TubeletError, messageText } from '../core/index.ts';
import { countFrames, dropFrames, seekFrames } from './decode-frames.ts';
import type { DecodedFrame, FrameChooser } from './decode-frames.ts';
import { emptyTally } from './decoder.ts';
import type { DecodeTally } from './decoder.ts';
import { checkFileForm } from './file-form.ts';
import { FrameConverter } from './frame-converter.ts';
import type { PictureFacts, PixelFormat, Size, SizeChooser } from './frame-converter.ts';
import { scanFrames } from './frame-index.ts';
import type { FrameIndex } from './frame-index.ts';
import { NumberingLost } from './packet-queue.ts';
import { openVideo } from './open-video.ts';
import type { OpenVideo } from './open-video.ts';
import type { VideoInfo } from './video-info.ts';
import { warningsOf } from './warnings.ts';
import type { VideoWarning } from './warnings.ts';

/** A frame as pixels. */
export interface VideoFrame {
  /** Number of the frame among the video's decoded frames, in presentation order, from 0. */
  readonly frameIndex: number;
  /** Presentation time in seconds, on the time line of the container. */
  readonly ptsSeconds: number;
  readonly width: number;
  readonly height: number;
  /** RGB `[height, width, 3]`, or the bytes of a JPEG file. Belongs to the receiver. */
  readonly data: Uint8Array;
}

/** Which frames of a video are wanted, and as what. */
export interface ReadOptions {
  /** Makes the chooser of wanted frames; made anew when the video has to be read again. Default: all frames. */
  readonly createChooser?: () => FrameChooser;
  /** Nothing before this frame or time is wanted, so that the reader may jump there. Seconds count from the first frame. */
  readonly notBefore?: { readonly frameIndex: number } | { readonly seconds: number };
  /** Default: the size as displayed. */
  readonly chooseSize?: SizeChooser;
  /** Default: `{ kind: 'rgb' }`. */
  readonly format?: PixelFormat;
  /** Gives the memory for the next RGB frame. Default: fresh memory. */
  readonly allocate?: (numBytes: number) => Uint8Array;
  readonly maxPixels?: number;
  /** `auto` leaves out what nobody needs where that is safe; `count` decodes everything. Default: `auto`. */
  readonly method?: 'auto' | 'count';
  readonly signal?: AbortSignal;
  /** Called now and then with the packets read and frames numbered in the present pass: the number changes while work goes on. */
  readonly onProgress?: (done: number) => void;
}

/** What reading a video to the end of what was wanted brought to light. */
export interface VideoReport {
  /** Facts of the file; width and height as displayed. */
  readonly info: VideoInfo;
  /** Number of frames of the video, or null if reading stopped before the end. */
  readonly numFrames: number | null;
  readonly warnings: readonly VideoWarning[];
}

/** Frames closer to the start than this are reached as fast by decoding as by jumping. */
const JUMP_FRAMES = 24;

/** Milliseconds of work between two turns of the event loop. */
export const TURN_MS = 50;

/** Reads one video file; a reader is for one pass. */
export class VideoReader {
  readonly #file: string | Buffer;
  readonly #options: ReadOptions;
  #report: VideoReport | null = null;

  constructor(file: string | Buffer, options: ReadOptions = {}) {
    this.#file = file;
    this.#options = options;
  }

  /** What was found, once {@link frames} has ended. */
  get report(): VideoReport {
    if (this.#report === null) {
      throw new TubeletError('TUBE_INTERNAL', {
        message: 'report asked for before the last frame',
      });
    }
    return this.#report;
  }

  /**
   * Yields the wanted frames in order. Leaving the loop early closes everything.
   *
   * @throws {TubeletError} the codes of opening a video; TUBE_NO_FRAMES if nothing decodes, TUBE_EMPTY_SPAN if frames decode but
   *   none is wanted
   */
  async *frames(): AsyncGenerator<VideoFrame, void, undefined> {
    await setImmediate(); // what earlier videos left is only let go of when the event loop turns
    const { chooseSize = sameSize, format = { kind: 'rgb' }, signal } = this.#options;
    using converter = new FrameConverter(
      chooseSize,
      format,
      this.#options.allocate ?? allocateFresh,
    );
    let lastYielded = -1;
    let turnAt = performance.now() + TURN_MS;
    for (const pass of this.#passes()) {
      signal?.throwIfAborted();
      using video = openVideo(this.#file, this.#options.maxPixels);
      const tally = emptyTally();
      try {
        for (const decoded of pass(video, this.#chooser(), tally)) {
          signal?.throwIfAborted();
          if (performance.now() > turnAt) {
            this.#options.onProgress?.(video.packetsRead + tally.numFrames);
            await setImmediate();
            turnAt = performance.now() + TURN_MS;
          }
          if (decoded === null || decoded.frameIndex <= lastYielded) continue;
          lastYielded = decoded.frameIndex;
          yield this.#convert(converter, decoded);
        }
        this.#finish(video, tally, { facts: converter.facts, hasFrames: lastYielded >= 0 });
        return;
      } catch (error) {
        if (!(error instanceof NumberingLost)) throw error;
      }
    }
  }

  #chooser(): FrameChooser {
    return this.#options.createChooser?.() ?? takeAll;
  }

  /** The ways to try, cheapest first. */
  #passes(): Pass[] {
    const passes: Pass[] = [];
    const { notBefore, createChooser, method = 'auto' } = this.#options;
    if (method === 'count') return [countFrames];
    if (notBefore !== undefined && isFarIn(notBefore)) {
      passes.push(function* jump(video, choose, tally) {
        const index = yield* scanFrames(video);
        const target = index === null ? 0 : targetFrame(index, notBefore, video);
        const keyFrame = index?.keyFrames.findLast(({ frameIndex }) => frameIndex <= target);
        if (index === null || keyFrame === undefined || keyFrame.frameIndex < JUMP_FRAMES) {
          throw new NumberingLost('no jump worth it');
        }
        // The scan has read to the end of the file; the jump brings it back.
        yield* seekFrames(video, choose, tally, { index, target });
      });
    }
    if (createChooser !== undefined) passes.push(dropFrames);
    passes.push(countFrames);
    return passes;
  }

  #convert(converter: FrameConverter, { frame, frameIndex, ptsSeconds }: DecodedFrame): VideoFrame {
    try {
      const data = converter.convert(frame);
      return { frameIndex, ptsSeconds, ...sizeOf(converter.outputSize), data };
    } catch (error) {
      if (error instanceof TubeletError || error instanceof RangeError) throw error;
      const message = `frame ${frameIndex} cannot be converted: ${messageText(error)}`;
      throw new TubeletError('TUBE_NO_FRAMES', { message }, { cause: error });
    }
  }

  #finish(
    video: OpenVideo,
    tally: DecodeTally,
    { facts, hasFrames }: { readonly facts: PictureFacts | null; readonly hasFrames: boolean },
  ): void {
    if (!hasFrames) {
      if (tally.numFrames === 0) {
        throw new TubeletError('TUBE_NO_FRAMES', { badPackets: tally.badPackets });
      }
      throw new TubeletError('TUBE_EMPTY_SPAN', { framesSeen: tally.numFrames });
    }
    this.#report = {
      info: { ...video.info, ...(facts === null ? {} : facts.displayed) },
      numFrames: tally.reachedEnd ? tally.numFrames : null,
      warnings: [
        ...warningsOf(video.info, tally, facts),
        ...checkFileForm(this.#file, video.info.container),
      ],
    };
  }
}

type Pass = (
  video: OpenVideo,
  choose: FrameChooser,
  tally: DecodeTally,
) => Generator<DecodedFrame | null>;

function isFarIn(notBefore: NonNullable<ReadOptions['notBefore']>): boolean {
  return 'seconds' in notBefore ? notBefore.seconds > 1 : notBefore.frameIndex > JUMP_FRAMES;
}

function targetFrame(
  { pts }: FrameIndex,
  notBefore: NonNullable<ReadOptions['notBefore']>,
  video: OpenVideo,
): number {
  if ('frameIndex' in notBefore) return notBefore.frameIndex;
  const first = pts[0] ?? 0n;
  const found = pts.findIndex((time) => video.secondsOf(time - first) >= notBefore.seconds);
  return found < 0 ? pts.length - 1 : found;
}

function takeAll(): 'take' {
  return 'take';
}

function sameSize(displayed: Size): Size {
  return displayed;
}

function sizeOf({ width, height }: Size): Size {
  return { width, height };
}

function allocateFresh(numBytes: number): Uint8Array {
  return new Uint8Array(numBytes);
}
