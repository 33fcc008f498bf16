/** JPEG files of kinds that `scan-decoder.ts` does not know to planes of brightness and colour, through FFmpeg. */

import {
  AV_CODEC_ID_MJPEG,
  AV_FRAME_FLAG_CORRUPT,
  AV_PIX_FMT_GRAY8,
  AV_PIX_FMT_YUVJ420P,
  AV_PIX_FMT_YUVJ422P,
  AV_PIX_FMT_YUVJ444P,
} from 'node-av/constants';
import type { AVPixelFormat } from 'node-av/constants';
import { Codec, CodecContext, FFmpegError, Frame, Packet } from 'node-av/lib';
import { TubeletError } from '../core/index.ts';
import { check, silence } from './ffmpeg.ts';
import type { JpegForm } from './jpeg-form.ts';
import { MARKERS, damagedPicture } from './jpeg-header.ts';
import type { ColourLayout, JpegHeader } from './jpeg-header.ts';

/** A decoded picture in memory of FFmpeg; valid until the next one. */
export interface Planes {
  readonly width: number;
  readonly height: number;
  /** Brightness, and unless the picture is grey, Cb and Cr. */
  readonly data: readonly Uint8Array[];
  /** Bytes from row to row of each plane. */
  readonly strides: readonly number[];
  /** Null for a grey picture. */
  readonly layout: ColourLayout | null;
}

const START_OF_IMAGE = [0xff, MARKERS.start] as const;

/** Memory of FFmpeg that stays, and one view of it: a view per picture would keep the garbage collector busy. */
interface Store extends Planes {
  readonly frame: Frame;
  readonly format: AVPixelFormat;
}

/** Belongs to the caller, who must dispose of it. */
export class PlaneDecoder {
  readonly #packet = new Packet();
  readonly #decoded = new Frame();
  #context: CodecContext | null = null;
  #store: Store | null = null;
  /** The header with the code tables that the context has. */
  #header: JpegHeader | null = null;

  constructor() {
    silence();
    this.#packet.alloc();
    this.#decoded.alloc();
  }

  /**
   * Decodes the upper `numRows` rows of a picture, or some more. Overwrites the header of `file` with a shorter one.
   *
   * @throws {TubeletError} `TUBE_SAMPLE_DAMAGED` if FFmpeg cannot decode it
   */
  decode(file: Buffer, form: JpegForm, numRows: number): Planes {
    // What tables and scans a longer file has is not known: it gets a context of its own.
    if (!form.isSingleScan) this.#forgetContext();
    const height = form.isSingleScan ? wholeBlocks(form.header, numRows) : form.header.height;
    try {
      const context = (this.#context ??= openContext());
      this.#packet.data = this.#shorten(file, form, height);
      check(context.sendPacketSync(this.#packet), 'decode JPEG');
      check(context.receiveFrameSync(this.#decoded), 'decode JPEG');
      const planes = this.#keep({ ...form.header, height });
      if (!form.isSingleScan) this.#forgetContext();
      return planes;
    } catch (error) {
      this.#forgetContext();
      throw error instanceof FFmpegError
        ? damagedPicture(file.length, error.message, error)
        : error;
    } finally {
      this.#packet.unref();
      this.#decoded.unref();
    }
  }

  [Symbol.dispose](): void {
    this.#forgetContext();
    this.#store?.frame.free();
    this.#store = null;
    this.#decoded.free();
    this.#packet.free();
  }

  /**
   * Leaves out of a file what FFmpeg need not see: comments; code tables that it still has from the picture before (building
   * them takes 4 % of the time); and, by stating a smaller height, rows that nobody wants.
   */
  #shorten(file: Buffer, { header, numBytes }: JpegForm, height: number): Buffer {
    const hasTables = this.#hasTables(header);
    file.writeUInt16BE(height, header.heightAt);
    let start = header.scanAt;
    for (const { marker, from, to } of header.segments.toReversed()) {
      if (hasTables && marker === MARKERS.codeTables) continue;
      start -= to - from;
      file.copyWithin(start, from, to);
    }
    start -= START_OF_IMAGE.length;
    file.set(START_OF_IMAGE, start);
    return file.subarray(start, numBytes);
  }

  /** Whether the context has the code tables of a header, which it will have from now on. */
  #hasTables(header: JpegHeader): boolean {
    const last = this.#header;
    this.#header = header;
    if (last === null || last === header) return last !== null;
    const [before, now] = [codeTables(last), codeTables(header)];
    return before.length === now.length && now.every((table, i) => before[i]?.equals(table));
  }

  /** Copies the decoded picture into memory that stays. */
  #keep({ width, height, layout }: Pick<JpegHeader, 'width' | 'height' | 'layout'>): Planes {
    const decoded = this.#decoded;
    const format = formatOf(layout);
    const isWhole = decoded.decodeErrorFlags === 0 && (decoded.flags & AV_FRAME_FLAG_CORRUPT) === 0;
    const isAsStated =
      decoded.width === width && decoded.height === height && decoded.format === format;
    if (!isWhole || !isAsStated) throw damagedPicture(this.#packet.size, 'decoded in part');
    let store = this.#store;
    const fits = store?.format === format && store.width === width && store.height === height;
    if (store === null || !fits) {
      store?.frame.free();
      this.#store = null;
      store = openStore({ width, height, format, layout });
      this.#store = store;
    }
    check(store.frame.copy(decoded), 'copy planes');
    return store;
  }

  /** After an error nobody knows what state the context is in. */
  #forgetContext(): void {
    this.#context?.freeContext();
    this.#context = null;
    this.#header = null;
  }
}

function openContext(): CodecContext {
  const codec = Codec.findDecoder(AV_CODEC_ID_MJPEG);
  if (codec === null) throw new TubeletError('TUBE_INTERNAL', { message: 'no JPEG decoder' });
  const context = new CodecContext();
  try {
    context.allocContext3(codec);
    context.threadCount = 1;
    check(context.setOption('err_detect', 'explode'), 'set strictness');
    // A tenth faster than FFmpeg's choice and nearer to the exact transform; only fast where it is written for the processor.
    if (process.arch === 'x64') check(context.setOption('idct', 'xvid'), 'set transform');
    check(context.open2Sync(codec, null), 'open JPEG decoder');
    return context;
  } catch (error) {
    context.freeContext();
    throw error;
  }
}

function formatOf(layout: ColourLayout | null): AVPixelFormat {
  if (layout === null) return AV_PIX_FMT_GRAY8;
  if (layout.halfWidth === 0) return AV_PIX_FMT_YUVJ444P;
  return layout.halfHeight === 0 ? AV_PIX_FMT_YUVJ422P : AV_PIX_FMT_YUVJ420P;
}

function openStore(form: Pick<Store, 'width' | 'height' | 'format' | 'layout'>): Store {
  const frame = new Frame();
  frame.alloc();
  frame.width = form.width;
  frame.height = form.height;
  frame.format = form.format;
  try {
    check(frame.getBuffer(1), 'allocate planes');
    const { data, linesize: strides } = frame;
    if (data === null) throw new TubeletError('TUBE_INTERNAL', { message: 'no planes' });
    return { ...form, frame, data, strides };
  } catch (error) {
    frame.free();
    throw error;
  }
}

function wholeBlocks({ height, rowsPerBlock }: JpegHeader, numRows: number): number {
  return Math.min(height, Math.ceil(numRows / rowsPerBlock) * rowsPerBlock);
}

function codeTables({ segments, bytes }: JpegHeader): Buffer[] {
  const tables = segments.filter(({ marker }) => marker === MARKERS.codeTables);
  return tables.map(({ from, to }) => bytes.subarray(from, to));
}
