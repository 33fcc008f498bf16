/** RGB frames to a small video file: for demonstrations and tests, in the containers and codecs that data sets come in. */

import { resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import {
  AV_CODEC_FLAG_BITEXACT,
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_PIX_FMT_RGB24,
  AV_PIX_FMT_YUV420P,
  AVFMT_FLAG_BITEXACT,
  AVERROR_ENOSPC,
  AVFMT_GLOBALHEADER,
} from 'node-av/constants';
import type { FFEncoderCodec } from 'node-av/constants';
import {
  Codec,
  CodecContext,
  FFmpegError,
  FormatContext,
  Frame,
  Packet,
  Rational,
} from 'node-av/lib';
import type { Stream } from 'node-av/lib';
import { TubeletError, checkInteger, checkOneOf, messageText } from '../core/index.ts';
import { check, silence } from './ffmpeg.ts';
import { PixelGraph, SCALER } from './pixel-graph.ts';

/** Codecs that can be written. */
export type VideoCodec = 'h264' | 'mpeg4' | 'vp8';

/** Form of a video file; the container follows from the extension of its name. */
export interface VideoForm {
  /** Width and height in pixels; even for `h264`. */
  readonly width: number;
  readonly height: number;
  /** Frames per second, an integer. */
  readonly fps: number;
  readonly codec: VideoCodec;
}

/** On x86, x264's routines for AVX-512 gave other bytes from run to run for four in ten small videos; those for SSE4.2 give the same, as fast. */
const X264_ROUTINES: Readonly<Record<string, string>> =
  process.arch === 'x64' ? { 'x264-params': 'asm=SSE4.2' } : {};

const ENCODERS: Readonly<Record<VideoCodec, Readonly<Record<string, string>>>> = {
  h264: { encoder: 'libx264', preset: 'veryfast', crf: '20', ...X264_ROUTINES },
  mpeg4: { encoder: 'mpeg4', b: '900000' },
  vp8: { encoder: 'libvpx', b: '900000', deadline: 'realtime', 'cpu-used': '8' },
};

/**
 * Writes frames `[height, width, 3]` RGB, 8 bits, to a new video file. The same frames give the same bytes.
 *
 * @throws {TubeletError} TUBE_OUT_NOT_WRITABLE, TUBE_DISK_FULL
 * @throws {RangeError} if the form is none that can be written, or a frame has another size
 */
export async function writeVideo(
  path: string,
  frames: Iterable<Uint8Array>,
  form: VideoForm,
): Promise<void> {
  silence();
  checkInteger('width', form.width, { min: 2 });
  checkInteger('height', form.height, { min: 2 });
  checkInteger('fps', form.fps, { min: 1, max: 240 });
  checkOneOf('codec', form.codec, Object.keys(ENCODERS) as VideoCodec[]);
  if (form.codec === 'h264' && (form.width % 2 !== 0 || form.height % 2 !== 0)) {
    throw new RangeError(`h264 needs even sides (got ${form.width} x ${form.height}).`);
  }
  const numBytes = form.width * form.height * 3;
  using writer = writing(path, () => new VideoWriter(path, form));
  for (const frame of frames) {
    if (frame.length !== numBytes) {
      throw new RangeError(`a frame must hold ${numBytes} bytes (got ${frame.length}).`);
    }
    writing(path, () => writer.write(frame));
  }
  writing(path, () => writer.finish());
  await setImmediate(); // native objects are only let go of when the event loop turns
}

/** Gives what FFmpeg says against writing a file its code. */
function writing<T>(path: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (error instanceof TubeletError) throw error;
    const isFull = error instanceof FFmpegError && error.code === AVERROR_ENOSPC;
    const details = { path, message: messageText(error) };
    throw new TubeletError(isFull ? 'TUBE_DISK_FULL' : 'TUBE_OUT_NOT_WRITABLE', details, {
      cause: error,
    });
  }
}

/** One file being written. */
class VideoWriter {
  readonly #form: VideoForm;
  readonly #format = new FormatContext();
  readonly #encoder = new CodecContext();
  readonly #packet = new Packet();
  readonly #picture = new Frame();
  readonly #stream: Stream;
  #graph: PixelGraph | null = null;
  #count = 0n;

  constructor(path: string, form: VideoForm) {
    this.#form = form;
    this.#packet.alloc();
    this.#picture.alloc();
    try {
      check(this.#format.allocOutputContext2(null, null, resolve(path)), 'choose container');
      this.#format.setFlags(AVFMT_FLAG_BITEXACT);
      this.#openEncoder();
      this.#stream = this.#format.newStream();
      check(this.#stream.codecpar.fromContext(this.#encoder), 'copy codec parameters');
      this.#stream.timeBase = this.#encoder.timeBase;
      this.#stream.avgFrameRate = new Rational(form.fps, 1);
      check(this.#format.openOutputSync(), 'create file');
      check(this.#format.writeHeaderSync(null), 'write header');
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  write(pixels: Uint8Array): void {
    const { width, height, fps } = this.#form;
    const view = Buffer.from(pixels.buffer, pixels.byteOffset, pixels.byteLength);
    const format = AV_PIX_FMT_RGB24;
    const frame = Frame.fromVideoBuffer(view, {
      width,
      height,
      format,
      timeBase: { num: 1, den: fps },
    });
    try {
      const filters = `scale=${SCALER}:out_color_matrix=bt601:out_range=tv,format=yuv420p`;
      this.#graph ??= new PixelGraph(frame, filters);
      this.#graph.run(frame, this.#picture);
    } finally {
      frame.free();
    }
    this.#picture.pts = this.#count++;
    check(this.#encoder.sendFrameSync(this.#picture), 'encode frame');
    this.#picture.unref();
    this.#drain();
  }

  finish(): void {
    check(this.#encoder.sendFrameSync(null), 'finish encoding');
    this.#drain();
    check(this.#format.writeTrailerSync(), 'write trailer');
  }

  [Symbol.dispose](): void {
    this.#graph?.[Symbol.dispose]();
    this.#picture.free();
    this.#packet.free();
    this.#encoder.freeContext();
    this.#format.closeOutputSync();
    this.#format.freeContext();
  }

  #openEncoder(): void {
    const { width, height, fps, codec } = this.#form;
    const { encoder, ...options } = ENCODERS[codec];
    const found = Codec.findEncoderByName(encoder as FFEncoderCodec);
    if (found === null) throw new TubeletError('TUBE_INTERNAL', { message: `no encoder ${codec}` });
    this.#encoder.allocContext3(found);
    this.#encoder.width = width;
    this.#encoder.height = height;
    this.#encoder.pixelFormat = AV_PIX_FMT_YUV420P;
    this.#encoder.timeBase = new Rational(1, fps);
    this.#encoder.framerate = new Rational(fps, 1);
    this.#encoder.gopSize = 250;
    this.#encoder.threadCount = 1;
    this.#encoder.setFlags(AV_CODEC_FLAG_BITEXACT);
    if (this.#format.oformat?.hasFlags(AVFMT_GLOBALHEADER) === true) {
      this.#encoder.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
    }
    for (const [name, value] of Object.entries(options)) this.#encoder.setOption(name, value);
    check(this.#encoder.open2Sync(found, null), 'open encoder');
  }

  #drain(): void {
    while (this.#encoder.receivePacketSync(this.#packet) >= 0) {
      this.#packet.streamIndex = this.#stream.index;
      this.#packet.rescaleTs(this.#encoder.timeBase, this.#stream.timeBase);
      check(this.#format.interleavedWriteFrameSync(this.#packet), 'write packet');
      this.#packet.unref();
    }
  }
}
