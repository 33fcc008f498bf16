/** Runs in a process of its own for one candidate: a missing driver may print or crash there. Writes one JSON line. */

import { TubeletError, messageText } from '../../core/index.ts';
import { compile } from '../compile.ts';
import { CANDIDATES } from './candidates.ts';
import type { Candidate } from './candidates.ts';
import type { Measurement } from './diagnose.ts';

/** Sizes of square products, larger ones only where the one before was fast. */
const SIZES = [256, 1024, 2048];
const ENOUGH_MS = 60;
const ROUNDS = 4;

const name = process.argv[2];
const candidate = CANDIDATES.find((one) => one.name === name);
if (candidate !== undefined) process.send?.(await measure(candidate));
process.disconnect?.();

async function measure({ options }: Candidate): Promise<Measurement> {
  try {
    let best = 0;
    for (const size of SIZES) {
      const { rate, milliseconds } = await timeProducts(size, options);
      best = Math.max(best, rate);
      if (milliseconds > ENOUGH_MS) break;
    }
    return { productsGflops: Number(best.toPrecision(3)), problem: null };
  } catch (error) {
    const own = error instanceof TubeletError ? error.details['message'] : undefined;
    return { productsGflops: null, problem: String(own ?? messageText(error)).trim() };
  }
}

async function timeProducts(
  size: number,
  options: Candidate['options'],
): Promise<{ rate: number; milliseconds: number }> {
  await using program = await compile(
    (_, { a, b }) => (a === undefined || b === undefined ? {} : { c: a.matMul(b) }),
    { state: { a: [size, size], b: [size, size] } },
    options,
  );
  const data = Float32Array.from({ length: size * size }, (_, index) => (index % 7) - 3);
  program.setState({ a: data, b: data });
  await program.run();
  let milliseconds = Infinity;
  for (let round = 0; round < ROUNDS; round += 1) {
    const startedAt = performance.now();
    await program.run();
    milliseconds = Math.min(milliseconds, performance.now() - startedAt);
  }
  return { rate: (2 * size ** 3) / (milliseconds * 1e6), milliseconds };
}
