import { createHash } from 'node:crypto';
import test from 'ava';
import { motionClasses, renderMotionVideo } from '../../lib/demo/index.ts';
import type { MotionClass, MotionVideoOptions } from '../../lib/demo/index.ts';
import { renderScene } from '../../lib/demo/render.ts';
import { drawPlainScene, drawScene } from '../../lib/demo/scene.ts';

const options: MotionVideoOptions = {
  className: 'grow',
  index: 0,
  seed: 1,
  width: 64,
  height: 48,
  numFrames: 9,
};

function render(changes: Partial<MotionVideoOptions> = {}): Buffer[] {
  return Array.from(renderMotionVideo({ ...options, ...changes }), (frame) => Buffer.from(frame));
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

const GOLDEN: Record<MotionClass, string> = {
  'move-left': '5526aa1741cc176b',
  'move-right': 'f59a5691a5444727',
  'move-up': '7af4792d6411efa2',
  'move-down': 'c2380fd071a7b15f',
  'turn-left': '1540ad9cc381026f',
  'turn-right': 'b253892863950514',
  shrink: '0898c259191e9d06',
  grow: '5f20862621290a20',
  pass: '01d2b45e5664bebb',
  bounce: '7c158e2173139f89',
};

for (const className of motionClasses) {
  test(`${className}: frame 5 has the known bytes`, (t) => {
    const hash = createHash('sha256').update(render({ className })[5]!).digest('hex');
    t.is(hash.slice(0, 16), GOLDEN[className]);
  });
}

test('same options give the same bytes; another seed, index or class gives others', (t) => {
  const first = render();
  t.is(first.length, 9);
  t.is(first[0]!.length, 64 * 48 * 3);
  t.deepEqual(render(), first);
  for (const changes of [{ seed: 2 }, { index: 1 }, { className: 'shrink' }]) {
    t.notDeepEqual(render(changes)[4], first[4]);
  }
});

for (const [className, opposite] of [
  ['move-left', 'move-right'],
  ['move-up', 'move-down'],
  ['turn-left', 'turn-right'],
  ['shrink', 'grow'],
] as const) {
  test(`${className} in reverse is ${opposite}, to the last bit`, (t) => {
    const scene = drawScene({ width: 64, height: 48 }, 3, 'test');
    const frames = Array.from(renderScene(scene, className, 8), (frame) => Buffer.from(frame));
    const others = Array.from(renderScene(scene, opposite, 8), (frame) => Buffer.from(frame));
    t.deepEqual(frames.toReversed(), others);
    t.notDeepEqual(frames, others);
  });
}

test('from one scene with all dials in the middle, the middle frame of every class that does not turn back is the same picture', (t) => {
  const drawn = drawScene({ width: 64, height: 48 }, 4, 'test');
  const phases = { x: 0.5, y: 0.5, gap: 0.5, angle: 0.5, size: 0.5 };
  const scene = { ...drawn, setting: { ...drawn.setting, phases } };
  const middles = motionClasses
    .filter((className) => className !== 'bounce')
    .map((className) => {
      const video = renderScene(scene, className, 7);
      return Array.from(video, (frame) => Buffer.from(frame))[3];
    });
  t.is(middles.length, 9);
  for (const middle of middles) t.deepEqual(middle, middles[0]);
});

test('no two frames are equal, and grain keeps to a few levels around the background', (t) => {
  const scene = drawScene({ width: 32, height: 32 }, 5, 'test');
  const differences: number[] = [];
  const seen = new Set<string>();
  for (const frame of renderScene(scene, 'grow', 12)) {
    seen.add(Buffer.from(frame).toString('latin1'));
    const near = frame.filter((level, at) => Math.abs(level - scene.background[at]!) <= 4);
    differences.push(near.length / frame.length);
  }
  t.is(seen.size, 12);
  t.true(differences.every((part) => part > 0.6 && part < 1));
});

test('what leaves the picture on the right comes in on the left', (t) => {
  const scene = drawScene({ width: 48, height: 32 }, 6, 'test');
  const lit = (phaseX: number): number[] => {
    const phases = { ...scene.setting.phases, x: phaseX, gap: 0 };
    const moved = { ...scene, setting: { ...scene.setting, phases } };
    const [frame] = renderScene(moved, 'grow', 1);
    const columns = Array.from({ length: 48 }, () => 0);
    frame!.forEach((level, at) => {
      const difference = Math.abs(level - scene.background[at]!);
      columns[Math.floor(at / 3) % 48]! += difference > 12 ? 1 : 0;
    });
    return columns;
  };
  const centred = lit(0.5);
  const wrapped = lit(0);
  const half = [...centred.slice(24), ...centred.slice(0, 24)];
  t.true(sum(centred) > 100);
  t.true(wrapped[0]! > 0 && wrapped[47]! > 0 && wrapped[24] === 0);
  const apart = sum(wrapped.map((value, at) => Math.abs(value - half[at]!)));
  t.true(apart < sum(centred) * 0.1);
});

test('plain videos differ in their dials alone', (t) => {
  const first = drawPlainScene({ width: 16, height: 16 }, 0, 'test', 1);
  const second = drawPlainScene({ width: 16, height: 16 }, 0, 'test', 2);
  t.deepEqual(first.actors, second.actors);
  t.deepEqual(first.background, second.background);
  t.deepEqual([...first.background.subarray(0, 4)], [124, 116, 104, 124]);
  t.notDeepEqual(first.setting, second.setting);
  const plain = render({ isPlain: true });
  t.is(plain.length, 9);
  t.notDeepEqual(plain, render());
});

for (const wrong of [
  { className: 'explode' },
  { index: -1 },
  { seed: 0.5 },
  { width: 15 },
  { height: 0 },
  { numFrames: 0 },
]) {
  test(`refuses ${JSON.stringify(wrong)} at the call`, (t) => {
    t.throws(() => renderMotionVideo({ ...options, ...wrong }), { instanceOf: RangeError });
  });
}
