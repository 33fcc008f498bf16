/** Cutting and scaling of whole frames with the arithmetic of the reference implementation. */

import { resizeClip, resizeClipToFloat } from '../../sample/index.ts';
import type { ClipShape, ColourStats } from '../../sample/index.ts';
import type { Cut, CropRule } from './choose-cut.ts';
import { copyRectangle } from './stored-frames.ts';

/**
 * Cuts and scales a clip of whole frames to bytes: as Pillow for `'multi-scale'`, else bilinear between pixel centres, rounded, as
 * OpenCV does. Shapes: `clip` uint8 `[T, H, W, 3]`, `out` uint8 `[T, window.height, window.width, 3]`.
 */
export function scaleToBytes(
  clip: Uint8Array,
  shape: ClipShape,
  { rule, cut: { crop, size, window } }: { readonly rule: CropRule; readonly cut: Cut },
  out: Uint8Array,
): void {
  const isPillow = rule === 'multi-scale';
  const scaled = isPillow
    ? resizeClip(clip, shape, { crop, size })
    : roundToBytes(resizeClipToFloat(clip, shape, { crop, size }));
  const scaledBytes = size.width * size.height * 3;
  const windowBytes = window.width * window.height * 3;
  for (let frame = 0; frame < shape[0]; frame++) {
    copyRectangle(
      scaled.subarray(frame * scaledBytes, (frame + 1) * scaledBytes),
      size,
      window,
      out.subarray(frame * windowBytes, (frame + 1) * windowBytes),
    );
  }
}

/** Scales as PyTorch fine-tunes: to normalised colours without rounding to bytes. The window must be all of the result. */
export function scaleToColours(
  clip: Uint8Array,
  shape: ClipShape,
  { cut: { crop, size }, colours }: { readonly cut: Cut; readonly colours: ColourStats },
  out: Float32Array,
): void {
  resizeClipToFloat(clip, shape, { crop, size, colours, out });
}

function roundToBytes(clip: Float32Array): Uint8Array {
  const { buffer } = Uint8ClampedArray.from(clip, (value) => value * 255); // rounds, ties to even
  return new Uint8Array(buffer);
}
