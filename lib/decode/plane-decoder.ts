/** JPEG files to planes of brightness and colour, through FFmpeg. */

import {
  AV_CODEC_ID_MJPEG,
  AV_FRAME_FLAG_CORRUPT,
  AV_PIX_FMT_GRAY8,
  AV_PIX_FMT_YUVJ420P,
  AV_PIX_FMT_YUVJ422P,
  AV_PIX_FMT_YUVJ444P,
} from 'node-av/constants';
import { Codec, CodecContext, Frame, Packet } from 'node-av/lib';
import { TubeletError, messageText } from '../core/index.ts';
import { check, silence } from './ffmpeg.ts';
import { CODE_TABLES, damagedPicture } from './jpeg-form.ts';
import type { JpegForm } from './jpeg-form.ts';

/** Whether colour planes have half the samples per row and half the rows. */
interface ColourLayout {
  readonly halfWidth: 0 | 1;
  readonly halfHeight: 0 | 1;
}

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

const LAYOUTS: ReadonlyMap<number, ColourLayout | null> = new Map([
  [AV_PIX_FMT_GRAY8, null],
  [AV_PIX_FMT_YUVJ444P, { halfWidth: 0, halfHeight: 0 }],
  [AV_PIX_FMT_YUVJ422P, { halfWidth: 1, halfHeight: 0 }],
  [AV_PIX_FMT_YUVJ420P, { halfWidth: 1, halfHeight: 1 }],
]);

const START_OF_IMAGE = [0xff, 0xd8] as const;

/** Memory of FFmpeg that stays, and one view of it: a view a picture would keep the garbage collector busy. */
interface Store {
  readonly frame: Frame;
  readonly planes: Planes;
}

/** Belongs to the caller, who must dispose of it. */
export class PlaneDecoder {
  readonly #packet = new Packet();
  readonly #decoded = new Frame();
  #context: CodecContext | null = null;
  #store: Store | null = null;
  /** The code tables that the context has, if known. */
  #codeTables: readonly Buffer[] | null = null;

  constructor() {
    silence();
    this.#packet.alloc();
    this.#decoded.alloc();
  }

  /**
   * Decodes the upper `numRows` rows of a picture, or some more. Overwrites the header of `file` with a shorter one.
   *
   * @throws {TubeletError} `TUBE_SAMPLE_DAMAGED` if FFmpeg cannot decode it or it has an unusual number of colour samples
   */
  decode(file: Buffer, form: JpegForm, numRows: number): Planes {
    try {
      const context = (this.#context ??= openContext());
      const height = form.isSingleScan ? wholeBlocks(form, numRows) : form.height;
      this.#packet.data = this.#shorten(file, form, height);
      check(context.sendPacketSync(this.#packet), 'decode JPEG');
      check(context.receiveFrameSync(this.#decoded), 'decode JPEG');
      const { width, height: found, decodeErrorFlags, flags } = this.#decoded;
      const isWhole = decodeErrorFlags === 0 && (flags & AV_FRAME_FLAG_CORRUPT) === 0;
      if (width !== form.width || found !== height || !isWhole) {
        throw damagedPicture(file.length, 'decoded in part');
      }
      return this.#keep(file.length);
    } catch (error) {
      this.#forgetContext();
      if (error instanceof TubeletError) throw error;
      throw damagedPicture(file.length, messageText(error), error);
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
  #shorten(file: Buffer, form: JpegForm, height: number): Buffer {
    const hasTables = form.isSingleScan && this.#hasTables(file, form.segments);
    // Later scans may bring tables of their own.
    if (!form.isSingleScan) this.#codeTables = null;
    file.writeUInt16BE(height, form.heightAt);
    let start = form.scanAt;
    for (const { marker, from, to } of form.segments.toReversed()) {
      if (hasTables && marker === CODE_TABLES) continue;
      start -= to - from;
      file.copyWithin(start, from, to);
    }
    start -= START_OF_IMAGE.length;
    file.set(START_OF_IMAGE, start);
    return file.subarray(start, form.endsAt);
  }

  /** Whether the code tables of a file are those of the picture before; remembers them if not. */
  #hasTables(file: Buffer, segments: JpegForm['segments']): boolean {
    const tables = segments.filter(({ marker }) => marker === CODE_TABLES);
    const known = this.#codeTables;
    if (
      known?.length === tables.length &&
      tables.every(({ from, to }, i) => known[i]?.compare(file, from, to) === 0)
    ) {
      return true;
    }
    this.#codeTables = tables.map(({ from, to }) => Buffer.from(file.subarray(from, to)));
    return false;
  }

  #keep(numBytes: number): Planes {
    const { width, height, format } = this.#decoded;
    let store = this.#store;
    if (
      store?.frame.format !== format ||
      store.planes.width !== width ||
      store.planes.height !== height
    ) {
      store?.frame.free();
      this.#store = null;
      store = openStore(this.#decoded, numBytes);
      this.#store = store;
    }
    check(store.frame.copy(this.#decoded), 'copy planes');
    return store.planes;
  }

  /** After an error nobody knows what state the context is in. */
  #forgetContext(): void {
    this.#context?.freeContext();
    this.#context = null;
    this.#codeTables = null;
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

function openStore({ width, height, format }: Frame, numBytes: number): Store {
  const layout = LAYOUTS.get(format);
  if (layout === undefined) throw damagedPicture(numBytes, 'colour sampling is not supported');
  const frame = new Frame();
  frame.alloc();
  frame.width = width;
  frame.height = height;
  frame.format = format;
  try {
    check(frame.getBuffer(1), 'allocate planes');
    const { data, linesize: strides } = frame;
    if (data === null) throw new TubeletError('TUBE_INTERNAL', { message: 'no planes' });
    return { frame, planes: { width, height, data, strides, layout } };
  } catch (error) {
    frame.free();
    throw error;
  }
}

function wholeBlocks({ height, rowsPerBlock }: JpegForm, numRows: number): number {
  return Math.min(height, Math.ceil(numRows / rowsPerBlock) * rowsPerBlock);
}
