/** A JPEG file to planes by FFmpeg alone: the whole file, in a context of its own, with its default settings. */

import { AV_CODEC_ID_MJPEG } from 'node-av/constants';
import { Codec, CodecContext, FFmpegError, Frame, Packet } from 'node-av/lib';
import type { PlainPlane } from './plain-pixels.ts';

/** Planes of brightness and colour; one of a grey picture. */
export function decodePlanes(
  jpeg: Uint8Array,
  { halfWidth, halfHeight }: { readonly halfWidth: number; readonly halfHeight: number },
): PlainPlane[] {
  const codec = Codec.findDecoder(AV_CODEC_ID_MJPEG);
  const context = new CodecContext();
  const packet = new Packet();
  const frame = new Frame();
  try {
    packet.alloc();
    frame.alloc();
    context.allocContext3(codec);
    context.threadCount = 1;
    // The transform that is the lib's choice: others round in another way.
    if (process.arch === 'x64') FFmpegError.throwIfError(context.setOption('idct', 'xvid'), 'idct');
    FFmpegError.throwIfError(context.open2Sync(codec, null), 'open');
    packet.data = Buffer.from(jpeg);
    FFmpegError.throwIfError(context.sendPacketSync(packet), 'send');
    FFmpegError.throwIfError(context.receiveFrameSync(frame), 'receive');
    const [width, height] = [frame.width, frame.height];
    const planes = (frame.data ?? []).filter((plane) => plane.length > 0);
    return planes.map((plane, index) => {
      const planeWidth = index === 0 ? width : (width + halfWidth) >> halfWidth;
      const planeHeight = index === 0 ? height : (height + halfHeight) >> halfHeight;
      const stride = frame.linesize[index]!;
      const data = new Uint8Array(planeWidth * planeHeight);
      for (let row = 0; row < planeHeight; row++) {
        data.set(plane.subarray(row * stride, row * stride + planeWidth), row * planeWidth);
      }
      return { width: planeWidth, height: planeHeight, data };
    });
  } finally {
    frame.free();
    packet.free();
    context.freeContext();
  }
}
