/**
 * JPEG files to RGB, for the loader: loops of our own decode the wanted part, turn it into pixels with libjpeg's colours, and scale
 * it as Pillow does. What they do not know (progressive files, several scans, restarts) FFmpeg decodes to planes.
 */

import { TubeletError } from '../core/index.ts';
import type { Size } from './frame-converter.ts';
import { readJpegForm } from './jpeg-form.ts';
import { readJpegHeader } from './jpeg-header.ts';
import type { JpegHeader } from './jpeg-header.ts';
import type { Crop } from './pixel-graph.ts';
import { planCut } from './picture-cut.ts';
import type { CutPlan, PictureCut } from './picture-cut.ts';
import { PictureScaler, WIDE_PIXEL_BYTES } from './picture-scaler.ts';
import { createPixelMachine } from './pixel-machine.ts';
import { PlaneDecoder } from './plane-decoder.ts';
import { ROWS_AT_A_TIME } from './scale-kernels.ts';
import { ScanDecoder } from './scan-decoder.ts';
import type { PlacedPlanes } from './scan-decoder.ts';

/** Pixels that the loops take at a time. */
const GROUP = 16;
/** Value of a colour plane that says grey. */
const NO_COLOUR = 128;

type JpegPlanes = PlacedPlanes & Pick<JpegHeader, 'width' | 'height' | 'layout'>;

/** A cut, the size of the frames that it was planned for, and what is kept for it. */
interface Prepared {
  readonly cut: PictureCut;
  readonly frame: Size;
  readonly plan: CutPlan;
  readonly scaler: PictureScaler | null;
}

/**
 * Decodes JPEG files, one after the other, in the thread that made it; belongs to the caller, who must dispose of it.
 */
export class JpegDecoder {
  readonly #machine = createPixelMachine();
  readonly #scan = new ScanDecoder(this.#machine);
  readonly #planes = new PlaneDecoder();
  readonly #start = this.#machine.mark;
  /** Where the areas begin that live as long as one picture. */
  #scratch = this.#start;
  #prepared: Prepared | null = null;
  /** Of the picture before: those of a clip are mostly the same to the byte. */
  #header: JpegHeader | null = null;
  #isClosed = false;

  /**
   * Decodes a picture. Shape of the result: uint8 `[height, width, 3]`, RGB, in `out`, which may lie anywhere in any buffer.
   *
   * Only what is above the lower edge of the cut is decoded, so damage below it goes unnoticed. EXIF's orientation is ignored.
   * Some memory of FFmpeg is only given back between turns of the event loop: return to it once per clip.
   *
   * @throws {TubeletError} `TUBE_SAMPLE_DAMAGED` if the picture is not whole, or of a kind that is not supported
   * @throws {TypeError | RangeError} if the cut does not fit the picture, or `out` not the cut
   */
  decode(jpeg: Uint8Array, cut: PictureCut, out: Uint8Array): void {
    if (this.#isClosed) throw new TubeletError('TUBE_INTERNAL', { message: 'decoder is closed' });
    const header = readJpegHeader(jpeg, this.#header);
    this.#header = header;
    checkFrame(header, cut.frame);
    const { plan, scaler } = this.#prepare(cut, header);
    const numBytes = plan.target.width * plan.target.height * 3;
    if (out.length !== numBytes) {
      throw new RangeError(`"out" must hold ${numBytes} bytes (got ${out.length}).`);
    }
    const planes = this.#decodePlanes(jpeg, header, plan.source);
    const pixels = this.#machine.reserve(numBytes);
    if (scaler === null) this.#convert(planes, plan.source, { out: pixels, pixelBytes: 3 });
    else {
      const { width, height } = plan.source;
      const wide = this.#machine.reserve(width * (height + ROWS_AT_A_TIME) * WIDE_PIXEL_BYTES);
      this.#convert(planes, plan.source, { out: wide, pixelBytes: WIDE_PIXEL_BYTES });
      scaler.scale(wide, pixels);
    }
    out.set(this.#machine.bytes.subarray(pixels, pixels + numBytes));
  }

  /** Frees everything; may be called again. */
  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#planes[Symbol.dispose]();
  }

  /** Decodes what a part of a picture needs; its file is copied to the memory of the machine, where loops read it. */
  #decodePlanes(jpeg: Uint8Array, header: JpegHeader, part: Crop): JpegPlanes {
    const machine = this.#machine;
    machine.release(this.#scratch);
    const start = machine.place(jpeg);
    const end = start + jpeg.length;
    const file = Buffer.from(machine.bytes.buffer, start, jpeg.length);
    const form = readJpegForm(file, header, (from) => {
      return machine.run('findMarker', { from: start + from, end }) - start;
    });
    const { width, height, layout } = header;
    if (form.isSingleScan && this.#scan.canDecode(header)) {
      const coded = { from: start + header.bytes.length, end: start + form.codedEnd };
      return { ...this.#scan.decode(coded, part), width, height, layout };
    }
    // The row below is looked at where colours are drawn out.
    const planes = this.#planes.decode(file, form, part.top + part.height + 1);
    return { ...planes, addresses: planes.data.map((plane) => machine.place(plane)) };
  }

  #prepare(cut: PictureCut, { width, height }: Size): Prepared {
    const last = this.#prepared;
    if (last !== null && isSameCut(last.cut, cut)) {
      if (last.frame.width === width && last.frame.height === height) return last;
    }
    const frame = { width, height };
    const plan = planCut(cut, frame);
    this.#machine.release(this.#start);
    this.#prepared = null;
    const scaler =
      plan.scaling === null ? null : new PictureScaler(this.#machine, plan, plan.scaling);
    this.#scratch = this.#machine.mark;
    this.#prepared = { cut: structuredClone(cut), frame, plan, scaler };
    return this.#prepared;
  }

  /** Makes pixels of 3 or 4 bytes at `out` of the part of the planes that is needed. */
  #convert(
    { width, height, addresses, strides, layout }: JpegPlanes,
    source: Crop,
    { out, pixelBytes }: { readonly out: number; readonly pixelBytes: number },
  ): void {
    const machine = this.#machine;
    const [y, cb, cr] = addresses;
    const numGrey = source.left + source.width + GROUP;
    const grey = layout === null ? machine.reserve(numGrey) : 0;
    if (layout === null) machine.bytes.fill(NO_COLOUR, grey, grey + numGrey);
    const { halfWidth, halfHeight } = layout ?? { halfWidth: 0, halfHeight: 0 };
    machine.run('convert', {
      y: y ?? 0,
      yStride: strides[0] ?? 0,
      cb: cb ?? grey,
      cr: cr ?? grey,
      colourStride: layout === null ? 0 : (strides[1] ?? 0),
      colourWidth: (width + halfWidth) >> halfWidth,
      colourHeight: (height + halfHeight) >> halfHeight,
      halfWidth,
      halfHeight,
      left: source.left,
      top: source.top,
      width: source.width,
      height: source.height,
      sums: machine.reserve(2 * (source.width + 2 * GROUP)),
      cbRow: machine.reserve(source.width + 2 * GROUP),
      crRow: machine.reserve(source.width + 2 * GROUP),
      isWide: pixelBytes === WIDE_PIXEL_BYTES ? 1 : 0,
      out,
      outStride: source.width * pixelBytes,
    });
  }
}

/** A picture of another size than its siblings cannot be cut like them. */
function checkFrame({ width, height }: Size, wanted: Size | undefined): void {
  if (wanted === undefined || (width === wanted.width && height === wanted.height)) return;
  const message = `the picture is ${width} x ${height}, not ${wanted.width} x ${wanted.height}`;
  throw new TubeletError('TUBE_SAMPLE_DAMAGED', { format: 'jpeg', message });
}

function isSameCut(a: PictureCut, b: PictureCut): boolean {
  return (
    isSameCrop(a.crop, b.crop) &&
    isSameCrop(a.window, b.window) &&
    a.size?.width === b.size?.width &&
    a.size?.height === b.size?.height
  );
}

function isSameCrop(a: Crop | undefined, b: Crop | undefined): boolean {
  return (
    a?.left === b?.left && a?.top === b?.top && a?.width === b?.width && a?.height === b?.height
  );
}
