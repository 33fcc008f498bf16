/** From the part of a picture that is wanted to the pixels that must be looked at and the weights for scaling them. */

import { checkInteger, resizeTaps } from '../core/index.ts';
import type { ResizeTaps } from '../core/index.ts';
import type { Size } from './frame-converter.ts';
import type { Crop } from './pixel-graph.ts';

/** Part of a frame, and size, in pixels: `crop` is cut from the frame, scaled to `size`, and `window` is cut from that. */
export interface PictureCut {
  /** Size that the frame must have. Default: any. */
  readonly frame?: Size;
  /** Default: the whole frame. */
  readonly crop?: Crop;
  /** Default: the size of the crop. */
  readonly size?: Size;
  /** Default: all of the scaled crop. */
  readonly window?: Crop;
}

/** What to do for a cut. */
export interface CutPlan {
  /** Pixels of the frame that are needed. */
  readonly source: Crop;
  /** Size of the result. */
  readonly target: Size;
  /** Weights from `source` to `target`, or null if nothing is scaled. */
  readonly scaling: { readonly columns: ResizeTaps; readonly rows: ResizeTaps } | null;
}

/** Source pixels that are weighed together. */
export const TAP_GROUP = 2;

/**
 * Plans a cut from frames of one size.
 *
 * @throws {RangeError} if the crop does not fit the frame or the window the scaled crop
 */
export function planCut(cut: PictureCut, frame: Size): CutPlan {
  const crop = cut.crop ?? { left: 0, top: 0, ...frame };
  checkInside('crop', crop, frame);
  const size = cut.size ?? crop;
  checkInteger('size.width', size.width, { min: 1 });
  checkInteger('size.height', size.height, { min: 1 });
  const window = cut.window ?? { left: 0, top: 0, width: size.width, height: size.height };
  checkInside('window', window, size);
  const target = { width: window.width, height: window.height };
  if (size.width === crop.width && size.height === crop.height) {
    const place = { left: crop.left + window.left, top: crop.top + window.top };
    return { source: { ...place, ...target }, target, scaling: null };
  }
  const columns = takeTaps(
    resizeTaps(crop.width, size.width, { filter: 'bilinear', group: TAP_GROUP }),
    { from: window.left, count: window.width, numPixels: crop.width },
  );
  const rows = takeTaps(
    resizeTaps(crop.height, size.height, { filter: 'bilinear', group: TAP_GROUP }),
    { from: window.top, count: window.height, numPixels: crop.height },
  );
  const source = {
    left: crop.left + columns.from,
    top: crop.top + rows.from,
    width: columns.numPixels,
    height: rows.numPixels,
  };
  return { source, target, scaling: { columns: columns.taps, rows: rows.taps } };
}

/** The taps of some of the output pixels, and the source pixels that these look at, from which `starts` count. */
function takeTaps(
  { count, starts, weights }: ResizeTaps,
  part: { readonly from: number; readonly count: number; readonly numPixels: number },
): { readonly taps: ResizeTaps; readonly from: number; readonly numPixels: number } {
  const end = part.from + part.count;
  const from = starts[part.from] ?? 0;
  const last = Math.min(part.numPixels, (starts[end - 1] ?? 0) + count);
  const taps = {
    count,
    starts: starts.slice(part.from, end).map((start) => start - from),
    weights: weights.slice(part.from * count, end * count),
  };
  return { taps, from, numPixels: last - from };
}

function checkInside(name: string, crop: Crop, { width, height }: Size): void {
  checkInteger(`${name}.left`, crop.left, { min: 0, max: width - 1 });
  checkInteger(`${name}.top`, crop.top, { min: 0, max: height - 1 });
  checkInteger(`${name}.width`, crop.width, { min: 1, max: width - crop.left });
  checkInteger(`${name}.height`, crop.height, { min: 1, max: height - crop.top });
}
