/** JPEG frames of one clip to RGB, cropped and scaled on the way: a sixth of the cost of decoding and resizing separately. */

import { AV_CODEC_ID_MJPEG, AV_PIX_FMT_RGB24, AVERROR_EAGAIN } from 'node-av/constants';
import { avImageCopyToBuffer, Codec, CodecContext, Frame, Packet } from 'node-av/lib';
import { TubeletError, messageText } from '../core/index.ts';
import { check, silence } from './ffmpeg.ts';
import type { Size } from './frame-converter.ts';
import { PixelGraph } from './pixel-graph.ts';
import type { Crop } from './pixel-graph.ts';

/** What becomes of every frame of a clip. */
export interface JpegTarget extends Size {
  /** The part of the stored frame that is scaled to the size; default all of it. */
  readonly crop?: Crop;
}

/** Scaler for training pixels: bilinear, widened when shrinking, exact arithmetic. */
const SCALER = 'flags=bilinear+accurate_rnd+full_chroma_int+bitexact';

/** Decodes one JPEG after the other; belongs to the caller, who must dispose of it. Use it in one thread only. */
export class JpegDecoder {
  readonly #context: CodecContext;
  readonly #packet = new Packet();
  readonly #decoded = new Frame();
  readonly #scaled = new Frame();
  #graph: PixelGraph | null = null;
  #chain = '';

  constructor() {
    silence();
    const codec = Codec.findDecoder(AV_CODEC_ID_MJPEG);
    if (codec === null) throw new TubeletError('TUBE_INTERNAL', { message: 'no JPEG decoder' });
    this.#context = new CodecContext();
    this.#context.allocContext3(codec);
    this.#context.threadCount = 1;
    try {
      check(this.#context.open2Sync(codec, null), 'open JPEG decoder');
    } catch (error) {
      this.#context.freeContext();
      throw error;
    }
    this.#packet.alloc();
    this.#decoded.alloc();
    this.#scaled.alloc();
  }

  /**
   * Decodes one JPEG file into `out`, uint8 RGB `[height, width, 3]`.
   *
   * @throws {TubeletError} TUBE_SAMPLE_DAMAGED if the bytes are no whole JPEG
   * @throws {RangeError} if `out` has another size than the target
   */
  decode(jpeg: Uint8Array, target: JpegTarget, out: Uint8Array): void {
    const { width, height } = target;
    if (out.length !== width * height * 3) {
      throw new RangeError(`"out" must hold ${width * height * 3} bytes (got ${out.length}).`);
    }
    try {
      this.#decode(jpeg);
      this.#graphFor(target).run(this.#decoded, this.#scaled);
      const view = Buffer.from(out.buffer, out.byteOffset, out.byteLength);
      const { data, linesize } = this.#scaled;
      avImageCopyToBuffer(view, view.length, data, linesize, AV_PIX_FMT_RGB24, width, height, 1);
    } catch (error) {
      if (error instanceof TubeletError) throw error;
      const message = messageText(error);
      throw new TubeletError('TUBE_SAMPLE_DAMAGED', { format: 'jpeg', message }, { cause: error });
    } finally {
      this.#decoded.unref();
      this.#scaled.unref();
    }
  }

  [Symbol.dispose](): void {
    this.#graph?.[Symbol.dispose]();
    this.#graph = null;
    this.#packet.free();
    this.#decoded.free();
    this.#scaled.free();
    this.#context.freeContext();
  }

  #decode(jpeg: Uint8Array): void {
    this.#packet.data = Buffer.from(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength);
    check(this.#context.sendPacketSync(this.#packet), 'send JPEG');
    this.#packet.unref();
    const code = this.#context.receiveFrameSync(this.#decoded);
    if (code === AVERROR_EAGAIN) throw new TubeletError('TUBE_SAMPLE_DAMAGED', { format: 'jpeg' });
    check(code, 'decode JPEG');
    if (this.#decoded.decodeErrorFlags !== 0) {
      throw new TubeletError('TUBE_SAMPLE_DAMAGED', { format: 'jpeg', message: 'damaged data' });
    }
  }

  #graphFor({ width, height, crop }: JpegTarget): PixelGraph {
    const cut =
      crop === undefined
        ? ''
        : `crop=${crop.width}:${crop.height}:${crop.left}:${crop.top}:exact=1,`;
    const chain = `${cut}scale=${width}:${height}:${SCALER},format=gbrp,scale=${SCALER},format=rgb24`;
    if (this.#graph !== null && this.#chain === chain && this.#graph.fits(this.#decoded))
      return this.#graph;
    this.#graph?.[Symbol.dispose]();
    this.#graph = null;
    this.#graph = new PixelGraph(this.#decoded, chain);
    this.#chain = chain;
    return this.#graph;
  }
}
