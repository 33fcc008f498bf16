import test from 'ava';
import { compile } from '../../lib/engine/index.ts';
import { tf } from '../../lib/ops/index.ts';
import { adamwScalars } from '../../lib/train/optimizer/adamw.ts';
import { parameterRules } from '../../lib/train/optimizer/parameter-groups.ts';
import {
  STATE_PREFIXES,
  STEP_SCALARS,
  createTrainStep,
  stateKinds,
  stateShapes,
} from '../../lib/train/train-step.ts';
import type { TrainStepOptions } from '../../lib/train/train-step.ts';
import type { NamedTensors } from '../../lib/train/tensors.ts';
import { worstExcess } from '../helpers/golden-cases.ts';

const SHAPES = { 'a.weight': [2, 3], 'a.bias': [2] };
const BETAS = { beta1: 0.9, beta2: 0.95 };
const ROWS = [
  [0.1, -0.4, 0.7],
  [0.9, 0.3, -0.2],
  [-0.6, 0.5, 0.8],
  [0.2, 0.2, -0.9],
];

/** Mean over rows of the squared outputs of a linear layer. */
const lossOf: TrainStepOptions['lossOf'] = (parameters, { x }) => {
  const product = tf.matMul(x as tf.Tensor2D, parameters['a.weight'] as tf.Tensor2D, false, true);
  return tf.mean(tf.sum(tf.square(tf.add(product, parameters['a.bias']!)), 1));
};

function startState(options: Partial<TrainStepOptions>): NamedTensors {
  const parameters: NamedTensors = {
    'a.weight': tf.tensor2d([0.3, -0.2, 0.5, 0.4, 0.1, -0.6], [2, 3]),
    'a.bias': tf.tensor1d([0.05, -0.05]),
  };
  const extra = stateKinds(options).flatMap((kind) =>
    Object.entries(parameters).map(([name, tensor]) => [
      `${STATE_PREFIXES[kind]}${name}`,
      kind === 'ema' ? tensor.clone() : tf.zerosLike(tensor),
    ]),
  );
  return { ...parameters, ...(Object.fromEntries(extra) as NamedTensors) };
}

function scalarsOf(step: number): NamedTensors {
  const values = { lr: 0.01, weightDecay: 0.05, ...adamwScalars(step, BETAS) };
  return Object.fromEntries(Object.entries(values).map(([name, one]) => [name, tf.scalar(one)]));
}

const rules = parameterRules(SHAPES);

test('micro steps give what the whole batch gives', (t) => {
  const whole = createTrainStep({ ...BETAS, rules, lossOf, clipNorm: 0.5 });
  const parts = createTrainStep({ ...BETAS, rules, lossOf, clipNorm: 0.5, accumulate: 2 });
  let one = startState({});
  let two = startState({ accumulate: 2 });
  for (let step = 0; step < 3; step++) {
    const inputs = { ...scalarsOf(step), x: tf.tensor2d(ROWS) };
    const { loss, gradNorm, ...next } = whole.run(inputs, one);
    let mean = 0;
    for (const rows of [ROWS.slice(0, 2), ROWS.slice(2)]) {
      const { loss: own, ...sums } = parts.run({ x: tf.tensor2d(rows) }, two);
      t.true(Object.keys(sums).every((name) => name.startsWith(STATE_PREFIXES.sum)));
      mean += own!.dataSync()[0]! / 2;
      two = Object.assign({}, two, sums);
    }
    const { gradNorm: norm, ...after } = parts.update!(scalarsOf(step), two);
    t.true(Math.abs(mean - loss!.dataSync()[0]!) < 1e-6);
    t.true(Math.abs(norm!.dataSync()[0]! - gradNorm!.dataSync()[0]!) < 1e-6);
    one = next;
    two = after;
    for (const [name, tensor] of Object.entries(one)) {
      t.true(worstExcess(two[name]!.dataSync(), tensor.dataSync(), { atol: 1e-6 }) <= 0, name);
    }
    t.true(two['optimizer.sum.a.weight']!.dataSync().every((value) => value === 0));
  }
});

for (const limit of [null, 0.5]) {
  test(`micro steps of a compiled step give what the whole batch gives, gradients ${limit === null ? 'as they are' : 'shortened'}`, async (t) => {
    const options = { ...BETAS, rules, lossOf, clipNorm: limit };
    const scalars = Object.fromEntries(STEP_SCALARS.map((name) => [name, []]));
    const whole = createTrainStep(options);
    const parts = createTrainStep({ ...options, accumulate: 2 });
    const state = stateShapes(SHAPES, { accumulate: 2 });
    await using one = await compile(whole.run, {
      inputs: { x: [4, 3], ...scalars },
      state: stateShapes(SHAPES, {}),
    });
    await using two = await compile(parts.run, { inputs: { x: [2, 3] }, state });
    const update = await two.withFunction(parts.update!, scalars);
    const start = { 'a.weight': [0.3, -0.2, 0.5, 0.4, 0.1, -0.6], 'a.bias': [0.05, -0.05] };
    one.setState(start);
    two.setState(start);
    for (let step = 0; step < 3; step++) {
      const { correction1, correction2 } = adamwScalars(step, BETAS);
      const rates = { lr: [0.01], weightDecay: [0.05] };
      const inputs = { ...rates, correction1: [correction1], correction2: [correction2] };
      const { gradNorm } = await one.run({ x: ROWS.flat(), ...inputs });
      await two.run({ x: ROWS.slice(0, 2).flat() });
      await two.run({ x: ROWS.slice(2).flat() });
      const { gradNorm: norm } = await update.run(inputs);
      t.true(Math.abs(norm![0]! - gradNorm![0]!) < 1e-6);
      const after = two.readState();
      for (const [name, data] of Object.entries(one.readState())) {
        const own = after[name] as Float32Array;
        t.true(worstExcess(own, data, { atol: 1e-6 }) <= 0, `${step} ${name}`);
      }
      t.true(after['optimizer.sum.a.weight']!.every((value) => value === 0));
    }
  });
}

test('the moving average follows the parameters', (t) => {
  const { run: step } = createTrainStep({ ...BETAS, rules, lossOf, emaDecay: 0.9 });
  const state = startState({ emaDecay: 0.9 });
  const next = step({ ...scalarsOf(0), x: tf.tensor2d(ROWS) }, state);
  for (const name of Object.keys(SHAPES)) {
    const old = state[name]!.dataSync();
    const expected = next[name]!.dataSync().map((value, i) => 0.9 * old[i]! + 0.1 * value);
    const own = next[`ema.${name}`]!.dataSync();
    t.true(worstExcess(own, expected, { atol: 1e-7 }) <= 0);
    t.notDeepEqual(own, old);
  }
});

test('a gradient above the limit is shortened to it, one below is left', (t) => {
  for (const { clipNorm, isClipped } of [
    { clipNorm: 0.001, isClipped: true },
    { clipNorm: 1000, isClipped: false },
  ]) {
    const free = createTrainStep({ ...BETAS, rules, lossOf });
    const bound = createTrainStep({ ...BETAS, rules, lossOf, clipNorm });
    const inputs = { ...scalarsOf(0), x: tf.tensor2d(ROWS) };
    const moment = (state: NamedTensors): number[] =>
      Object.keys(SHAPES).flatMap((name) =>
        Array.from(state[`optimizer.first.${name}`]!.dataSync()),
      );
    const length = (values: readonly number[]): number => Math.hypot(...values) / 0.1;
    const clipped = length(moment(bound.run(inputs, startState({}))));
    const full = length(moment(free.run(inputs, startState({}))));
    t.true(Math.abs(clipped / (isClipped ? clipNorm : full) - 1) < 2e-3);
  }
});
