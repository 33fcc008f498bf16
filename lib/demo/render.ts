/** Renders labelled motion videos: nothing to download, and every right answer known. */

import { checkInteger, checkNumber, createRng } from '../core/index.ts';
import { addGrain } from './background.ts';
import { checkMotionClass, dialsAt, stepOf } from './motions.ts';
import type { MotionClass, Timing } from './motions.ts';
import { drawScene, placeActors } from './scene.ts';
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
  /** Frames per second; speeds are drawn per second of video. */
  readonly fps: number;
}

/**
 * Renders the frames of one video. No single frame tells its class: only motion does.
 * Shapes: each frame `[H, W, 3]` uint8 RGB. Order: presentation order. Ownership: a frame is valid until `next()`.
 *
 * @throws {RangeError} if the class is unknown or a number is out of bounds
 */
export function renderMotionVideo(options: MotionVideoOptions): Generator<Uint8Array> {
  const { className, index, seed, width, height, numFrames, fps } = options;
  checkMotionClass(className);
  checkInteger('index', index, { min: 0 });
  checkInteger('width', width, { min: 16 });
  checkInteger('height', height, { min: 16 });
  checkInteger('numFrames', numFrames, { min: 1 });
  checkNumber('fps', fps, { min: 1 });
  const scene = drawScene({ width, height }, seed, 'demo', className, index);
  return renderScene(scene, className, { numFrames, fps });
}

/** Renders a scene with the motion of any class; see {@link renderMotionVideo} for the frames. */
export function* renderScene(
  scene: Scene,
  className: MotionClass,
  timing: Timing,
): Generator<Uint8Array> {
  const { background, grain, setting, size } = scene;
  const data = new Uint8ClampedArray(background.length);
  const frame = new Uint8Array(data.buffer);
  const canvas = { data, ...size };
  for (let number = 0; number < timing.numFrames; number++) {
    const step = stepOf(className, number, timing.numFrames);
    const dials = dialsAt(className, step, setting, timing);
    data.set(background);
    for (const shape of placeActors(scene, dials)) drawShape(canvas, shape);
    // Taken by step, not by frame, so that a class in reverse is its opposite to the last bit.
    addGrain(data, grain, createRng(0, 'demo grain', step).integer(0, grain.length));
    yield frame;
  }
}
