/** Updates of AdamW that are taken out of a graph, and those that must stay. */

import test from 'ava';
import type { Graph, GraphNode, NamedValue, TensorForm } from '../../lib/engine/graph/graph.ts';
import { takeUpdates } from '../../lib/engine/passes/updates.ts';

const INPUTS = ['w', 'g', 'm', 'v', 'rate', 'keep', 'correction'];
const ATTRIBUTES = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8 };
const STATES = new Set(['w', 'm', 'v']);
/** Values 0 to 6 are the inputs, 7 to 9 the next values of the states. */
const UPDATE: GraphNode = {
  kernel: 'AdamW',
  inputs: [0, 1, 2, 3, 4, 5, 6],
  outputs: [7, 8, 9],
  attributes: ATTRIBUTES,
};
const NEXT: NamedValue[] = ['w', 'm', 'v'].map((name, index) => ({ name, value: 7 + index }));

/** A graph around the update, with tensors of four numbers, and values from 10 on for further nodes. */
function graphOf(parts: Partial<Graph> = {}): Graph {
  const form = (size: number[]): TensorForm => ({ shape: size, dtype: 'float32' });
  return {
    values: Array.from({ length: 14 }, (_, value) => form(value >= 4 && value < 7 ? [] : [2, 2])),
    inputs: INPUTS.map((name, value) => ({ name, value })),
    constants: new Map(),
    nodes: [UPDATE],
    outputs: NEXT,
    ...parts,
  };
}

function node(kernel: string, inputs: number[], output: number): GraphNode {
  return { kernel, inputs, outputs: [output], attributes: {} };
}

test('an update that only moves its states follows the graph', (t) => {
  const before = graphOf();
  const { graph, updates } = takeUpdates(before, STATES);
  t.deepEqual(updates, [
    {
      parameter: 'w',
      first: 'm',
      second: 'v',
      gradient: '%gradient:w',
      rate: '%scalar:4',
      keep: '%scalar:5',
      correction: '%scalar:6',
      ...ATTRIBUTES,
      length: 4,
    },
  ]);
  t.deepEqual(graph.nodes, []);
  t.deepEqual(graph.outputs, [
    { name: '%gradient:w', value: 1 },
    { name: '%scalar:4', value: 4 },
    { name: '%scalar:5', value: 5 },
    { name: '%scalar:6', value: 6 },
  ]);
  t.deepEqual(graph.inputs, before.inputs);
});

test('what reads the present values stays in the graph', (t) => {
  const nodes = [node('Square', [0], 10), UPDATE, node('Add', [2, 10], 11)];
  const outputs = [{ name: 'y', value: 11 }, ...NEXT, { name: 'other', value: 0 }];
  const { graph, updates } = takeUpdates(graphOf({ nodes, outputs }), STATES);
  t.is(updates.length, 1);
  t.deepEqual(graph.nodes, [nodes[0], nodes[2]]);
  t.deepEqual(
    graph.outputs.map(({ name }) => name).filter((name) => !name.startsWith('%')),
    ['y', 'other'],
  );
});

test('updates share the outputs of scalars that they share', (t) => {
  const more = ['w2', 'm2', 'v2'];
  const second = { ...UPDATE, inputs: [14, 1, 15, 16, 4, 4, 6], outputs: [17, 18, 19] };
  const base = graphOf();
  const graph: Graph = {
    ...base,
    values: [...base.values, ...Array.from({ length: 6 }, () => base.values[0]!)],
    inputs: [...base.inputs, ...more.map((name, index) => ({ name, value: 14 + index }))],
    nodes: [UPDATE, second],
    outputs: [...NEXT, ...more.map((name, index) => ({ name, value: 17 + index }))],
  };
  const split = takeUpdates(graph, new Set([...STATES, ...more]));
  t.deepEqual(
    split.updates.map(({ parameter, keep }) => [parameter, keep]),
    [
      ['w', '%scalar:5'],
      ['w2', '%scalar:4'],
    ],
  );
  t.deepEqual(
    split.graph.outputs.map(({ name }) => name),
    ['%gradient:w', '%gradient:w2', '%scalar:4', '%scalar:5', '%scalar:6'],
  );
});

const LEFT: Readonly<Record<string, Partial<Graph>>> = {
  'whose new parameter another node reads': {
    nodes: [UPDATE, node('Square', [7], 10)],
    outputs: [...NEXT, { name: 'ema', value: 10 }],
  },
  'whose new moment another node reads': {
    nodes: [UPDATE, node('Square', [9], 10)],
    outputs: [...NEXT, { name: 'y', value: 10 }],
  },
  'whose result has a second name': { outputs: [...NEXT, { name: 'seen', value: 7 }] },
  'whose moments change places': {
    outputs: [
      { name: 'w', value: 7 },
      { name: 'm', value: 9 },
      { name: 'v', value: 8 },
    ],
  },
  'whose result is no next value': {
    outputs: NEXT.map(({ name, value }) => ({ name: name === 'v' ? 'other' : name, value })),
  },
  'whose result nobody wants': { outputs: NEXT.slice(0, 2) },
  'of a parameter that the graph has made': {
    nodes: [node('Square', [0], 10), { ...UPDATE, inputs: [10, ...UPDATE.inputs.slice(1)] }],
  },
  'with one state in two places': {
    nodes: [{ ...UPDATE, inputs: [0, 1, 2, 2, 4, 5, 6] }],
  },
  'of a gradient that is to be broadcast': {
    values: graphOf().values.with(1, { shape: [2], dtype: 'float32' }),
  },
  'with a rate for each number': {
    values: graphOf().values.with(4, { shape: [2], dtype: 'float32' }),
  },
};

for (const [why, parts] of Object.entries(LEFT)) {
  test(`an update stays ${why}`, (t) => {
    const graph = graphOf(parts);
    t.deepEqual(takeUpdates(graph, STATES), { graph, updates: [] });
  });
}

test('an update stays if one of the names is no state', (t) => {
  const graph = graphOf();
  t.deepEqual(takeUpdates(graph, new Set(['w', 'm'])), { graph, updates: [] });
});
