/** Cutting and joining tubelets of a 16 × 224 × 224 clip, against a plain copy of the same bytes. */

import { createRng } from '../../lib/core/index.ts';
import { cutTubelets, joinTubelets } from '../../lib/sample/index.ts';
import type { ClipShape, TubeletShape } from '../../lib/sample/index.ts';
import { median, quantile, round } from './bench.ts';
import type { Bench } from './bench.ts';

const SHAPE: ClipShape = [16, 224, 224, 3];
const TUBELET: TubeletShape = [2, 16, 16];
/** What a 4:3 video scaled to a short side of 256 leaves around the centre crop; its strips lie at odd addresses. */
const WINDOW = { frameWidth: 341, frameHeight: 256, left: 58, top: 16 };
const RUNS = 200;
const SHORT_RUNS = 3;
const WARM_UP = 20;

/** Reports every case; the cases take turns, so that a slow moment of the machine hits all of them. */
export function run({ isShort, report }: Bench): Promise<void> {
  const runs = isShort ? SHORT_RUNS : RUNS;
  const rng = createRng(0, 'bench');
  const bytes = SHAPE.reduce((product, side) => product * side, 1);
  const clip = Uint8Array.from({ length: bytes }, () => rng.integer(0, 256));
  const frames = new Uint8Array(SHAPE[0] * WINDOW.frameWidth * WINDOW.frameHeight * 3).fill(7);
  const tokens = cutTubelets(clip, SHAPE, TUBELET);
  const out = new Uint8Array(bytes);
  const cases = {
    copy: () => out.set(clip),
    cut: () => cutTubelets(clip, SHAPE, TUBELET, { out }),
    cutWindow: () => cutTubelets(frames, SHAPE, TUBELET, { out, window: WINDOW }),
    join: () => joinTubelets(tokens, SHAPE, TUBELET, out),
  };
  const times = Object.values(cases).map((): number[] => []);
  for (let number = -WARM_UP; number < runs; number++) {
    for (const [index, once] of Object.values(cases).entries()) {
      const start = process.hrtime.bigint();
      once();
      const elapsed = Number(process.hrtime.bigint() - start) / 1e6;
      if (number >= 0) times[index]?.push(elapsed);
    }
  }
  const copyMs = median(times[0] ?? []);
  for (const [index, name] of Object.keys(cases).entries()) {
    const medianMs = median(times[index] ?? []);
    report({
      bench: `sample/${name}`,
      input: SHAPE.join('x'),
      runs,
      medianMs: round(medianMs, 3),
      p95Ms: round(quantile(times[index] ?? [], 0.95), 3),
      gigabytesPerSecond: round(bytes / medianMs / 1e6, 3),
      timesPlainCopy: round(medianMs / copyMs, 3),
    });
  }
  return Promise.resolve();
}
