import test from 'ava';
import { motionClasses } from '../../lib/demo/index.ts';
import { dialsAt, stepOf } from '../../lib/demo/motions.ts';
import type { Dial, MotionClass } from '../../lib/demo/motions.ts';
import { drawScene, placeActors } from '../../lib/demo/scene.ts';
import type { Scene } from '../../lib/demo/scene.ts';

const timing = { numFrames: 17, fps: 12 };
const DIALS: readonly Dial[] = ['x', 'y', 'gap', 'angle', 'size'];

const scenes = Array.from({ length: 400 }, (_, index) =>
  drawScene({ width: 16, height: 16 }, 7, 'test', index),
);

/** The smallest turn from one place of a circle to another, -0.5 to 0.5. */
function turn(from: number, to: number): number {
  return to - from - Math.round(to - from);
}

function sweep(className: MotionClass, scene = scenes[0]!): Record<Dial, number>[] {
  return Array.from({ length: timing.numFrames }, (_, frame) =>
    dialsAt(className, stepOf(className, frame, timing.numFrames), scene.setting, timing),
  );
}

/** Directions of the gap dial from frame to frame. */
function gapSigns(className: MotionClass, scene: Scene): number[] {
  const gaps = sweep(className, scene).map(({ gap }) => gap);
  return gaps.slice(1).map((gap, at) => Math.sign(turn(gaps[at]!, gap)));
}

/** Mean x, y and radius of all shapes of all scenes at one frame, as parts of the picture. */
function meanPlace(className: MotionClass, frame: number): number[] {
  const step = stepOf(className, frame, timing.numFrames);
  const placed = scenes.flatMap((scene) =>
    placeActors(scene, dialsAt(className, step, scene.setting, timing)),
  );
  return (['x', 'y', 'radius'] as const).map(
    (name) => placed.reduce((sum, shape) => sum + shape[name] / 16, 0) / placed.length,
  );
}

for (const [className, dial, sign] of [
  ['move-left', 'x', -1],
  ['move-right', 'x', 1],
  ['move-up', 'y', -1],
  ['move-down', 'y', 1],
  ['turn-left', 'angle', -1],
  ['turn-right', 'angle', 1],
  ['shrink', 'size', -1],
  ['grow', 'size', 1],
] as const) {
  test(`${className} turns ${dial} by ${sign} times the drawn speed and no other dial`, (t) => {
    const dials = sweep(className);
    const expected = (sign * scenes[0]!.setting.circlesPerSecond) / timing.fps;
    for (const [at, now] of dials.entries()) {
      const before = dials[at - 1];
      if (before === undefined) continue;
      for (const name of DIALS) {
        const moved = turn(before[name], now[name]);
        t.true(Math.abs(moved - (name === dial ? expected : 0)) < 1e-12);
      }
    }
  });
}

test('pass never turns around, bounce does so once, between 0.4 and 0.6 of the video', (t) => {
  const headings = new Set<number>();
  for (const scene of scenes.slice(0, 50)) {
    const { heading } = scene.setting;
    headings.add(heading);
    t.true(gapSigns('pass', scene).every((sign) => sign === heading));
    const back = gapSigns('bounce', scene);
    const turned = back.indexOf(heading);
    t.true(turned >= 0.4 * 17 - 2 && turned <= 0.6 * 17 + 1);
    t.true(back.slice(0, Math.max(0, turned - 1)).every((sign) => sign === -heading));
    t.true(back.slice(turned).every((sign) => sign === heading));
  }
  t.is(headings.size, 2);
});

for (const className of motionClasses) {
  test(`${className}: first, middle and last frames spread evenly over all circles`, (t) => {
    for (const frame of [0, 8, 16]) {
      const step = stepOf(className, frame, timing.numFrames);
      const dials = scenes.map(({ setting }) => dialsAt(className, step, setting, timing));
      for (const name of DIALS) {
        t.true(dials.every((dial) => dial[name] >= 0 && dial[name] < 1));
        const angles = dials.map((dial) => 2 * Math.PI * dial[name]);
        const east = angles.reduce((sum, angle) => sum + Math.cos(angle), 0) / angles.length;
        const north = angles.reduce((sum, angle) => sum + Math.sin(angle), 0) / angles.length;
        // Even places give a mean of length about 1 / sqrt(n); 2.5 times that is seen once in 500 draws.
        t.true(Math.hypot(east, north) < 2.5 / Math.sqrt(scenes.length));
      }
    }
  });
}

test('mean place and size of the shapes agree between opposite classes at the first and middle frame', (t) => {
  for (let pair = 0; pair < motionClasses.length; pair += 2) {
    for (const frame of [0, 8]) {
      const first = meanPlace(motionClasses[pair]!, frame);
      const second = meanPlace(motionClasses[pair + 1]!, frame);
      for (const [at, tolerance] of [0.05, 0.05, 0.006].entries()) {
        t.true(Math.abs(first[at]! - second[at]!) < tolerance);
      }
    }
  }
});

test('the two shapes never touch and look different', (t) => {
  for (const scene of scenes) {
    const [first, second] = placeActors(scene, scene.setting.phases);
    const apart = Math.abs(first.y - second.y);
    t.true(Math.min(apart, 16 - apart) > first.radius + second.radius);
    t.notDeepEqual(first.fill, second.fill);
  }
});
