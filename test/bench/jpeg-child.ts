/** Decodes a list of JPEG frames with one program, after a round to warm up, and prints the median time: NAME LIST REPEATS TASK. */

import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { AV_CODEC_ID_MJPEG } from 'node-av/constants';
import { Codec, CodecContext, FFmpegError, Frame, Packet } from 'node-av/lib';
import sharp from 'sharp';
import { JpegDecoder } from '../../lib/decode/index.ts';
import { silence } from '../../lib/decode/ffmpeg.ts';
import { PixelGraph } from '../../lib/decode/pixel-graph.ts';
import { median, round } from './bench.ts';

/** A file, its size, and the square that is cut from it. */
export interface JpegFrame {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly top: number;
  readonly size: number;
}

type Decode = (jpeg: Buffer, frame: JpegFrame, isWhole: boolean) => unknown;

const SIDE = 224;
const PROGRAMS: Readonly<Record<string, () => Decode>> = {
  tubelet: () => {
    const decoder = new JpegDecoder();
    return (jpeg, { width, height, left, top, size }, isWhole) => {
      const numBytes = (isWhole ? width * height : SIDE * SIDE) * 3;
      const crop = { left, top, width: size, height: size };
      const cut = isWhole ? {} : { crop, size: { width: SIDE, height: SIDE } };
      decoder.decode(jpeg, cut, new Uint8Array(numBytes));
    };
  },
  nodeAv: () => {
    silence();
    const context = new CodecContext();
    context.allocContext3(Codec.findDecoder(AV_CODEC_ID_MJPEG));
    context.threadCount = 1;
    FFmpegError.throwIfError(
      context.open2Sync(Codec.findDecoder(AV_CODEC_ID_MJPEG), null),
      'open decoder',
    );
    const [packet, decoded, result] = [new Packet(), new Frame(), new Frame()];
    packet.alloc();
    decoded.alloc();
    result.alloc();
    let graph: PixelGraph | undefined;
    let chain = '';
    return (jpeg, { left, top, size }, isWhole) => {
      packet.data = jpeg;
      FFmpegError.throwIfError(context.sendPacketSync(packet), 'send');
      FFmpegError.throwIfError(context.receiveFrameSync(decoded), 'receive');
      const cut = `crop=${size}:${size}:${left}:${top}:exact=1,scale=${SIDE}:${SIDE}:flags=bilinear,`;
      const wanted = `${isWhole ? '' : cut}format=rgb24`;
      // Frames of a clip share a graph.
      if (chain !== wanted || graph === undefined || !graph.fits(decoded)) {
        graph?.[Symbol.dispose]();
        chain = wanted;
        graph = new PixelGraph(decoded, chain);
      }
      graph.run(decoded, result);
      const pixels = Buffer.from(result.data?.[0] ?? []);
      packet.unref();
      decoded.unref();
      result.unref();
      return pixels;
    };
  },
  sharp: () => {
    sharp.cache(false);
    sharp.concurrency(1);
    return (jpeg, { left, top, size }, isWhole) => {
      const image = sharp(jpeg);
      if (isWhole) return image.raw().toBuffer();
      const cut = image.extract({ left, top, width: size, height: size });
      return cut.resize(SIDE, SIDE, { kernel: 'linear', fit: 'fill' }).raw().toBuffer();
    };
  },
};

const [name = '', list = '', repeats = '1', task = 'whole'] = process.argv.slice(2);
const frames = JSON.parse(readFileSync(list, 'utf8')) as JpegFrame[];
const files = frames.map(({ file }) => readFileSync(file));
const decode = PROGRAMS[name]?.();
if (decode === undefined) throw new Error(`bench: no program "${name}"`);
const times: number[] = [];
for (let repeat = -1; repeat < Number(repeats); repeat++) {
  for (const [i, frame] of frames.entries()) {
    const start = performance.now();
    const waited = decode(files[i]!, frame, task === 'whole');
    if (waited instanceof Promise) await waited;
    if (repeat >= 0) times.push(performance.now() - start);
    if (i % 16 === 0) await setImmediate();
  }
}
process.stdout.write(`${JSON.stringify({ medianMs: round(median(times), 4) })}\n`);
