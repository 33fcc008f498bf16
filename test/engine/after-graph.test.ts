/** AdamW after the graph, in memory of WebAssembly: the same bits as in the graph, states as before, and the way back. */

import test from 'ava';
import type { ExecutionContext } from 'ava';
import * as tf from '@tensorflow/tfjs';
import { compile } from '../../lib/engine/index.ts';
import type { Program, TensorData } from '../../lib/engine/index.ts';
import { fillMemories, placeParameters } from '../../lib/engine/engines/adamw-memory.ts';
import { createSwapStore } from '../../lib/engine/engines/swap-store.ts';
import { adamwUpdate } from '../../lib/ops/index.ts';
import { createRandom, floats } from '../helpers/compare-engines.ts';

type Named = Readonly<Record<string, tf.Tensor>>;
type Step = (inputs: Named, state: Named) => Record<string, tf.Tensor>;
type Data = Readonly<Record<string, TensorData>>;

const CONSTANTS = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8 };
const SCALARS = { rate: [1e-3], keep: [1 - 5e-6], correction: [20] };
const SCALAR_SHAPES = { rate: [], keep: [], correction: [] };

type WasmClass = new (...values: unknown[]) => object;

const { WebAssembly } = globalThis as unknown as {
  readonly WebAssembly: Record<'Memory' | 'Module', WasmClass> & {
    readonly CompileError: new (message: string) => Error;
  };
};

/** Counts uses of a class of WebAssembly while `work` runs; given an error, each fails with it. */
async function watch<Result>(
  name: 'Memory' | 'Module',
  work: () => Promise<Result>,
  error?: Error,
): Promise<{ result: Result; count: number }> {
  const original = WebAssembly[name];
  let count = 0;
  WebAssembly[name] = function use(...values: unknown[]) {
    count += 1;
    if (error !== undefined) throw error;
    return new original(...values);
  } as unknown as WasmClass;
  try {
    return { result: await work(), count };
  } finally {
    WebAssembly[name] = original;
  }
}

/** Compiles where no memory can be had, so that AdamW is in the graph. */
async function inGraph(open: () => Promise<Program>): Promise<Program> {
  return (await watch('Memory', open, new RangeError('no memory'))).result;
}

/** Next values of `name`, `m.name` and `v.name`. */
function move(name: string, gradient: tf.Tensor, inputs: Named, state: Named): Named {
  const [parameter, first, second] = ['', 'm.', 'v.'].map((kind) => state[`${kind}${name}`]!);
  const { rate, keep, correction } = inputs;
  const next = adamwUpdate(
    { parameter: parameter!, gradient, first: first!, second: second! },
    { rate: rate!, keep: keep!, correction: correction! },
    CONSTANTS,
  );
  return { [name]: next.parameter, [`m.${name}`]: next.first, [`v.${name}`]: next.second };
}

function statesOf(shapes: Readonly<Record<string, number[]>>): Record<string, number[]> {
  return Object.fromEntries(
    Object.entries(shapes).flatMap(([name, shape]) =>
      ['', 'm.', 'v.'].map((kind) => [`${kind}${name}`, shape]),
    ),
  );
}

/** One parameter `w` whose gradient is the input `g`. */
function openPlain(length: number): Promise<Program> {
  return compile(({ g, ...inputs }, state) => ({ ...move('w', g!, inputs, state) }), {
    inputs: { g: [length], ...SCALAR_SHAPES },
    state: statesOf({ w: [length] }),
  });
}

/** A network of two layers whose longest gradient is 1e-3, and its loss. */
const networkStep: Step = ({ x, ...inputs }, state) => {
  const names = ['w1', 'b1', 'w2'];
  const loss = (w1: tf.Tensor, b1: tf.Tensor, w2: tf.Tensor): tf.Scalar =>
    tf
      .matMul(tf.tanh(tf.matMul(x!, w1).add(b1)), w2)
      .square()
      .mean<tf.Scalar>();
  const { value, grads } = tf.valueAndGrads(loss)(names.map((name) => state[name]!));
  const norm = tf.sqrt(tf.addN(grads.map((one) => one.square().sum())));
  const factor = tf.minimum(1, tf.div(1e-3, norm));
  const next = names.map((name, i) => move(name, grads[i]!.mul(factor), inputs, state));
  return { loss: value, norm, ...Object.assign({}, ...next) };
};

const NETWORK = {
  inputs: { x: [5, 16], ...SCALAR_SHAPES },
  state: statesOf({ w1: [16, 33], b1: [33], w2: [33, 3] }),
};

function networkValues(): Record<string, TensorData> {
  const random = createRandom(5);
  return Object.fromEntries(
    Object.entries(NETWORK.state)
      .filter(([name]) => !/^[mv]\./u.test(name))
      .map(([name, shape]) => [name, floats(shape, random, [-0.3, 0.3]).data]),
  );
}

const X = floats([5, 16], createRandom(6)).data;

function assertSameBits(t: ExecutionContext, got: Data, wanted: Data): void {
  t.deepEqual(Object.keys(got), Object.keys(wanted));
  for (const [name, data] of Object.entries(wanted)) {
    const [ours, theirs] = [got[name]!, data].map(({ buffer }) => new Uint32Array(buffer));
    const at = theirs!.findIndex((bits, place) => bits !== ours![place]);
    t.is(at, -1, `${name}[${at}]: ${got[name]![at]} instead of ${data[at]}`);
  }
}

/** Numbers of all sizes, from those that count as 0 to those whose square is infinite, and 0 itself. */
function anySize(length: number, random: () => number): Float32Array {
  return Float32Array.from({ length }, () => {
    const size = random() < 0.1 ? 0 : 10 ** (random() * 70 - 45);
    return random() < 0.5 ? -size : size;
  });
}

// Loops are compiled once, so this comes first.
test.serial('without vectors AdamW stays in the graph', async (t) => {
  const error = new WebAssembly.CompileError('no vectors');
  const { result, count } = await watch('Module', () => openPlain(3), error);
  t.is(count, 1);
  await using program = result;
  await program.run({ g: [1, 2, 3], ...SCALARS });
  t.true(program.readState()['w']!.every((value) => value < 0));
});

test.serial('errors other than for missing vectors and memory are not hidden', async (t) => {
  const error = new TypeError('other');
  await t.throwsAsync(
    watch('Memory', () => openPlain(3), error),
    { is: error },
  );
});

for (const length of [1, 3, 17, 100_003, 3 * 262_144]) {
  for (const keep of [1, 1 - 1e-4]) {
    test.serial(`${length} numbers with keep ${keep} have the bits of the graph`, async (t) => {
      const random = createRandom(length);
      const { result, count } = await watch('Memory', () => openPlain(length));
      t.is(count, 1);
      await using after = result;
      await using within = await inGraph(() => openPlain(length));
      const values = {
        w: anySize(length, random),
        'm.w': anySize(length, random),
        'v.w': anySize(length, random).map(Math.abs),
      };
      for (const program of [after, within]) program.setState(values);
      for (let step = 1; step <= 3; step += 1) {
        const g = anySize(length, random);
        const scalars = { rate: [1e-3 / step], keep: [keep], correction: [1 / (1 - 0.95 ** step)] };
        for (const program of [after, within]) {
          t.deepEqual(await program.run({ g, ...scalars }), {});
        }
        assertSameBits(t, after.readState(), within.readState());
      }
    });
  }
}

test.serial('a network with clipped gradients learns the same in both ways', async (t) => {
  const open = (): Promise<Program> => compile(networkStep, NETWORK);
  const { result, count } = await watch('Memory', open);
  t.is(count, 1);
  await using after = result;
  await using within = await inGraph(open);
  const losses: number[] = [];
  for (const program of [after, within]) program.setState(networkValues());
  for (let step = 0; step < 4; step += 1) {
    const [ours, theirs] = [after, within].map((program) => program.run({ x: X, ...SCALARS }));
    assertSameBits(t, await ours!, await theirs!);
    t.true((await ours!)['norm']![0]! > 1e-3);
    losses.push((await ours!)['loss']![0]!);
    assertSameBits(t, after.readState(), within.readState());
  }
  t.deepEqual(
    losses,
    losses.toSorted((a, b) => b - a),
  );
});

test.serial('programs share states, also with one whose graph does the update', async (t) => {
  // With other than five rows the new weights are seen, so the graph must make them.
  const step: Step = (inputs, state) => {
    const next = networkStep(inputs, state);
    return inputs['x']!.shape[0] === 5 ? next : { ...next, seen: next['w1']! };
  };
  const { result, count } = await watch('Memory', async () => {
    const five = await compile(step, NETWORK);
    return [five, await five.withInputs({ x: { shape: [4, 16], dtype: 'float32' } })] as const;
  });
  t.is(count, 1);
  await using five = result[0];
  const four = result[1];
  await using within = await inGraph(() => compile(step, NETWORK));
  const other = await within.withInputs({ x: { shape: [4, 16], dtype: 'float32' } });
  for (const program of [five, within]) program.setState(networkValues());
  for (let round = 0; round < 2; round += 1) {
    for (const [ours, theirs, x] of [
      [five, within, X],
      [four, other, X.subarray(16)],
    ] as const) {
      assertSameBits(t, await ours.run({ x, ...SCALARS }), await theirs.run({ x, ...SCALARS }));
      assertSameBits(t, five.readState(), within.readState());
    }
  }
});

test.serial('states set before, between and after runs are read back', async (t) => {
  await using program = await openPlain(5);
  t.deepEqual(program.readState(), {
    w: new Float32Array(5),
    'm.w': new Float32Array(5),
    'v.w': new Float32Array(5),
  });
  const inputs = { g: [0, 0, 0, 0, 0], rate: [1], keep: [0.5], correction: [1] };
  program.setState({ w: [1, 2, 3, 4, 5] });
  await program.run(inputs);
  const half = program.readState();
  t.deepEqual(half['w'], Float32Array.of(0.5, 1, 1.5, 2, 2.5));
  program.setState({ w: [8, 8, 8, 8, 8], 'm.w': [1, 1, 1, 1, 1] });
  await program.run({ ...inputs, rate: [0] });
  t.deepEqual(program.readState()['w'], Float32Array.of(4, 4, 4, 4, 4));
  t.deepEqual(program.readState()['m.w'], new Float32Array(5).fill(0.9));
  program.setState(half);
  t.deepEqual(program.readState(), half);
  t.is(half['w']!.buffer.byteLength, 20);
});

test('an update leaves other parameters of its memory alone', (t) => {
  const places = placeParameters([1, 17, 3]);
  const arrays = ['parameter', 'gradient', 'first', 'second'] as const;
  for (const place of places) for (const name of arrays) place[name].fill(1);
  const constants = { rate: 1, keep: 1, correction: 1, epsilon: 0, beta1: 0, beta2: 0 };
  places[1]!.move({ ...constants, gain1: 2, gain2: 4 });
  const seen = places.map((place) => arrays.map((name) => Array.from(new Set(place[name]))));
  t.deepEqual(seen, [
    [[1], [1], [1], [1]],
    [[0], [1], [2], [4]],
    [[1], [1], [1], [1]],
  ]);
  t.is(new Set(places.map(({ parameter }) => parameter.buffer)).size, 1);
});

test('parameters fill one memory after the other, and a large one has its own', (t) => {
  const bytes = 4 * (64 + 128) + 128; // of a parameter of up to 16 numbers
  t.deepEqual(fillMemories([], bytes), []);
  t.deepEqual(fillMemories([16, 1, 16], 2 * bytes), [[16, 1], [16]]);
  t.deepEqual(fillMemories([1, 17, 1, 1], 2 * bytes), [[1], [17], [1, 1]]);
  t.deepEqual(fillMemories([1, 1000, 1], bytes), [[1], [1000], [1]]);
});

test('a state that has settled stays where it is', (t) => {
  const store = createSwapStore({ s: { shape: [2], dtype: 'float32' } });
  store.write({ s: Float32Array.of(1, 2) });
  const home = new Float32Array(2);
  store.settle('s', home);
  t.deepEqual(home, Float32Array.of(1, 2));
  store.spare('s').set([3, 4]);
  store.swap(['s']);
  t.is(store.current('s'), home);
  t.deepEqual(home, Float32Array.of(3, 4));
});
