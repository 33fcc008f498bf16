/** Checks that a buffer holds just the clip that its shape promises; every function on whole clips starts here. */

import { checkInteger } from '../core/index.ts';

/** Shape of a clip, `[T, H, W, 3]`: RGB, uint8. */
export type ClipShape = readonly [numFrames: number, height: number, width: number, channels: 3];

/**
 * Checks a clip `[T, H, W, 3]` of any number type.
 *
 * @throws {RangeError} if a side is not an integer ≥ 1, there are not 3 channels, or the length does not match
 */
export function checkClip(name: string, data: ArrayLike<number>, shape: ClipShape): void {
  const [numFrames, height, width, channels] = shape;
  checkInteger('shape[0]', numFrames, { min: 1 });
  checkInteger('shape[1]', height, { min: 1 });
  checkInteger('shape[2]', width, { min: 1 });
  checkInteger('shape[3]', channels, { min: 3, max: 3 });
  checkLength(name, data, numFrames * height * width * 3);
}

/**
 * Checks the length of a buffer.
 *
 * @throws {RangeError} naming the buffer, the length it should have and the one it has
 */
export function checkLength(name: string, data: ArrayLike<number>, length: number): void {
  if (data.length !== length) {
    throw new RangeError(`"${name}" must hold ${length} values (got ${data.length}).`);
  }
}
