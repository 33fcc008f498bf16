/**
 * The motion classes, made so that no single frame can tell them apart.
 *
 * A frame is set by five dials, each on a circle: where the two shapes stand together (`x`, `y`, frames wrap around like a
 * torus), how far they slid against each other (`gap`), their `angle` and their `size` (the largest is followed by the
 * smallest). Every dial starts at a place drawn evenly from its circle. The class only says which dial turns, and how. A
 * turned circle is as even as before, so at any moment the frames of all classes have exactly the same distribution.
 */

import { checkOneOf } from '../core/index.ts';

/** One of the five circles that set a frame; positions on it count from 0 to 1. */
export type Dial = 'x' | 'y' | 'gap' | 'angle' | 'size';

/** `backward` is `forward` played in reverse; `on` goes on in a drawn direction, `back` turns around halfway. */
type Path = 'forward' | 'backward' | 'on' | 'back';

/** Name of a motion class. */
export type MotionClass =
  | 'move-left'
  | 'move-right'
  | 'move-up'
  | 'move-down'
  | 'turn-left'
  | 'turn-right'
  | 'shrink'
  | 'grow'
  | 'pass'
  | 'bounce';

const MOTIONS: Readonly<Record<MotionClass, { readonly dial: Dial; readonly path: Path }>> = {
  'move-left': { dial: 'x', path: 'backward' },
  'move-right': { dial: 'x', path: 'forward' },
  'move-up': { dial: 'y', path: 'backward' },
  'move-down': { dial: 'y', path: 'forward' },
  'turn-left': { dial: 'angle', path: 'backward' },
  'turn-right': { dial: 'angle', path: 'forward' },
  shrink: { dial: 'size', path: 'backward' },
  grow: { dial: 'size', path: 'forward' },
  pass: { dial: 'gap', path: 'on' },
  bounce: { dial: 'gap', path: 'back' },
};

/**
 * The motion classes: four directions of moving, two of turning (right is clockwise), growing and shrinking, and the
 * harder pair of two shapes that pass each other, or turn back halfway.
 */
export const motionClasses: readonly MotionClass[] = Object.keys(MOTIONS) as MotionClass[];

/** How one video's dials stand in its middle, and how the class's dial turns. */
export interface DialSetting {
  /** Places of the dials in the middle of the video, 0 (inclusive) to 1 (exclusive). */
  readonly phases: Readonly<Record<Dial, number>>;
  /** Speed of the turning dial, in circles per second. */
  readonly circlesPerSecond: number;
  /** Direction of the classes without one of their own, 1 or -1. */
  readonly heading: number;
  /** When `bounce` turns around, as a part of the video from its middle, -0.5 to 0.5. */
  readonly turnsAt: number;
}

/** Length of a video: its frames and how fast they follow each other. */
export interface Timing {
  readonly numFrames: number;
  readonly fps: number;
}

/**
 * Checks a class name.
 *
 * @throws {RangeError} listing the valid names
 */
export function checkMotionClass(className: string): asserts className is MotionClass {
  checkOneOf('className', className, motionClasses);
}

/**
 * Gives the step of a class's sweep that a frame shows: its own number, or counted from the end for a class that is
 * another one in reverse.
 */
export function stepOf(className: MotionClass, frame: number, numFrames: number): number {
  return MOTIONS[className].path === 'backward' ? numFrames - 1 - frame : frame;
}

/** Gives the places of all dials at one step (from {@link stepOf}), each 0 (inclusive) to 1 (exclusive). */
export function dialsAt(
  className: MotionClass,
  step: number,
  setting: DialSetting,
  { numFrames, fps }: Timing,
): Record<Dial, number> {
  const { dial, path } = MOTIONS[className];
  const { phases, circlesPerSecond, heading, turnsAt } = setting;
  const framesFromMiddle = step - (numFrames - 1) / 2;
  const circles = (frames: number): number => (frames / fps) * circlesPerSecond;
  const moved = {
    forward: circles(framesFromMiddle),
    backward: circles(framesFromMiddle),
    on: circles(framesFromMiddle) * heading,
    back: circles(Math.abs(framesFromMiddle - turnsAt * numFrames)) * heading,
  }[path];
  return { ...phases, [dial]: wrap(phases[dial] + moved) };
}

/** The place on the circle of length 1: 0 (inclusive) to 1 (exclusive). */
export function wrap(value: number): number {
  return value - Math.floor(value);
}
