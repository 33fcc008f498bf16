/** Graphs as data: what a trace records, how it is shown, and what each pass does. */

import test from 'ava';
import * as tf from '@tensorflow/tfjs';
import { drawGraph, printGraph } from '../../lib/index.ts';
import type { Graph } from '../../lib/index.ts';
import { dropDeadNodes } from '../../lib/engine/passes/dead-code.ts';
import { shareSubexpressions } from '../../lib/engine/passes/common-subexpressions.ts';
import { foldConstants } from '../../lib/engine/passes/constant-folding.ts';
import { dropIdentities } from '../../lib/engine/passes/identities.ts';
import { optimise } from '../../lib/engine/passes/optimise.ts';
import { absorbTransposes } from '../../lib/engine/passes/transposes.ts';
import { encodeModel } from '../../lib/engine/onnx/encode-model.ts';
import { lowerGraph } from '../../lib/engine/onnx/lower-graph.ts';
import { countBytes } from '../../lib/engine/onnx/protobuf.ts';
import { trace } from '../../lib/engine/trace/trace.ts';
import type { TensorFunction } from '../../lib/engine/trace/trace.ts';

type Shapes = Readonly<Record<string, readonly number[]>>;

function record(fn: TensorFunction, shapes: Shapes): Graph {
  const inputs = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, { shape, dtype: 'float32' as const }]),
  );
  return trace(fn, { inputs, state: {} });
}

function kernels(graph: Graph): string[] {
  return graph.nodes.map(({ kernel }) => kernel);
}

function lower(graph: Graph): string[] {
  return lowerGraph(graph, { hasContrib: true }).nodes.map(({ opType }) => opType);
}

test.serial('a trace is plain data that prints', (t) => {
  const graph = record(
    ({ x }) => ({
      y: tf
        .transpose(x!, [1, 0])
        .add(tf.tensor1d([1, 2]))
        .sum(-1),
    }),
    { x: [2, 3] },
  );
  t.is(
    printGraph(graph),
    `%0: float32[2,3] = input x
%2: float32[2] = constant 1 2
%1: float32[3,2] = Transpose(%0) { perm: [1,0] }
%3: float32[3,2] = Add(%1, %2)
%4: float32[3] = Sum(%3) { axis: [1], keepDims: false }
output y = %4
`,
  );
  t.deepEqual(structuredClone(graph), graph);
});

test.serial('a graph draws as Graphviz text', (t) => {
  const graph = record(({ x }) => ({ 'a"b': x!.mul(2) }), { x: [2] });
  t.is(
    drawGraph(graph),
    `digraph program {
  v0 [label="x", shape=ellipse];
  v1 [label="2", shape=plaintext];
  n0 [label="Multiply", shape=box];
  v0 -> n0 [label="float32[2]"];
  v1 -> n0 [label="float32[]"];
  o0 [label="a\\"b", shape=ellipse];
  n0 -> o0 [label="float32[2]"];
}
`,
  );
});

test.serial('dead nodes and constants go', (t) => {
  const graph = record(
    ({ x }) => {
      x!.exp().add(tf.tensor1d([1, 2]));
      return { y: x!.square() };
    },
    { x: [2] },
  );
  const kept = dropDeadNodes(graph);
  t.deepEqual(kernels(graph), ['Exp', 'Add', 'Square']);
  t.deepEqual(kernels(kept), ['Square']);
  t.is(kept.constants.size, 0);
});

test.serial('what is computed twice is computed once', (t) => {
  const graph = record(
    ({ x }) => {
      const part = (): tf.Tensor =>
        x!
          .exp()
          .sum(0)
          .mul(tf.tensor1d([1, 2]));
      return { y: part().add(part()), other: x!.exp().sum(1) };
    },
    { x: [2, 2] },
  );
  const shared = shareSubexpressions(graph);
  t.deepEqual(kernels(shared), ['Exp', 'Sum', 'Multiply', 'Add', 'Sum']);
  t.is(shared.nodes[3]!.inputs[0], shared.nodes[3]!.inputs[1]);
  t.is(shared.constants.size, 1);
});

test.serial('constants are computed ahead', (t) => {
  const graph = record(
    ({ x }) => ({
      y: x!.add(
        tf
          .tensor1d([1, 2])
          .mul(tf.scalar(3))
          .sub(tf.tensor1d([0, 5])),
      ),
    }),
    { x: [2] },
  );
  const folded = dropDeadNodes(foldConstants(graph));
  t.deepEqual(kernels(folded), ['Add']);
  t.deepEqual([...folded.constants.values()], [Float32Array.of(3, 1)]);
});

test.serial('integers and bools stay what they are when folded', (t) => {
  const graph = record(
    ({ x }) => {
      const mask = tf.tensor1d([3, 1], 'int32').greater(tf.tensor1d([2, 2], 'int32'));
      return { y: tf.where(mask, x!, tf.cast(tf.cast(mask, 'int32'), 'float32')) };
    },
    { x: [2] },
  );
  const folded = optimise(graph);
  t.deepEqual(kernels(folded), ['Select']);
  t.deepEqual([...folded.constants.values()], [Uint8Array.of(1, 0), Float32Array.of(1, 0)]);
});

test.serial('what changes nothing goes', (t) => {
  const graph = record(
    ({ x }) => {
      const y = x!
        .mul(tf.onesLike(x!))
        .add(0)
        .div(tf.scalar(1))
        .sub(tf.zeros([3]));
      const same = tf.transpose(tf.reshape(tf.reshape(y, [6]), [2, 3]), [0, 1]);
      return { y: tf.cast(same, 'float32').slice([0, 0], [2, 3]).tile([1, 1]).sum(1) };
    },
    { x: [2, 3] },
  );
  t.deepEqual(kernels(dropDeadNodes(dropIdentities(graph))), ['Sum']);
});

test.serial('a sum’s gradient is one broadcast', (t) => {
  const graph = record(
    ({ x }) => ({ g: tf.grad((one: tf.Tensor) => one.sum(1).square().sum())(x!) }),
    { x: [40, 30] },
  );
  const small = optimise(graph);
  t.is(kernels(small).filter((kernel) => kernel === 'BroadcastTo').length, 1);
  t.true(small.nodes.length <= 5, printGraph(small));
});

test.serial('products take over transposes of their last axes, and no others', (t) => {
  const graph = record(
    ({ a, b }) => ({
      both: tf.matMul(tf.transpose(a!, [0, 2, 1]), tf.transpose(b!, [0, 2, 1])),
      twice: tf.matMul(tf.transpose(a!, [0, 2, 1]), b!, true, true),
      other: tf.matMul(tf.transpose(a!, [1, 0, 2]), b!.reshape([3, 4, 2]), false, false),
    }),
    { a: [2, 3, 4], b: [2, 4, 3] },
  );
  const absorbed = dropDeadNodes(absorbTransposes(graph));
  const products = absorbed.nodes.filter(({ kernel }) => kernel === 'BatchMatMul');
  t.deepEqual(
    products.map(({ attributes }) => [attributes['transposeA'], attributes['transposeB']]),
    [
      [true, true],
      [false, true],
      [false, false],
    ],
  );
  t.is(kernels(absorbed).filter((kernel) => kernel === 'Transpose').length, 1);
});

test.serial(
  'a product takes over the row that is added to it, unless it is used elsewhere',
  (t) => {
    const shapes = { a: [3, 4], b: [4, 5], row: [5], column: [3, 1] };
    const one = record(({ a, b, row }) => ({ y: row!.add(tf.matMul(a!, b!)) }), shapes);
    t.deepEqual(kernels(optimise(one)), ['_FusedMatMul']);
    t.deepEqual(lower(optimise(one)), ['Gemm']);
    const two = record(({ a, b, row }) => {
      const product = tf.matMul(a!, b!);
      return { y: product.add(row!), product };
    }, shapes);
    t.deepEqual(kernels(optimise(two)), ['BatchMatMul', 'Add']);
    const other = record(({ a, b, column }) => ({ y: tf.matMul(a!, b!).add(column!) }), shapes);
    t.deepEqual(kernels(optimise(other)), ['BatchMatMul', 'Add']);
  },
);

test.serial('the gradient of slices that are the whole is a concatenation', (t) => {
  const gradientOf = (ends: number[]): string[] => {
    const graph = record(
      ({ x }) => ({
        g: tf.grad((one: tf.Tensor) => {
          const parts = ends.map((end, at) =>
            tf
              .slice(one, [0, end - 2], [3, 2])
              .pow(at + 2)
              .sum(),
          );
          return parts.reduce((a, b) => a.add(b));
        })(x!),
      }),
      { x: [3, 6] },
    );
    return kernels(optimise(graph));
  };
  const whole = gradientOf([4, 2, 6]);
  t.false(whole.includes('PadV2'));
  t.is(whole.filter((kernel) => kernel === 'Concat').length, 1);
  for (const ends of [
    [2, 4],
    [2, 4, 5],
    [2, 6],
  ]) {
    t.true(gradientOf(ends).includes('PadV2'), ends.join());
  }
});

test.serial('products become Gemm, MatMul or FusedMatMul', (t) => {
  const product = (a: number[], b: number[], flags: [boolean, boolean]): string[] =>
    lower(record(({ x, y }) => ({ z: tf.matMul(x!, y!, ...flags) }), { x: a, y: b }));
  t.deepEqual(product([3, 4], [5, 4], [false, true]), ['Gemm']);
  t.deepEqual(product([2, 3, 4], [2, 4, 5], [false, false]), ['MatMul']);
  t.deepEqual(product([2, 3, 4], [2, 5, 4], [false, true]), ['FusedMatMul']);
  const graph = record(({ x, y }) => ({ z: tf.matMul(x!, y!, false, true) }), {
    x: [2, 3, 4],
    y: [2, 5, 4],
  });
  const portable = lowerGraph(graph, { hasContrib: false }).nodes;
  t.deepEqual(
    portable.map(({ opType }) => opType),
    ['Transpose', 'MatMul'],
  );
  t.true(portable.every(({ domain }) => domain === ''));
});

test.serial('ones and zeros are stored as one number', (t) => {
  const graph = record(({ x }) => ({ y: x!.maximum(tf.ones([512, 512]).mul(2)) }), {
    x: [512, 512],
  });
  const model = lowerGraph(optimise(graph), { hasContrib: false });
  t.true(countBytes(encodeModel(model)) < 1000);
});
