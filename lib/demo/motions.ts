/**
 * The motion classes, made so that no single frame can tell them apart unless one knows when it was.
 *
 * A frame is set by five dials, each on a circle: where the two shapes stand together (`x`, `y`, frames wrap around like a
 * torus), how far they slid against each other (`gap`), their `angle` and their `size` (the largest is followed by the
 * smallest). The class only says which dial turns, and how: about once around its circle in the length of the video, from about the
 * same place in all videos of a class. The other dials stand still, at places drawn evenly from their circles. So a frame drawn from
 * anywhere in a video has the same distribution in all classes, and only frames in their order tell.
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
  /** How far the dial turns in the whole video, in circles. */
  readonly circles: number;
  /** Direction of the classes without one of their own, 1 or -1. */
  readonly heading: number;
  /** When `bounce` turns around, as a part of the video from its middle, -0.5 to 0.5. */
  readonly turnsAt: number;
}

/** Part of its circle from which the place of the turning dial in the middle of the video is drawn. */
const SLACK = 0.1;

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
  numFrames: number,
): Record<Dial, number> {
  const { dial, path } = MOTIONS[className];
  const { phases, circles, heading, turnsAt } = setting;
  const fromMiddle = (step - (numFrames - 1) / 2) / numFrames;
  const moved = {
    forward: circles * fromMiddle,
    backward: circles * fromMiddle,
    on: circles * fromMiddle * heading,
    back: circles * (2 * Math.abs(fromMiddle - turnsAt) - 0.5) * heading,
  }[path];
  const middle = 0.5 + SLACK * (phases[dial] - 0.5);
  return { ...phases, [dial]: wrap(middle + moved) };
}

/** The place on the circle of length 1: 0 (inclusive) to 1 (exclusive). */
export function wrap(value: number): number {
  return value - Math.floor(value);
}
