/** The frames that a sample stores, cut and scaled to bytes. */

import type { JpegDecoder } from '../../decode/index.ts';
import { resizeClip } from '../../sample/index.ts';
import type { Crop, Size } from '../../sample/index.ts';
import type { Sample } from '../../shard/index.ts';
import type { Cut } from './choose-cut.ts';

/** Writes one stored frame into `out`, uint8 `[window.height, window.width, 3]`. */
export type FrameReader = (frame: number, cut: Cut, out: Uint8Array) => void;

/**
 * Gives the reader of a sample of layout `frames`.
 *
 * @throws {TubeletError} TUBE_SAMPLE_DAMAGED, when a frame is read that is no sound picture of the size that the sample states
 */
export function readerOf(sample: Sample, decoder: () => JpegDecoder): FrameReader {
  const [, height = 0, width = 0] = sample.shape;
  if (sample.codec === 'jpeg') {
    const size = { width, height };
    return (frame, cut, out) =>
      decoder().decode(sample.data[frame] ?? new Uint8Array(), { ...cut, frame: size }, out);
  }
  const frameBytes = width * height * 3;
  return (frame, cut, out) => {
    const pixels = sample.data.subarray(frame * frameBytes, (frame + 1) * frameBytes);
    cutPixels(pixels, { width, height }, cut, out);
  };
}

/** Reads the frames of a clip one after the other, `[T, window.height, window.width, 3]`; one that comes again is copied. */
export function readClip(
  read: FrameReader,
  frames: readonly number[],
  cut: Cut,
  out: Uint8Array,
): void {
  const frameBytes = cut.window.width * cut.window.height * 3;
  for (const [place, frame] of frames.entries()) {
    const start = place * frameBytes;
    if (frame === frames[place - 1]) out.copyWithin(start, start - frameBytes, start);
    else read(frame, cut, out.subarray(start, start + frameBytes));
  }
}

/** A cut that takes a whole frame as it is. */
export function wholeFrame(size: Size): Cut {
  const crop = { left: 0, top: 0, ...size };
  return { crop, size, window: crop };
}

/** Cuts a frame of bytes; scales as the decoder does, with a filter that widens when shrinking. */
function cutPixels(
  pixels: Uint8Array,
  frame: Size,
  { crop, size, window }: Cut,
  out: Uint8Array,
): void {
  if (crop.width === size.width && crop.height === size.height) {
    const left = crop.left + window.left;
    const top = crop.top + window.top;
    copyRectangle(pixels, frame, { ...window, left, top }, out);
    return;
  }
  const scaled = resizeClip(pixels, [1, frame.height, frame.width, 3], { crop, size });
  copyRectangle(scaled, size, window, out);
}

/** Copies a rectangle of a frame, row by row. */
export function copyRectangle(
  pixels: Uint8Array,
  { width: frameWidth }: Size,
  { left, top, width, height }: Crop,
  out: Uint8Array,
): void {
  for (let row = 0; row < height; row++) {
    const start = ((top + row) * frameWidth + left) * 3;
    out.set(pixels.subarray(start, start + width * 3), row * width * 3);
  }
}
