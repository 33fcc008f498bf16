/** Cutting and joining tubelets of a 16 × 224 × 224 clip, against a plain copy of the same bytes. */

import { createRng } from '../../lib/core/index.ts';
import { cutTubelets, joinTubelets } from '../../lib/sample/index.ts';
import type { ClipShape, TubeletShape } from '../../lib/sample/index.ts';

const SHAPE: ClipShape = [16, 224, 224, 3];
const TUBELET: TubeletShape = [2, 16, 16];
/** What a 4:3 video scaled to a short side of 256 leaves around the centre crop; its strips lie at odd addresses. */
const WINDOW = { frameWidth: 341, frameHeight: 256, left: 58, top: 16 };
const RUNS = 200;
const WARM_UP = 20;

/** Prints one JSON line per case; the cases take turns, so that a slow moment of the machine hits all of them. */
export function run(): Promise<void> {
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
  for (let round = -WARM_UP; round < RUNS; round++) {
    for (const [index, once] of Object.values(cases).entries()) {
      const start = process.hrtime.bigint();
      once();
      const elapsed = Number(process.hrtime.bigint() - start) / 1e6;
      if (round >= 0) times[index]?.push(elapsed);
    }
  }
  const copyMs = quantile(times[0] ?? [], 0.5);
  for (const [index, name] of Object.keys(cases).entries()) {
    const medianMs = quantile(times[index] ?? [], 0.5);
    const line = {
      bench: `sample/${name}`,
      input: SHAPE.join('x'),
      runs: RUNS,
      medianMs: round3(medianMs),
      p95Ms: round3(quantile(times[index] ?? [], 0.95)),
      gigabytesPerSecond: round3(bytes / medianMs / 1e6),
      timesPlainCopy: round3(medianMs / copyMs),
    };
    console.log(JSON.stringify(line));
  }
  return Promise.resolve();
}

function quantile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
}

function round3(value: number): number {
  return Math.round(value * 1000) / 1000;
}
