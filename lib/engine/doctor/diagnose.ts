/** Looks at every engine that could run programs here, and measures those that do. */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { CANDIDATES } from './candidates.ts';
import type { Candidate } from './candidates.ts';

const DEADLINE_MS = 60_000;

/** What came of trying one candidate. */
export interface Measurement {
  /** Billions of multiplications and additions per second in large products; null if it does not run. */
  readonly productsGflops: number | null;
  /** Why it does not run; null if it does. */
  readonly problem: string | null;
}

/** One engine with where it computes. */
export interface EngineReport extends Measurement {
  /** Version of its package; null if that is not installed. */
  readonly version: string | null;
  /** `onnx/cpu`, `eager/wasm` and so on. */
  readonly name: string;
  readonly note: string;
  /** What to do to have it; null if it runs. */
  readonly install: string | null;
}

/** What can run programs here. */
export interface Diagnosis {
  readonly engines: readonly EngineReport[];
  /** What `compile` uses if nothing else is asked for. */
  readonly chosen: string;
  readonly why: string;
}

/** How to look. */
export interface DiagnoseOptions {
  readonly signal?: AbortSignal;
  /** Called with the name of each engine before it is measured. */
  readonly onEngine?: (name: string) => void;
}

/** Measures every engine, each in a process of its own, one after the other: some seconds in all. */
export async function diagnoseEngines(options: DiagnoseOptions = {}): Promise<Diagnosis> {
  const engines: EngineReport[] = [];
  for (const candidate of CANDIDATES) {
    options.signal?.throwIfAborted();
    options.onEngine?.(candidate.name);
    const { name, note, install, packageName } = candidate;
    const version = versionOf(packageName);
    const measurement =
      version === null
        ? { productsGflops: null, problem: `${packageName} is not installed` }
        : await examine(candidate, options.signal);
    const isFine = measurement.problem === null;
    engines.push({ name, note, install: isFine ? null : install, version, ...measurement });
  }
  const running = engines.filter(({ problem }) => problem === null);
  const [chosen] = running;
  const fastest = running.toSorted((a, b) => (b.productsGflops ?? 0) - (a.productsGflops ?? 0))[0];
  return { engines, chosen: chosen?.name ?? 'none', why: explain(chosen, fastest) };
}

function explain(chosen: EngineReport | undefined, fastest: EngineReport | undefined): string {
  if (chosen === undefined || fastest === undefined) return 'no engine runs here';
  if (chosen.name !== 'onnx/cpu') return 'ONNX Runtime does not run here';
  if (fastest === chosen) return 'the default, and the fastest here';
  return `the default; ${fastest.name} is faster but must be asked for`;
}

async function examine({ name }: Candidate, signal: AbortSignal | undefined): Promise<Measurement> {
  const child = fork(new URL('measure-child.js', import.meta.url), [name], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    execArgv: [],
    timeout: DEADLINE_MS,
    ...(signal === undefined ? {} : { signal }),
  });
  let measurement: Measurement | undefined;
  child.on('message', (message) => {
    measurement = message as Measurement;
  });
  child.on('error', () => undefined);
  const [code] = (await once(child, 'close')) as [number | null];
  signal?.throwIfAborted();
  const problem = `the process that tried it ended with ${code ?? 'a signal'}`;
  return measurement ?? { productsGflops: null, problem };
}

function versionOf(packageName: string): string | null {
  try {
    const found = createRequire(import.meta.url)(`${packageName}/package.json`) as {
      readonly version: string;
    };
    return found.version;
  } catch {
    return null;
  }
}
