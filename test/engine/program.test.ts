/** Programs: states, shapes, order of runs, closing. */

import test from 'ava';
import * as tf from '@tensorflow/tfjs';
import { compile } from '../../lib/index.ts';
import type { EngineName, TensorFunction } from '../../lib/index.ts';
import { adamwUpdate } from '../../lib/ops/index.ts';
import { createRandom, floats } from '../helpers/compare-engines.ts';

type Named = Readonly<Record<string, tf.Tensor>>;

const ENGINES: { engine: EngineName; backend?: string }[] = [
  { engine: 'onnx' },
  { engine: 'eager', backend: 'cpu' },
];

for (const options of ENGINES) {
  const { engine } = options;

  test.serial(`${engine}: states move on, those not given back stay`, async (t) => {
    await using counter = await compile(
      ({ x }, { total, weight }) => ({ total: total!.add(x!.mul(weight!)), before: total!.mul(1) }),
      { inputs: { x: [2] }, state: { total: [2], weight: [] } },
      options,
    );
    t.deepEqual(counter.readState(), { total: new Float32Array(2), weight: new Float32Array(1) });
    counter.setState({ weight: [2] });
    t.deepEqual(await counter.run({ x: [1, 2] }), { before: Float32Array.of(0, 0) });
    t.deepEqual(await counter.run({ x: [10, 20] }), { before: Float32Array.of(2, 4) });
    t.deepEqual(counter.readState(), {
      total: Float32Array.of(22, 44),
      weight: Float32Array.of(2),
    });
    const copy = counter.readState()['total']!;
    await counter.run({ x: [1, 1] });
    t.deepEqual(copy, Float32Array.of(22, 44));
  });

  test.serial(`${engine}: states that change places and states given back untouched`, async (t) => {
    await using swap = await compile(
      (_, { a, b, c }) => ({ a: b!, b: a!, c: c!, sum: a!.add(b!) }),
      { state: { a: [2], b: [2], c: [1] } },
      options,
    );
    swap.setState({ a: [1, 2], b: [3, 4], c: [5] });
    const results = [];
    for (let i = 0; i < 3; i += 1) results.push(await swap.run());
    t.deepEqual(results[2], { sum: Float32Array.of(4, 6) });
    const state = { a: Float32Array.of(3, 4), b: Float32Array.of(1, 2), c: Float32Array.of(5) };
    t.deepEqual(swap.readState(), state);
  });

  test.serial(`${engine}: another shape is another program with the same states`, async (t) => {
    let traces = 0;
    await using program = await compile(
      ({ x }, { count }) => {
        traces += 1;
        return { sum: x!.sum(), count: count!.add(1) };
      },
      { inputs: { x: [2, 2] }, state: { count: [] } },
      options,
    );
    await t.throwsAsync(program.run({ x: [1, 2, 3] }), {
      instanceOf: RangeError,
      message: /^"x"/u,
    });
    const wider = await program.withInputs({ x: { shape: [3], dtype: 'float32' } });
    t.is(await program.withInputs({ x: { shape: [3], dtype: 'float32' } }), wider);
    t.is(await program.withInputs({}), program);
    t.deepEqual(await wider.run({ x: [1, 2, 3] }), { sum: Float32Array.of(6) });
    t.deepEqual(await program.run({ x: [1, 2, 3, 4] }), { sum: Float32Array.of(10) });
    t.deepEqual(wider.readState(), { count: Float32Array.of(2) });
    if (engine === 'onnx') t.is(traces, 2);
  });

  test.serial(`${engine}: arrays, lists, tensors and all dtypes go in and out`, async (t) => {
    await using program = await compile(
      ({ f, i, b }) => ({
        f: f!.mul(2),
        i: i!.add(tf.scalar(1, 'int32')),
        b: b!.logicalNot(),
        whole: tf.cast(f!, 'int32'),
      }),
      { inputs: { f: [2], i: { shape: [2], dtype: 'int32' }, b: { shape: [2], dtype: 'bool' } } },
      options,
    );
    const expected = {
      f: Float32Array.of(3, -5),
      i: Int32Array.of(8, 0),
      b: Uint8Array.of(0, 1),
      whole: Int32Array.of(1, -2),
    };
    t.deepEqual(await program.run({ f: [1.5, -2.5], i: [7, -1], b: [1, 0] }), expected);
    const tensors = { f: tf.tensor([1.5, -2.5]), i: tf.tensor([7, -1], [2], 'int32') };
    t.deepEqual(await program.run({ ...tensors, b: Uint8Array.of(1, 0) }), expected);
    tf.dispose(Object.values(tensors));
  });

  test.serial(`${engine}: inputs and states are checked by name`, async (t) => {
    await using program = await compile(
      ({ x }, { s }) => ({ y: x!.add(s!) }),
      { inputs: { x: [1] }, state: { s: [1] } },
      options,
    );
    const message = /^"(?:inputs|state|x|s)"/u;
    await t.throwsAsync(program.run({}), { instanceOf: RangeError, message });
    await t.throwsAsync(program.run({ x: [1], z: [1] }), { instanceOf: RangeError, message });
    const matrix = tf.zeros([1, 1]);
    await t.throwsAsync(program.run({ x: matrix }), { instanceOf: RangeError, message });
    matrix.dispose();
    t.throws(() => program.setState({ z: [1] }), { instanceOf: RangeError, message });
    t.throws(() => program.setState({ s: [1, 2] }), { instanceOf: RangeError, message });
  });

  test.serial(`${engine}: runs that are not awaited follow one another`, async (t) => {
    await using program = await compile(
      ({ x }, { s }) => ({ y: s!.mul(1), s: s!.mul(10).add(x!) }),
      { inputs: { x: [] }, state: { s: [] } },
      options,
    );
    const runs = [1, 2, 3, 4].map((x) => program.run({ x: [x] }));
    t.deepEqual(
      (await Promise.all(runs)).map(({ y }) => y![0]),
      [0, 1, 12, 123],
    );
    t.deepEqual(program.readState(), { s: Float32Array.of(1234) });
  });

  test.serial(`${engine}: closing waits for runs that were called, and lets none in`, async (t) => {
    const program = await compile(
      ({ x }, { s }) => ({ y: x!.add(s!), s: s!.add(1) }),
      { inputs: { x: [] }, state: { s: [] } },
      options,
    );
    const other = await program.withInputs({ x: { shape: [2], dtype: 'float32' } });
    const bad = t.throwsAsync(program.run({ x: [1, 2] }), { instanceOf: RangeError });
    const runs = [program.run({ x: [1] }), program.run({ x: [2] }), other.run({ x: [3, 4] })];
    const closing = program.dispose();
    for (const one of [program, other]) {
      await t.throwsAsync(one.run({ x: [1] }), { instanceOf: TypeError });
    }
    await Promise.all([bad, closing, other.dispose()]);
    t.deepEqual(
      (await Promise.all(runs)).map(({ y }) => y),
      [Float32Array.of(1), Float32Array.of(3), Float32Array.of(5, 6)],
    );
  });

  test.serial(`${engine}: nothing of tfjs stays behind`, async (t) => {
    const before = tf.memory();
    const program = await compile(
      ({ x }, { w }) => {
        const weight = tf.variable(w!);
        const { grads } = tf.variableGrads(() => x!.mul(weight).sum<tf.Scalar>(), [weight]);
        return { w: weight.sub(Object.values(grads)[0]!) };
      },
      { inputs: { x: [3] }, state: { w: [3] } },
      options,
    );
    await program.run({ x: [1, 2, 3] });
    await program.run({ x: [1, 2, 3] });
    t.deepEqual(program.readState(), { w: Float32Array.of(-2, -4, -6) });
    await program.dispose();
    await program.dispose();
    t.is(tf.memory().numTensors, before.numTensors);
    await t.throwsAsync(program.run({ x: [1, 2, 3] }), { instanceOf: TypeError });
    await t.throwsAsync(program.withInputs({}), { instanceOf: TypeError });
    t.throws(() => program.readState(), { instanceOf: TypeError });
  });
}

test.serial('run twice, same bits', async (t) => {
  const random = createRandom(11);
  const [x, w] = [floats([64, 96], random), floats([96, 80], random)];
  const make = () =>
    compile(
      (inputs: Named, state: Named) => {
        const loss = (weight: tf.Tensor): tf.Scalar =>
          tf.logSoftmax(tf.matMul(inputs['x']!, weight)).square().mean();
        const { value, grad } = tf.valueAndGrad(loss)(state['w']!);
        return { loss: value, w: state['w']!.sub(grad) };
      },
      { inputs: { x: [64, 96] }, state: { w: [96, 80] } },
    );
  const finals = [];
  for (let round = 0; round < 2; round += 1) {
    await using program = await make();
    program.setState({ w: w.data });
    const losses = [];
    for (let step = 0; step < 5; step += 1) losses.push((await program.run({ x: x.data }))['loss']);
    finals.push({ losses, ...program.readState() });
  }
  t.deepEqual(finals[0], finals[1]);
});

test.serial('a run allocates no memory for states', async (t) => {
  const numbers = 4_000_000;
  await using program = await compile(
    (_, { a, b }) => ({ a: a!.add(1), b: b!.add(a!), sum: a!.sum() }),
    { state: { a: [numbers], b: [numbers] } },
  );
  await program.run();
  const before = process.memoryUsage().arrayBuffers;
  const { sum } = await program.run();
  t.true(process.memoryUsage().arrayBuffers - before < numbers);
  t.is(sum![0], numbers);
  t.is(program.readState()['b']![numbers - 1], 1);
});

test.serial('another function works on the same states, which are read by name', async (t) => {
  for (const engine of ENGINES) {
    await using adding = await compile(
      ({ x }, { sum }) => ({ sum: tf.add(sum!, x!) }),
      { inputs: { x: [2] }, state: { sum: [2], rest: [1] } },
      engine,
    );
    const doubling: TensorFunction = (_, { sum }) => ({
      twice: tf.mul(sum!, 2),
      sum: tf.sub(sum!, sum!),
    });
    const other = await adding.withFunction(doubling);
    t.is(await adding.withFunction(doubling), other);
    await adding.run({ x: [1, 2] });
    await adding.run({ x: [3, 4] });
    t.deepEqual(adding.readState(['sum']), { sum: Float32Array.of(4, 6) });
    t.deepEqual(await other.run(), { twice: Float32Array.of(8, 12) });
    t.deepEqual(other.readState(), { sum: new Float32Array(2), rest: new Float32Array(1) });
    t.throws(() => other.readState(['total']), { instanceOf: RangeError, message: /"total"/u });
    await t.throwsAsync(adding.withFunction(doubling, { sum: [2] }), {
      instanceOf: RangeError,
      message: '"inputs" and "state" both have "sum".',
    });
    await other.dispose();
    await t.throwsAsync(async () => adding.run({ x: [1, 2] }), { instanceOf: TypeError });
  }
});

test.serial(
  'a function that is made ready during a run does not lose what the run makes',
  async (t) => {
    const numbers = 1_000_000;
    await using plain = await compile(
      ({ x }, { w }) => ({ w: tf.add(w!, x!) }),
      { inputs: { x: [numbers] }, state: { w: [numbers], m: [numbers], v: [numbers] } },
      { engine: 'onnx' },
    );
    const run = plain.run({ x: new Float32Array(numbers).fill(1) });
    const adamw = await plain.withFunction(
      ({ rate }, { w, m, v }) => {
        const tensors = { parameter: w!, gradient: tf.mul(w!, 2), first: m!, second: v! };
        const scalars = { rate: rate!, keep: tf.onesLike(rate!), correction: tf.onesLike(rate!) };
        const next = adamwUpdate(tensors, scalars, { beta1: 0.9, beta2: 0.95, epsilon: 1e-8 });
        return { w: next.parameter, m: next.first, v: next.second };
      },
      { rate: [] },
    );
    await run;
    t.is(plain.readState(['w'])['w']![numbers - 1], 1);
    await adamw.run({ rate: [0] });
    const { w, m } = plain.readState(['w', 'm']);
    t.is(w![numbers - 1], 1);
    t.true(Math.abs(m![0]! - 0.2) < 1e-6);
  },
);

test.serial('states live in two buffers that change places', async (t) => {
  const { createSwapStore } = await import('../../lib/engine/engines/swap-store.ts');
  const store = createSwapStore({ s: { shape: [2], dtype: 'float32' } });
  const [first, second] = [store.current('s'), store.spare('s')];
  second.set([1, 2]);
  store.swap(['s']);
  t.is(store.current('s'), second);
  t.is(store.spare('s'), first);
  t.deepEqual(store.read(['s']), { s: Float32Array.of(1, 2) });
  t.not(store.read(['s'])['s'], second);
  t.throws(() => store.current('other'), { instanceOf: RangeError });
});
