/** Opens a file as a video: container, first real video stream, decoder. Every refusal is a coded error. */

import { closeSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  AV_CODEC_FLAG_BITEXACT,
  AV_DISPOSITION_ATTACHED_PIC,
  AV_DISPOSITION_STILL_IMAGE,
  AV_NOPTS_VALUE,
  AVDISCARD_ALL,
  AVMEDIA_TYPE_VIDEO,
} from 'node-av/constants';
import {
  avGetCodecName,
  Codec,
  CodecContext,
  Dictionary,
  FormatContext,
  Packet,
} from 'node-av/lib';
import type { Stream } from 'node-av/lib';
import { TubeletError } from '../core/index.ts';
import { check, errorText, silence } from './ffmpeg.ts';
import { checkFile, openFile } from './open-file.ts';
import type { VideoInfo } from './video-info.ts';

/**
 * Containers that may be opened. Playlists and scripts are left out: a text file must not make the decoder open other
 * files or addresses.
 */
const CONTAINERS =
  'mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,live_flv,asf,asf_o,gif,apng,ogg,ivf,rm,mxf,mxf_opatom,nut,dv,' +
  'gxf,wtv,nsv,roq,h264,hevc,vvc,obu,m4v,mpegvideo,mjpeg,vc1,vc1test,h263,h261,cavsvideo,yuv4mpegpipe,swf,smk,bink,flic,' +
  'film_cpk,smjpeg,filmstrip';

/** Pixels a frame may have: room for 8K, not for a damaged header that claims 12336 x 12336. */
export const DEFAULT_MAX_PIXELS: number = 8192 * 8192;

/** Pixels that a decoder may add to a row, which it counts too. */
const MAX_PADDING = 63;

/** An open video; belongs to the caller, who must close it. */
export class OpenVideo {
  readonly format: FormatContext;
  readonly stream: Stream;
  readonly decoder: CodecContext;
  readonly packet: Packet;
  readonly info: VideoInfo;
  /** Packets of the video stream read so far. */
  packetsRead = 0;
  readonly #fd: number | null;

  constructor(format: FormatContext, stream: Stream, decoder: CodecContext, fd: number | null) {
    this.format = format;
    this.stream = stream;
    this.decoder = decoder;
    this.packet = new Packet();
    this.packet.alloc();
    this.#fd = fd;
    this.info = infoOf(format, stream);
  }

  /** Reads the next packet of the video stream into `packet`; false at the end (or where the container breaks off). */
  readPacket(): boolean {
    while (this.format.readFrameSync(this.packet) >= 0) {
      if (this.packet.streamIndex === this.stream.index) {
        this.packetsRead++;
        return true;
      }
      this.packet.unref();
    }
    return false;
  }

  /** A number of ticks of the stream's time base in seconds: one rounding, so that a tenth of a second is 0.1. */
  secondsOf(ticks: bigint): number {
    const { num, den } = this.stream.timeBase;
    return (Number(ticks) * num) / den;
  }

  [Symbol.dispose](): void {
    this.packet.free();
    this.decoder.freeContext();
    this.format.closeInputSync();
    if (this.#fd !== null) closeSync(this.#fd);
  }
}

/**
 * Opens the first video stream of a file that is no attached picture: the one that `ffprobe -select_streams v:0` counts.
 *
 * @param file path as text, or as bytes where the name is not UTF-8
 * @throws {TubeletError} TUBE_FILE_NOT_FOUND, TUBE_FILE_UNREADABLE, TUBE_NOT_VIDEO, TUBE_NO_VIDEO_STREAM, TUBE_NO_DECODER,
 *   TUBE_FRAME_TOO_LARGE
 */
export function openVideo(
  file: string | Buffer,
  maxPixels: number = DEFAULT_MAX_PIXELS,
): OpenVideo {
  silence();
  checkFile(file);
  // FFmpeg takes text only, and what stands before a colon for a protocol unless the path is absolute. A name that is no UTF-8
  // is opened by us and handed over as a descriptor.
  const fd = typeof file === 'string' ? null : openFile(file);
  const format = new FormatContext();
  let decoder: CodecContext | null = null;
  try {
    openContainer(format, typeof file === 'string' ? resolve(file) : `/dev/fd/${fd}`);
    const stream = chooseStream(format);
    decoder = openDecoder(stream, maxPixels);
    return new OpenVideo(format, stream, decoder, fd);
  } catch (error) {
    decoder?.freeContext();
    format.closeInputSync();
    if (fd !== null) closeSync(fd);
    checkFile(file); // it may have vanished meanwhile, and then that is what is wrong
    throw error;
  }
}

function openContainer(format: FormatContext, url: string): void {
  const options = Dictionary.fromObject({
    protocol_whitelist: 'file',
    format_whitelist: CONTAINERS,
  });
  const code = format.openInputSync(url, null, options);
  options.free();
  if (code < 0) throw new TubeletError('TUBE_NOT_VIDEO', { message: errorText(code) });
  const probed = format.findStreamInfoSync(null);
  if (probed < 0) throw new TubeletError('TUBE_NOT_VIDEO', { message: errorText(probed) });
}

function chooseStream(format: FormatContext): Stream {
  const videos = format.streams.filter(({ codecpar }) => codecpar.codecType === AVMEDIA_TYPE_VIDEO);
  const chosen = videos.find(
    ({ disposition }) =>
      !(disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_STILL_IMAGE)),
  );
  if (chosen === undefined) {
    const message = videos.length > 0 ? 'only an attached picture' : 'no video among the streams';
    throw new TubeletError('TUBE_NO_VIDEO_STREAM', { message });
  }
  for (const stream of format.streams) {
    if (stream.index !== chosen.index) stream.discard = AVDISCARD_ALL;
  }
  return chosen;
}

function openDecoder(stream: Stream, maxPixels: number): CodecContext {
  const { codecpar } = stream;
  const name = avGetCodecName(codecpar.codecId) ?? 'unknown';
  if (codecpar.width * codecpar.height > maxPixels) {
    throw new TubeletError('TUBE_FRAME_TOO_LARGE', {
      width: codecpar.width,
      height: codecpar.height,
      maxPixels,
    });
  }
  const codec = Codec.findDecoder(codecpar.codecId);
  if (codec === null) throw new TubeletError('TUBE_NO_DECODER', { codec: name });
  const decoder = new CodecContext();
  try {
    decoder.allocContext3(codec);
    check(decoder.parametersToContext(codecpar), 'copy codec parameters');
    decoder.threadCount = 1; // one process per core uses the machine better than threads inside the codec
    decoder.pktTimebase = stream.timeBase;
    decoder.setFlags(AV_CODEC_FLAG_BITEXACT); // the same pixels on every machine
    decoder.setOption('max_pixels', maxPixels + MAX_PADDING * codecpar.height);
    const code = decoder.open2Sync(codec, null);
    if (code < 0) {
      throw new TubeletError('TUBE_NO_DECODER', { codec: name, message: errorText(code) });
    }
    return decoder;
  } catch (error) {
    decoder.freeContext();
    throw error;
  }
}

function infoOf(format: FormatContext, stream: Stream): VideoInfo {
  const { codecpar, avgFrameRate, nbFrames, duration, timeBase } = stream;
  const fps =
    avgFrameRate.den > 0 && avgFrameRate.num > 0 ? avgFrameRate.num / avgFrameRate.den : null;
  const streamSeconds = isSet(duration) ? (Number(duration) * timeBase.num) / timeBase.den : null;
  const fileSeconds = isSet(format.duration) ? Number(format.duration) / 1e6 : null;
  return {
    container: format.iformat?.name ?? 'unknown',
    codec: avGetCodecName(codecpar.codecId) ?? 'unknown',
    width: codecpar.width,
    height: codecpar.height,
    fps,
    durationSeconds: streamSeconds ?? fileSeconds,
    declaredFrames: nbFrames > 0n ? Number(nbFrames) : null,
  };
}

function isSet(duration: bigint): boolean {
  return duration !== AV_NOPTS_VALUE && duration > 0n;
}
