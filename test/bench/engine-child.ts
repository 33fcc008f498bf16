/**
 * One contender of the engine's benchmark in a process of its own, so that its peak memory is its own: does one step for each line
 * that it reads, and answers with the seconds. Arguments: a JSON object.
 */

import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { compile } from '../../lib/engine/index.ts';
import { tf } from '../../lib/ops/index.ts';
import type { AttentionMemory } from '../../lib/ops/index.ts';
import {
  PRETRAIN_SIZES,
  blockProgram,
  initialParameters,
  pretrainProgram,
} from './engine-models.ts';
import type { BenchProgram, StackSize } from './engine-models.ts';

/** What the parent asks for. */
export interface ChildWork {
  readonly engine: 'onnx' | 'wasm';
  readonly memory: AttentionMemory;
  readonly product?: number;
  readonly block?: StackSize;
  readonly pretrain?: { readonly size: 'S' | 'B'; readonly batch: number };
  readonly profilePrefix?: string;
}

const work = JSON.parse(process.argv[2] ?? '{}') as ChildWork;
const program = programOf(work);
if (work.engine === 'wasm') await import('@tensorflow/tfjs-backend-wasm');
if (work.engine === 'wasm') await tf.setBackend('wasm');
const start = performance.now();
const step = await compile(
  program.fn,
  { inputs: program.inputs, state: program.state },
  work.engine === 'wasm'
    ? { engine: 'eager', backend: 'wasm' }
    : {
        engine: 'onnx',
        ...(work.profilePrefix === undefined ? {} : { profilePrefix: work.profilePrefix }),
      },
);
const compileSeconds = (performance.now() - start) / 1000;
if (work.pretrain !== undefined) {
  // One by one: all at once would be a second copy of the states.
  for (const [name, shape] of Object.entries(program.state)) {
    step.setState(initialParameters({ [name]: shape }));
  }
}
const first = await step.run(program.feeds);
answer({ ready: true, compileSeconds, flops: program.flops, loss: first['loss']?.[0] });
for await (const line of createInterface({ input: process.stdin })) {
  if (line !== 'step') break;
  const before = performance.now();
  const result = await step.run(program.feeds);
  answer({ seconds: (performance.now() - before) / 1000, loss: result['loss']?.[0] });
}
const peak = /VmHWM:\s+(\d+)/u.exec(readFileSync('/proc/self/status', 'utf8'));
answer({ peakBytes: Number(peak?.[1] ?? 0) * 1024 });
await step.dispose();
process.exit(0);

function programOf({ product, block, pretrain, memory }: ChildWork): BenchProgram {
  if (block !== undefined) return blockProgram(block, memory);
  if (pretrain !== undefined) {
    return pretrainProgram({ ...PRETRAIN_SIZES[pretrain.size], batch: pretrain.batch }, memory);
  }
  const size = product ?? 2048;
  const data = new Float32Array(size * size).fill(0.5);
  return {
    fn: ({ a, b }) => ({ c: tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D, false, true) }),
    inputs: { a: [size, size], b: [size, size] },
    state: { c: [size, size] },
    feeds: { a: data, b: data },
    flops: 2 * size ** 3,
  };
}

function answer(line: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
