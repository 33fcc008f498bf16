/**
 * Which source pixels make an output pixel when scaling, and their weights. The filter widens when shrinking, so nothing
 * flickers or aliases.
 *
 * Source: Pillow's `resize`; the cubic filter is Keys' with a = -0.5.
 */

/** How pixels are weighed: `'bilinear'` is a triangle two pixels wide, `'bicubic'` a cubic four pixels wide. */
export type ResizeFilter = 'bilinear' | 'bicubic';

/** Weights of the source pixels of each output pixel along one side. */
export interface ResizeTaps {
  /** Weights of each output pixel, a multiple of `group`. */
  readonly count: number;
  /** First source pixel of each output pixel. */
  readonly starts: Int32Array;
  /** Weights of output pixel i from `i * count` on, in 2^-22. */
  readonly weights: Int32Array;
}

interface Filter {
  readonly radius: number;
  readonly weight: (distance: number) => number;
}

/** Bits of the fraction of a weight. */
export const WEIGHT_BITS = 22;
/** A power of a named number is computed anew each time, which was 1 % of the loader's time. */
const WEIGHT_ONE = 2 ** WEIGHT_BITS;

/** All filters by name. */
export const RESIZE_FILTERS: Readonly<Record<ResizeFilter, Filter>> = {
  bilinear: { radius: 1, weight: (distance) => Math.max(0, 1 - Math.abs(distance)) },
  bicubic: { radius: 2, weight: cubic },
};

/**
 * Weights for scaling `from` pixels to `to`. All outputs have the same number of taps, those that are not needed with weight 0;
 * only where there are fewer pixels than taps do some of these lie outside.
 */
export function resizeTaps(
  from: number,
  to: number,
  { filter, group }: { readonly filter: ResizeFilter; readonly group: number },
): ResizeTaps {
  const { radius, weight } = RESIZE_FILTERS[filter];
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  const spans = Array.from({ length: to }, (_, index) => {
    const center = (index + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - radius * stretch + 0.5));
    const end = Math.min(from, Math.trunc(center + radius * stretch + 0.5));
    return { center, first, end };
  });
  const widest = spans.reduce((most, { first, end }) => Math.max(most, end - first), 0);
  const count = Math.ceil(widest / group) * group;
  const starts = new Int32Array(to);
  const weights = new Int32Array(to * count);
  for (const [index, { center, first, end }] of spans.entries()) {
    const raw = Array.from({ length: end - first }, (_, tap) =>
      weight((first + tap + 0.5 - center) / stretch),
    );
    const total = raw.reduce((sum, value) => sum + value, 0);
    const start = Math.min(first, Math.max(0, from - count));
    starts[index] = start;
    for (const [tap, value] of raw.entries()) {
      weights[index * count + first - start + tap] = Math.round((value / total) * WEIGHT_ONE);
    }
  }
  return { count, starts, weights };
}

function cubic(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}
