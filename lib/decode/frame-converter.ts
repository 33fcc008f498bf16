/** Decoded frames of one video to pixels of one size: a graph per kind of frame, one JPEG encoder, one size for all. */

import { AV_FRAME_DATA_DISPLAYMATRIX } from 'node-av/constants';
import { Frame } from 'node-av/lib';
import { TubeletError, checkInteger } from '../core/index.ts';
import { check } from './ffmpeg.ts';
import { JpegEncoder } from './jpeg-encoder.ts';
import { DEFAULT_MAX_PIXELS } from './open-video.ts';
import { filtersFor, PixelGraph } from './pixel-graph.ts';
import type { Crop, PixelTarget } from './pixel-graph.ts';
import { orientationOf } from './video-info.ts';

/** Longest side that a JPEG file can have. */
const MAX_SIDE = 65_500;

/** Width and height in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Which pixels of a frame are wanted, given its size as displayed. */
export type SizeChooser = (displayed: Size) => Size & { readonly crop?: Crop };

/** How pixels leave the decoder: packed RGB of 8 bits, or JPEG files of a libjpeg-like quality of 1 to 100. */
export type PixelFormat =
  { readonly kind: 'rgb' } | { readonly kind: 'jpeg'; readonly quality: number };

/** What a video's frames looked like before conversion. */
export interface PictureFacts {
  /** Size of the first frame as displayed; all frames are brought to what was chosen for it. */
  readonly displayed: Size;
  sizeChanged: boolean;
  readonly rotationIgnored: boolean;
}

/** Belongs to one pass over one video; the caller disposes of it. */
export class FrameConverter {
  readonly #chooseSize: SizeChooser;
  readonly #format: PixelFormat;
  readonly #allocate: (numBytes: number) => Uint8Array;
  readonly #result = new Frame();
  #graph: PixelGraph | null = null;
  #packed: Packed | null = null;
  #encoder: JpegEncoder | null = null;
  #target: PixelTarget | null = null;
  #firstSize: Size | null = null;
  #facts: PictureFacts | null = null;

  constructor(
    chooseSize: SizeChooser,
    format: PixelFormat,
    allocate: (numBytes: number) => Uint8Array,
  ) {
    this.#chooseSize = chooseSize;
    this.#format = format;
    this.#allocate = allocate;
    this.#result.alloc();
  }

  /** Facts of the first converted frame, or null before it. */
  get facts(): PictureFacts | null {
    return this.#facts;
  }

  /** Size of the converted frames; known after the first. */
  get outputSize(): Size {
    if (this.#target === null) throw new TubeletError('TUBE_INTERNAL', { message: 'no frame yet' });
    return this.#target.crop ?? this.#target;
  }

  /** Converts a frame; the bytes belong to the caller. */
  convert(frame: Frame): Uint8Array {
    this.#target ??= this.#begin(frame);
    if (this.#graph === null || !this.#graph.fits(frame)) {
      this.#graph?.[Symbol.dispose]();
      this.#graph = null;
      this.#graph = new PixelGraph(frame, filtersFor(frame, this.#target));
    }
    if (this.#facts !== null && this.#firstSize !== null) {
      const { width, height } = this.#firstSize;
      this.#facts.sizeChanged ||= frame.width !== width || frame.height !== height;
    }
    this.#graph.run(frame, this.#result);
    try {
      return this.#encoder === null ? this.#copyPixels() : this.#encoder.encode(this.#result);
    } finally {
      this.#result.unref();
    }
  }

  [Symbol.dispose](): void {
    this.#graph?.[Symbol.dispose]();
    this.#graph = null;
    this.#encoder?.[Symbol.dispose]();
    this.#encoder = null;
    this.#packed?.frame.free();
    this.#packed = null;
    this.#result.free();
  }

  #begin(frame: Frame): PixelTarget {
    const orientation = orientationOf(frame.getSideData(AV_FRAME_DATA_DISPLAYMATRIX));
    const { swapsSides, isRightAngle } = orientation;
    const displayed = swapsSides
      ? { width: frame.height, height: frame.width }
      : { width: frame.width, height: frame.height };
    const { width, height, crop = null } = this.#chooseSize(displayed);
    checkInteger('width', width, { min: 1 });
    checkInteger('height', height, { min: 1 });
    if (Math.max(width, height) > MAX_SIDE || width * height > DEFAULT_MAX_PIXELS) {
      throw new TubeletError('TUBE_FRAME_TOO_LARGE', { width, height, message: 'after scaling' });
    }
    this.#facts = { displayed, sizeChanged: false, rotationIgnored: !isRightAngle };
    this.#firstSize = { width: frame.width, height: frame.height };
    const size = crop ?? { width, height };
    if (this.#format.kind === 'jpeg') {
      this.#encoder = new JpegEncoder(size.width, size.height, this.#format.quality);
    }
    return { upright: orientation.filters, width, height, crop, format: this.#format.kind };
  }

  #copyPixels(): Uint8Array {
    this.#packed ??= allocatePacked(this.#result);
    check(this.#packed.frame.copy(this.#result), 'copy pixels');
    const bytes = this.#allocate(this.#packed.pixels.length);
    bytes.set(this.#packed.pixels);
    return bytes;
  }
}

/** RGB without gaps between the rows. */
interface Packed {
  readonly frame: Frame;
  /** View of the memory of `frame`. */
  readonly pixels: Uint8Array;
}

/**
 * A frame that stays, with one view of its memory. A view a frame would be less copying, but the collector takes each for as
 * much garbage as it shows, and at 256 pixels its runs cost an eighth of all CPU time.
 */
function allocatePacked({ width, height, format }: Frame): Packed {
  const frame = new Frame();
  frame.alloc();
  frame.width = width;
  frame.height = height;
  frame.format = format;
  check(frame.getBuffer(1), 'allocate pixels');
  const memory = frame.data?.[0];
  if (memory === undefined || frame.linesize[0] !== width * 3) {
    throw new TubeletError('TUBE_INTERNAL', { message: 'no packed pixels' });
  }
  return { frame, pixels: memory.subarray(0, width * height * 3) };
}
