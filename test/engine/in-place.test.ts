/** States written where they are read: who must wait waits, who cannot gets a second buffer, and numbers stay those of eager tfjs. */

import test from 'ava';
import type { ExecutionContext } from 'ava';
import * as tf from '@tensorflow/tfjs';
import { compile } from '../../lib/index.ts';
import type { EngineName } from '../../lib/index.ts';
import { orderWrites } from '../../lib/engine/onnx/in-place.ts';
import { int } from '../../lib/engine/onnx/model.ts';
import type { OnnxModel, OnnxNode } from '../../lib/engine/onnx/model.ts';
import { adamwUpdate } from '../../lib/ops/index.ts';
import { createRandom, floats, largestError } from '../helpers/compare-engines.ts';

type Named = Readonly<Record<string, tf.Tensor>>;
type Operation = (a: tf.Tensor, b: tf.Tensor) => tf.Tensor;

const FORM = { type: 'float32', shape: [4] } as const;

function node(opType: string, inputs: string[], ...outputs: string[]): OnnxNode {
  return { opType, domain: '', inputs, outputs, attributes: {} };
}

/** A model with states `s`, `t` and nodes of four numbers each. */
function modelOf(nodes: OnnxNode[]): OnnxModel {
  const named = (name: string) => ({ name, ...FORM });
  return {
    nodes,
    initializers: [],
    inputs: ['s', 't', 'x'].map(named),
    outputs: ['s_next', 't_next', 'y'].map(named),
  };
}

const STATES = ['s', 't'].map((input) => ({ input, output: `${input}_next` }));

/** Place of the node that makes a value. */
function placeOf({ nodes }: OnnxModel, name: string): number {
  return nodes.findIndex(({ outputs }) => outputs.includes(name));
}

/** True if a value is made of another. */
function needs(model: OnnxModel, name: string, other: string): boolean {
  const inputs = model.nodes.find(({ outputs }) => outputs.includes(name))?.inputs ?? [];
  return inputs.some((one) => one === other || needs(model, one, other));
}

test('a writer waits for those that read the old value, of it or of a view', (t) => {
  const { model, inPlace } = orderWrites(
    modelOf([
      node('Add', ['s', 'x'], 's_next'),
      node('Reshape', ['s', 'shape'], 'view'),
      node('MatMul', ['view', 'x'], 'y'),
      node('Mul', ['t', 't'], 't_next'),
    ]),
    STATES,
  );
  t.deepEqual(inPlace, new Set(['s', 't']));
  t.true(needs(model, 's_next', 'y'));
  t.true(placeOf(model, 's_next') > placeOf(model, 'y'));
  t.false(needs(model, 't_next', 'y'));
});

test('nothing is added where the old value is read before anyway', (t) => {
  const nodes = [node('MatMul', ['s', 'x'], 'y'), node('Add', ['s', 'y'], 's_next')];
  const { model, inPlace } = orderWrites(modelOf(nodes), STATES);
  t.deepEqual(inPlace, new Set(['s']));
  t.deepEqual(model.nodes, nodes);
  t.deepEqual(model.initializers, []);
});

const REFUSED: Readonly<Record<string, OnnxNode[]>> = {
  'by a product, which reads its operands more than once': [node('MatMul', ['s', 'x'], 's_next')],
  'where the old value is needed beside the next one': [
    node('Add', ['s', 'x'], 's_next'),
    node('Sub', ['s_next', 's'], 'y'),
  ],
  'by a copy of itself': [node('Identity', ['s'], 's_next')],
  'by a scan whose body reads the slice after it has written': [
    {
      ...node('Scan', ['s'], 's_next', 'y'),
      attributes: {
        num_scan_inputs: int(1),
        body: {
          type: 'graph',
          value: {
            nodes: [node('Add', ['slice', 'one'], 'next'), node('Sub', ['slice', 'one'], 'other')],
            inputs: [{ name: 'slice', type: 'float32', shape: [] }],
            outputs: ['next', 'other'].map((name) => ({ name, type: 'float32', shape: [] })),
          },
        },
      },
    },
  ],
};

for (const [why, nodes] of Object.entries(REFUSED)) {
  test(`no state is overwritten ${why}`, (t) => {
    const { model, inPlace } = orderWrites(modelOf(nodes), STATES);
    t.deepEqual(inPlace, new Set());
    t.deepEqual(model.nodes, nodes);
  });
}

test('of two states that change places one needs a second buffer', (t) => {
  const nodes = [node('Identity', ['t'], 's_next'), node('Identity', ['s'], 't_next')];
  const { model, inPlace } = orderWrites(modelOf(nodes), STATES);
  t.deepEqual(inPlace, new Set(['s']));
  t.true(needs(model, 's_next', 't_next'));
});

/**
 * Runs a function on both engines, three times, and compares results and states. Rounding grows over the steps; a value that is read
 * too late is wrong in its first digits.
 */
async function compareSteps(
  t: ExecutionContext,
  fn: (inputs: Named, state: Named) => Record<string, tf.Tensor>,
  values: Readonly<Record<string, ReturnType<typeof floats>>>,
): Promise<void> {
  const runs = [];
  for (const engine of ['onnx', 'eager'] satisfies EngineName[]) {
    const { x, ...state } = values;
    const spec = {
      inputs: { x: x!.shape },
      state: Object.fromEntries(Object.entries(state).map(([name, { shape }]) => [name, shape])),
    };
    await using program = await compile(fn, spec, { engine, backend: 'cpu' });
    program.setState(Object.fromEntries(Object.entries(state).map(([k, { data }]) => [k, data])));
    const results = [];
    for (let step = 0; step < 3; step += 1) {
      results.push({ ...(await program.run({ x: x!.data })), ...program.readState() });
    }
    runs.push(results);
  }
  for (const [step, ours] of runs[0]!.entries()) {
    for (const [name, data] of Object.entries(ours)) {
      const error = largestError(data, runs[1]![step]![name]!).error;
      t.true(error < 1e-3, `${name} at step ${step}: ${error}`);
    }
  }
}

const OPERATIONS: Operation[] = [
  (a, b) => tf.tanh(tf.add(a, b)),
  (a, b) => tf.mul(a, tf.sigmoid(b)),
  (a, b) => tf.sin(tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D)),
  (a, b) => tf.sub(a, tf.softmax(b)),
  (a, b) => tf.add(tf.transpose(a), tf.mean(b)),
  (a, b) => tf.where(tf.greater(a, b), a, tf.mul(b, 0.5)),
  (a) => a,
  (a, b) => tf.reshape(tf.add(tf.reshape(a, [-1]), tf.sum(b, 1).mean()), a.shape),
];

for (let seed = 0; seed < 40; seed += 1) {
  test.serial(`states of random program ${seed} move on as eager ones do`, async (t) => {
    const random = createRandom(500 + seed);
    const names = ['a', 'b', 'c', 'd'];
    const values = Object.fromEntries(
      [...names, 'x'].map((name) => [name, floats([4, 4], random)]),
    );
    const choices = Array.from({ length: 60 }, random);
    const fn = ({ x }: Named, state: Named): Record<string, tf.Tensor> => {
      let at = 0;
      const pick = <T>(list: readonly T[]): T => list[Math.floor(choices[at++]! * list.length)]!;
      const known = [x!, ...names.map((name) => state[name]!)];
      for (let i = 0; i < 12; i += 1) known.push(pick(OPERATIONS)(pick(known), pick(known)));
      const next = Object.fromEntries(names.map((name) => [name, pick(known)]));
      return seed % 2 === 0 ? { ...next, y: pick(known) } : { y: pick(known), ...next };
    };
    await compareSteps(t, fn, values);
  });
}

test.serial('weights of two layers move only after all gradients have read them', async (t) => {
  const random = createRandom(3);
  const width = 800; // 640000 numbers: AdamW goes in pieces
  const weights = ['w1', 'w2'];
  const moments = weights.flatMap((name) => [`m.${name}`, `v.${name}`]);
  const matrix = (scale: number) => floats([width, width], random, [-scale, scale]);
  const values = {
    x: floats([2, width], random),
    ...Object.fromEntries(weights.map((name) => [name, matrix(0.1)])),
    ...Object.fromEntries(
      moments.map((name) => [name, floats([width, width], random, [0.1, 0.2])]),
    ),
  };
  const fn = ({ x }: Named, state: Named): Record<string, tf.Tensor> => {
    const lossOf = (w1: tf.Tensor, w2: tf.Tensor): tf.Scalar => {
      const hidden = tf.tanh(tf.matMul(x as tf.Tensor2D, w1 as tf.Tensor2D));
      return tf.sum(tf.square(tf.matMul(hidden, w2 as tf.Tensor2D)));
    };
    const { value, grads } = tf.valueAndGrads<tf.Scalar>(lossOf)(weights.map((w) => state[w]!));
    const next: Record<string, tf.Tensor> = { loss: value };
    for (const [index, name] of weights.entries()) {
      const tensors = {
        parameter: state[name]!,
        gradient: grads[index]!,
        first: state[`m.${name}`]!,
        second: state[`v.${name}`]!,
      };
      const scalars = { rate: tf.scalar(0.05), keep: tf.scalar(0.9), correction: tf.scalar(2) };
      const constants = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8 };
      const moved = adamwUpdate(tensors, scalars, constants);
      next[name] = moved.parameter;
      next[`m.${name}`] = moved.first;
      next[`v.${name}`] = moved.second;
    }
    return next;
  };
  await compareSteps(t, fn, values);
});
