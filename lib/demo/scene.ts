/** What is in one video, apart from its motion: two shapes that look different, a background, and where the dials stand. */

import { createRng } from '../core/index.ts';
import type { Rng, RngParts } from '../core/index.ts';
import { makeGrain, paintBackground } from './background.ts';
import { wrap } from './motions.ts';
import type { Dial, DialSetting } from './motions.ts';
import { SHAPE_KINDS } from './shapes.ts';
import type { Color, PlacedShape, ShapeKind } from './shapes.ts';

const SHAPE_COLORS: readonly [Color, ...Color[]] = [
  [238, 108, 77],
  [244, 185, 66],
  [242, 232, 207],
  [127, 200, 120],
  [79, 193, 200],
  [104, 152, 238],
  [186, 134, 232],
  [240, 136, 176],
];

type Shades = readonly [dark: Color, light: Color];

const BACKGROUND_COLORS: readonly [Shades, ...Shades[]] = [
  [
    [22, 28, 40],
    [78, 92, 116],
  ],
  [
    [24, 34, 30],
    [84, 104, 88],
  ],
  [
    [40, 28, 34],
    [112, 90, 96],
  ],
  [
    [34, 30, 24],
    [108, 98, 80],
  ],
  [
    [28, 26, 44],
    [90, 84, 118],
  ],
  [
    [18, 36, 42],
    [70, 106, 112],
  ],
];

/** Near the mean of ImageNet's colours, so that the ground is about zero for a network. */
const PLAIN_GROUND: Color = [124, 116, 104];
const PLAIN_FILL: Color = [235, 235, 235];

/** Radius of a shape as a part of the short side. At most 0.25, or the two could touch. */
const SMALLEST_RADIUS = 0.09;
const LARGEST_RADIUS = 0.22;
const FEWEST_CIRCLES = 0.9;
const MOST_CIRCLES = 1;
const RIM_SHADE = 0.45;

/** Width and height in pixels. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** What one shape has of its own: its look, and how far its angle and size are from the dials'. */
interface ActorLook {
  readonly kind: ShapeKind;
  readonly fill: Color;
  readonly rim: Color;
  readonly angle: number;
  readonly size: number;
}

/** Everything drawn for one video. */
export interface Scene {
  readonly size: PictureSize;
  readonly actors: readonly [ActorLook, ActorLook];
  readonly setting: DialSetting;
  /** `[H, W, 3]` uint8 RGB. */
  readonly background: Uint8ClampedArray;
  readonly grain: Int8Array;
}

/** Draws a scene: the same parts and size give the same scene. */
export function drawScene(size: PictureSize, ...parts: RngParts): Scene {
  const rng = createRng(...parts);
  const color = rng.integer(0, SHAPE_COLORS.length);
  const other = color + rng.integer(1, SHAPE_COLORS.length);
  return {
    size,
    actors: [drawActor(rng, pick(SHAPE_COLORS, color)), drawActor(rng, pick(SHAPE_COLORS, other))],
    setting: drawSetting(rng),
    background: paintBackground(
      rng,
      size,
      pick(BACKGROUND_COLORS, rng.integer(0, BACKGROUND_COLORS.length)),
    ),
    grain: makeGrain(rng),
  };
}

/** Draws a scene in which nothing but the dials differs from video to video: two moons on grey. */
export function drawPlainScene(size: PictureSize, ...parts: RngParts): Scene {
  const rng = createRng(...parts);
  const moon = {
    kind: 'moon',
    fill: PLAIN_FILL,
    rim: shadeOf(PLAIN_FILL),
    angle: 0,
    size: 0,
  } as const;
  const background = new Uint8ClampedArray(size.width * size.height * 3);
  return {
    size,
    actors: [moon, moon],
    setting: drawSetting(rng),
    background: background.map((_, at) => PLAIN_GROUND[at % 3] ?? 0),
    grain: makeGrain(rng),
  };
}

function drawSetting(rng: Rng): DialSetting {
  const between = (low: number, high: number): number => low + rng.uniform() * (high - low);
  return {
    phases: {
      x: rng.uniform(),
      y: rng.uniform(),
      gap: rng.uniform(),
      angle: rng.uniform(),
      size: rng.uniform(),
    },
    circles: between(FEWEST_CIRCLES, MOST_CIRCLES),
    heading: rng.integer(0, 2) * 2 - 1,
    turnsAt: between(-0.1, 0.1),
  };
}

/** Gives the two shapes as the dials place them. They keep to two lanes half a picture apart, so they never overlap. */
export function placeActors(
  { size: { width, height }, actors }: Scene,
  dials: Readonly<Record<Dial, number>>,
): [PlacedShape, PlacedShape] {
  const place = (actor: ActorLook, side: number): PlacedShape => ({
    kind: actor.kind,
    fill: actor.fill,
    rim: actor.rim,
    x: wrap(dials.x + side * dials.gap) * width,
    y: wrap(dials.y + side * 0.25) * height,
    radius:
      Math.min(width, height) *
      SMALLEST_RADIUS *
      (LARGEST_RADIUS / SMALLEST_RADIUS) ** wrap(dials.size + actor.size),
    angle: wrap(dials.angle + actor.angle) * 2 * Math.PI,
  });
  return [place(actors[0], 1), place(actors[1], -1)];
}

function drawActor(rng: Rng, fill: Color): ActorLook {
  return {
    kind: pick(SHAPE_KINDS, rng.integer(0, SHAPE_KINDS.length)),
    fill,
    rim: shadeOf(fill),
    angle: rng.uniform(),
    size: rng.uniform(),
  };
}

function shadeOf([red, green, blue]: Color): Color {
  return [red * RIM_SHADE, green * RIM_SHADE, blue * RIM_SHADE];
}

/** The value at a place, counted round and round. */
function pick<T>(values: readonly [T, ...T[]], at: number): T {
  return values[at % values.length] ?? values[0];
}
