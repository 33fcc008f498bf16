import test from 'ava';
import { motionClasses } from '../../lib/demo/index.ts';
import { dialsAt, stepOf } from '../../lib/demo/motions.ts';
import type { Dial, MotionClass } from '../../lib/demo/motions.ts';
import { drawScene, placeActors } from '../../lib/demo/scene.ts';
import type { Scene } from '../../lib/demo/scene.ts';

const NUM_FRAMES = 17;
const DIALS: readonly Dial[] = ['x', 'y', 'gap', 'angle', 'size'];

const scenes = Array.from({ length: 400 }, (_, index) =>
  drawScene({ width: 16, height: 16 }, 7, 'test', index),
);

/** The smallest turn from one place of a circle to another, -0.5 to 0.5. */
function turn(from: number, to: number): number {
  return to - from - Math.round(to - from);
}

function sweep(className: MotionClass, scene = scenes[0]!): Record<Dial, number>[] {
  return Array.from({ length: NUM_FRAMES }, (_, frame) =>
    dialsAt(className, stepOf(className, frame, NUM_FRAMES), scene.setting, NUM_FRAMES),
  );
}

/** Directions of the gap dial from frame to frame. */
function gapSigns(className: MotionClass, scene: Scene): number[] {
  const gaps = sweep(className, scene).map(({ gap }) => gap);
  return gaps.slice(1).map((gap, at) => Math.sign(turn(gaps[at]!, gap)));
}

/** Mean x, y and radius of all shapes of all scenes in all frames, as parts of the picture. */
function meanPlace(className: MotionClass): number[] {
  const placed = scenes.flatMap((scene) =>
    sweep(className, scene).flatMap((dials) => placeActors(scene, dials)),
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
    const expected = (sign * scenes[0]!.setting.circles) / NUM_FRAMES;
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
  test(`${className}: over the whole video all dials spread evenly over their circles`, (t) => {
    const dials = scenes.flatMap((scene) => sweep(className, scene));
    for (const name of DIALS) {
      t.true(dials.every((dial) => dial[name] >= 0 && dial[name] < 1));
      const angles = dials.map((dial) => 2 * Math.PI * dial[name]);
      const east = angles.reduce((sum, angle) => sum + Math.cos(angle), 0) / angles.length;
      const north = angles.reduce((sum, angle) => sum + Math.sin(angle), 0) / angles.length;
      // Even places of 400 scenes give a mean of about 0.05; a dial that turns 0.9 circles leaves one of up to 0.11.
      t.true(Math.hypot(east, north) < 0.14, `${name} ${Math.hypot(east, north)}`);
    }
  });

  test(`${className}: in the middle of the video its dial is where it is in all its videos`, (t) => {
    const middles = scenes.map((scene) => sweep(className, scene)[8]!);
    const turning = DIALS.filter((name) => {
      const angles = middles.map((dial) => 2 * Math.PI * dial[name]);
      const east = angles.reduce((sum, angle) => sum + Math.cos(angle), 0) / angles.length;
      const north = angles.reduce((sum, angle) => sum + Math.sin(angle), 0) / angles.length;
      return Math.hypot(east, north) > 0.5; // 1 if all are at one place, 0.05 if they are anywhere.
    });
    t.is(turning.length, 1);
  });
}

test('mean place and size of the shapes agree between opposite classes over the whole video', (t) => {
  for (let pair = 0; pair < motionClasses.length; pair += 2) {
    const first = meanPlace(motionClasses[pair]!);
    const second = meanPlace(motionClasses[pair + 1]!);
    for (const [at, tolerance] of [0.05, 0.05, 0.006].entries()) {
      t.true(Math.abs(first[at]! - second[at]!) < tolerance);
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
