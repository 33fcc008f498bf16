/** JPEG through FFmpeg's decoder and a filter graph that crops, scales and makes RGB: the fastest way with node-av alone. */

import { AV_CODEC_ID_MJPEG, AV_PIX_FMT_RGB24 } from 'node-av/constants';
import { Codec, CodecContext, Frame, Packet, avImageCopyToBuffer } from 'node-av/lib';
import { check, silence } from '../../../lib/decode/ffmpeg.ts';
import type { Crop, Size } from '../../../lib/decode/index.ts';
import { PixelGraph } from '../../../lib/decode/pixel-graph.ts';

/** Lives as long as its thread. */
export class MjpegDecoder {
  readonly #context = openContext();
  readonly #packet = new Packet();
  readonly #decoded = new Frame();
  readonly #scaled = new Frame();
  #graph: { readonly key: string; readonly graph: PixelGraph } | null = null;

  constructor() {
    silence();
    this.#packet.alloc();
    this.#decoded.alloc();
    this.#scaled.alloc();
  }

  /** Fills `out` with uint8 RGB of `size`. A graph is kept for as long as the crop stays. */
  decode(jpeg: Uint8Array, crop: Crop, size: Size, out: Uint8Array): void {
    this.#packet.data = Buffer.from(jpeg); // FFmpeg takes no shared memory
    check(this.#context.sendPacketSync(this.#packet), 'decode JPEG');
    check(this.#context.receiveFrameSync(this.#decoded), 'decode JPEG');
    this.#packet.unref();
    this.#graphFor(crop, size).run(this.#decoded, this.#scaled);
    const { data, linesize } = this.#scaled;
    const target = Buffer.from(out.buffer, out.byteOffset, out.length);
    const { width, height } = size;
    const source = { data: data ?? [], linesizes: linesize };
    const code = avImageCopyToBuffer(
      target,
      out.length,
      source.data,
      source.linesizes,
      AV_PIX_FMT_RGB24,
      width,
      height,
      1,
    );
    check(code, 'copy pixels');
    this.#scaled.unref();
    this.#decoded.unref();
  }

  #graphFor(crop: Crop, { width, height }: Size): PixelGraph {
    const cut = `crop=${crop.width}:${crop.height}:${crop.left}:${crop.top}:exact=1`;
    const scale = 'scale=flags=bilinear';
    const chain = `${cut},scale=${width}:${height}:flags=bilinear,format=gbrp,${scale},format=rgb24`;
    const key = `${chain} ${this.#decoded.width}x${this.#decoded.height}`;
    if (this.#graph?.key === key && this.#graph.graph.fits(this.#decoded)) return this.#graph.graph;
    this.#graph?.graph[Symbol.dispose]();
    this.#graph = { key, graph: new PixelGraph(this.#decoded, chain) };
    return this.#graph.graph;
  }
}

function openContext(): CodecContext {
  const codec = Codec.findDecoder(AV_CODEC_ID_MJPEG);
  if (codec === null) throw new Error('bench: no JPEG decoder');
  const context = new CodecContext();
  context.allocContext3(codec);
  context.threadCount = 1;
  check(context.open2Sync(codec, null), 'open JPEG decoder');
  return context;
}
