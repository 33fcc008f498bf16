/**
 * Mirrors clips left to right. Not for data sets whose classes know left from right, such as Something-Something.
 *
 * Source: our own code.
 */

import { checkClip } from './clip-buffer.ts';
import type { ClipShape } from './clip-buffer.ts';

/**
 * Mirrors all frames of a clip. Shapes: `[T, H, W, 3]`, uint8 or float32; the result has the type of the clip.
 * Fresh memory unless `out` is given, which may be `clip` itself.
 *
 * @throws {RangeError} if a buffer does not match the shape
 */
export function flipClip<Pixels extends Uint8Array | Float32Array>(
  clip: Pixels,
  shape: ClipShape,
  out: Pixels = clip.slice() as Pixels,
): Pixels {
  checkClip('clip', clip, shape);
  checkClip('out', out, shape);
  const [numFrames, height, width] = shape;
  const stride = width * 3;
  for (let line = 0; line < numFrames * height; line++) {
    let left = line * stride;
    let right = left + stride - 3;
    for (; left <= right; left += 3, right -= 3) {
      for (let channel = 0; channel < 3; channel++) {
        const pixel = clip[left + channel] ?? 0;
        out[left + channel] = clip[right + channel] ?? 0;
        out[right + channel] = pixel;
      }
    }
  }
  return out;
}
