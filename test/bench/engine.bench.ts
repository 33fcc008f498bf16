/**
 * The engine against PyTorch and tfjs' wasm backend: a transformer block forward and backward, and a whole step of VideoMAE's
 * pre-training. Contenders are processes of their own and take turns, one step each; what counts is the ratio within a round.
 *
 * PyTorch is looked for at `TORCH_PYTHON` (paths of interpreters with `torch`, separated by colons; default: Debian's), and runs
 * with the better one of one thread and one per core.
 */

import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { projectFile } from '../helpers/project.ts';
import { median, round } from './bench.ts';
import type { Bench } from './bench.ts';
import { startContender } from './contender.ts';
import type { Answer, Contender } from './contender.ts';
import type { ChildWork } from './engine-child.ts';

type Work = Pick<ChildWork, 'product' | 'block' | 'pretrain'>;

interface Case {
  readonly name: string;
  readonly work: Work;
  readonly hasWasm?: boolean;
  /** Also with all scores kept. */
  readonly hasFull?: boolean;
}

const CASES: readonly Case[] = [
  {
    name: 'block-8x160x768',
    work: { block: { batch: 8, tokens: 160, width: 768, heads: 12 } },
    hasWasm: true,
    hasFull: true,
  },
  {
    name: 'block-4x1568x384',
    work: { block: { batch: 4, tokens: 1568, width: 384, heads: 6 } },
    hasFull: true,
  },
  {
    name: 'block-8x1568x768',
    work: { block: { batch: 8, tokens: 1568, width: 768, heads: 12 } },
    hasFull: true,
  },
  { name: 'pretrain-S-4', work: { pretrain: { size: 'S', batch: 4 } }, hasFull: true },
  { name: 'pretrain-B-2', work: { pretrain: { size: 'B', batch: 2 } }, hasFull: true },
];

const SHORT_CASE: Case = {
  name: 'block-1x16x32',
  work: { block: { batch: 1, tokens: 16, width: 32, heads: 2 } },
  hasWasm: true,
  hasFull: true,
};

/** Measures what is named (all cases if none is). */
export async function run(bench: Bench): Promise<void> {
  const cases = bench.isShort
    ? [SHORT_CASE]
    : CASES.filter(({ name }) => bench.folders.length === 0 || bench.folders.includes(name));
  for (const one of cases) await measure(one, bench);
}

async function measure({ name, work, hasWasm, hasFull }: Case, bench: Bench): Promise<void> {
  const running = new Map<string, Contender>();
  const add = async (label: string, starting: Promise<Contender | null>): Promise<void> => {
    const contender = await starting;
    if (contender !== null) running.set(label, contender);
  };
  await add('product', startChild({ product: 2048 }));
  await add('tubelet', startChild(work));
  if (hasFull === true) await add('tubelet, all scores kept', startChild(work, { memory: 'full' }));
  if (hasWasm === true) await add('tfjs wasm', startChild(work, { engine: 'wasm' }));
  for (const python of pythons()) {
    const best = await startTorch(python, work);
    if (best !== null) running.set(`torch ${String(best.ready['torch'])}`, best);
    const product = best === null ? null : await startTorch(python, { product: 2048 });
    if (product !== null)
      running.set(`product of torch ${String(product.ready['torch'])}`, product);
  }
  const seconds = new Map([...running.keys()].map((label) => [label, [] as number[]]));
  for (let number = 0; number < bench.rounds; number += 1) {
    for (const [label, contender] of running) {
      const runs = label.startsWith('product') ? 5 : 1; // a product is short
      const own: number[] = [];
      for (let i = 0; i < runs; i += 1) own.push(Number((await contender.step())['seconds']));
      seconds.get(label)!.push(Math.min(...own));
    }
  }
  const facts = new Map<string, Answer>();
  for (const [label, contender] of running) {
    facts.set(label, { ...contender.ready, ...(await contender.finish()) });
  }
  reportAll({ name, seconds, facts }, bench);
}

interface Results {
  readonly name: string;
  readonly seconds: ReadonlyMap<string, readonly number[]>;
  readonly facts: ReadonlyMap<string, Answer>;
}

function reportAll({ name, seconds, facts }: Results, { report }: Bench): void {
  const flops = Number(facts.get('tubelet')?.['flops']);
  const products = [...seconds].filter(([label]) => label.startsWith('product'));
  const rates = products.map(([, runs]) => (2 * 2048 ** 3) / Math.min(...runs));
  const ours = seconds.get('tubelet') ?? [];
  for (const [label, runs] of seconds) {
    const isProduct = label.startsWith('product');
    const work = isProduct ? 2 * 2048 ** 3 : flops;
    const ratios = runs.map((own, index) => own / (ours[index] ?? Number.NaN));
    report({
      bench: `engine/${name}`,
      contender: label,
      threads: facts.get(label)?.['threads'] ?? availableParallelism(),
      rounds: runs.length,
      seconds: round(median(runs), 4),
      best: round(Math.min(...runs), 4),
      gflops: round(work / median(runs) / 1e9, 0),
      ofProduct: round(work / median(runs) / Math.max(...rates)),
      peakMegabytes: round(Number(facts.get(label)?.['peakBytes']) / 1e6, 0),
      ...(isProduct ? {} : { timesTubelet: spread(ratios) }),
      ...(facts.get(label)?.['compileSeconds'] === undefined
        ? {}
        : { compileSeconds: round(Number(facts.get(label)?.['compileSeconds'])) }),
    });
  }
}

function spread(ratios: readonly number[]): Readonly<Record<string, number>> {
  const [low, high] = [Math.min(...ratios), Math.max(...ratios)];
  return { median: round(median(ratios)), min: round(low), max: round(high) };
}

function startChild(work: Work, options: Partial<ChildWork> = {}): Promise<Contender | null> {
  const child = fileURLToPath(new URL('engine-child.js', import.meta.url));
  const all = { engine: 'onnx', memory: 'low', ...work, ...options } satisfies ChildWork;
  return startContender(process.execPath, [child, JSON.stringify(all)]);
}

function pythons(): string[] {
  return (process.env['TORCH_PYTHON'] ?? '/usr/bin/python3').split(':');
}

/** The faster one of one thread and one per core, judged by the better of three steps. */
async function startTorch(python: string, work: Work): Promise<Contender | null> {
  let best: { readonly contender: Contender; readonly seconds: number } | undefined;
  for (const threads of new Set([availableParallelism(), 1])) {
    const contender = await startContender(
      python,
      [projectFile('test/bench/rivals/torch_step.py'), JSON.stringify({ ...work, threads })],
      { env: { OMP_NUM_THREADS: String(threads), OPENBLAS_NUM_THREADS: String(threads) } },
    );
    if (contender === null) return null;
    const runs: number[] = [];
    for (let i = 0; i < 3; i += 1) runs.push(Number((await contender.step())['seconds']));
    const seconds = Math.min(...runs);
    const own = { ...contender, ready: { ...contender.ready, threads } };
    if (best === undefined || seconds < best.seconds) {
      await best?.contender.finish();
      best = { contender: own, seconds };
    } else await contender.finish();
  }
  return best?.contender ?? null;
}
