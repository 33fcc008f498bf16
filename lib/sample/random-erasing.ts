/**
 * Random erasing: noise over one box of a normalised clip, the same box in all frames.
 *
 * Source: Zhong et al. 2017 with the values of VideoMAE's released code (mode "pixel", one box). Differs: in frames of a few
 * pixels a box has at least one pixel, where the reference may erase nothing.
 */

import { checkInteger, checkNumber } from '../core/index.ts';
import type { Rng } from '../core/index.ts';
import { checkClip } from './clip-buffer.ts';
import { fillGaussian } from './distributions.ts';
import { checkCrop } from './geometry.ts';
import type { Crop, Size } from './geometry.ts';
import { drawBox } from './random-box.ts';
import type { BoxRule } from './random-box.ts';
import type { ClipShape } from './clip-buffer.ts';

const RULE: BoxRule = {
  area: [0.02, 1 / 3],
  logAspect: [Math.log(1 / 0.3), Math.log(0.3)], // drawn as height / width, from 0.3 up
  attempts: 100,
  mayFill: false,
};

/**
 * Draws whether to erase, and if so which box: 2 % to a third of the frame, sides in a ratio of 0.3 to 1 / 0.3.
 *
 * @throws {RangeError} if a side is not an integer ≥ 1 or `probability` (default 0.25) not in 0 … 1
 */
export function drawErasing(frame: Size, rng: Rng, probability: number = 0.25): Crop | undefined {
  checkInteger('frame.width', frame.width, { min: 1 });
  checkInteger('frame.height', frame.height, { min: 1 });
  checkNumber('probability', probability, { min: 0, max: 1 });
  return rng.uniform() >= probability ? undefined : drawBox(frame, RULE, rng);
}

/**
 * Fills a box of a clip with noise of mean 0 and deviation 1, fresh for each frame, pixel and channel.
 * Shapes: `clip` float32 `[T, H, W, 3]`, normalised; it is changed in place.
 *
 * @throws {RangeError} if the box does not fit or the clip does not match its shape
 */
export function eraseBox(clip: Float32Array, shape: ClipShape, box: Crop, rng: Rng): void {
  checkClip('clip', clip, shape);
  const [numFrames, height, width] = shape;
  checkCrop(box, width, height);
  for (let frame = 0; frame < numFrames; frame++) {
    for (let row = box.top; row < box.top + box.height; row++) {
      const start = ((frame * height + row) * width + box.left) * 3;
      fillGaussian(clip.subarray(start, start + box.width * 3), rng);
    }
  }
}
