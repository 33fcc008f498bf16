/** Renders labelled motion videos: nothing to download, and every right answer known. */

import { checkInteger, createRng } from '../core/index.ts';
import { addGrain } from './background.ts';
import { checkMotionClass, dialsAt, stepOf } from './motions.ts';
import type { MotionClass } from './motions.ts';
import { drawPlainScene, drawScene, placeActors } from './scene.ts';
import type { Scene } from './scene.ts';
import { drawShape } from './shapes.ts';

/** Which video to render. */
export interface MotionVideoOptions {
  /** One of `motionClasses`. */
  readonly className: string;
  /** Number of the video in its class, from 0. */
  readonly index: number;
  readonly seed: number;
  /** Pixels, at least 16. */
  readonly width: number;
  /** Pixels, at least 16. */
  readonly height: number;
  readonly numFrames: number;
  /** All videos look alike but for their motion. Default: false. */
  readonly isPlain?: boolean;
}

/**
 * Renders the frames of one video. No frame of it tells its class, only their order does.
 * Shapes: each frame `[H, W, 3]` uint8 RGB. Order: presentation order. Ownership: a frame is valid until `next()`.
 *
 * @throws {RangeError} if the class is unknown or a number is out of bounds
 */
export function renderMotionVideo(options: MotionVideoOptions): Generator<Uint8Array> {
  const { className, index, seed, width, height, numFrames, isPlain = false } = options;
  checkMotionClass(className);
  checkInteger('index', index, { min: 0 });
  checkInteger('width', width, { min: 16 });
  checkInteger('height', height, { min: 16 });
  checkInteger('numFrames', numFrames, { min: 1 });
  const size = { width, height };
  const parts = [seed, 'demo', className, index] as const;
  const scene = isPlain ? drawPlainScene(size, ...parts) : drawScene(size, ...parts);
  return renderScene(scene, className, numFrames);
}

/** Renders a scene with the motion of any class; see {@link renderMotionVideo} for the frames. */
export function* renderScene(
  scene: Scene,
  className: MotionClass,
  numFrames: number,
): Generator<Uint8Array> {
  const { background, grain, setting, size } = scene;
  const data = new Uint8ClampedArray(background.length);
  const frame = new Uint8Array(data.buffer);
  const canvas = { data, ...size };
  for (let number = 0; number < numFrames; number++) {
    const step = stepOf(className, number, numFrames);
    const dials = dialsAt(className, step, setting, numFrames);
    data.set(background);
    for (const shape of placeActors(scene, dials)) drawShape(canvas, shape);
    // Taken by step, not by frame, so that a class in reverse is its opposite to the last bit.
    addGrain(data, grain, createRng(0, 'demo grain', step).integer(0, grain.length));
    yield frame;
  }
}
