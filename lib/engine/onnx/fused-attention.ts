/**
 * ONNX for attention: a `Scan` over groups of heads. Only one group's scores live at a time, in memory that the next one uses again, so
 * they stay in the processor's cache where the scores of all heads would not. Where tokens are few, all heads are one group.
 */

import type { Attributes } from '../graph/graph.ts';
import { numberOf } from './fused-norm.ts';
import type { Lowering, LoweringCall } from './lowering.ts';
import { inputSpec, outputSpec } from './lowering.ts';
import { float, int, ints } from './model.ts';
import type { OnnxBuilder } from './model.ts';

type Fused = LoweringCall<Attributes>;

/** Operations on `[heads, rows, columns]`, or on `[rows, columns]` where a group is one head. */
interface Heads {
  readonly onnx: OnnxBuilder;
  readonly isBatch: boolean;
}

type Body = (heads: Heads, inputs: readonly string[]) => string[];

/** Most scores of a group: a megabyte. */
const MOST_SCORES = 262_144;

/** The result. */
export const lowerAttention: Lowering<Attributes> = (call) => {
  const scale = numberOf(call, 'scale');
  const lengths = [outputSpec(call).shape];
  return overGroups(call, { q: 0, k: 1 }, lengths, (heads, [q = '', k = '', v = '']) => [
    multiply(heads, weigh(heads, q, k, scale), v),
  ]);
};

/** Gradients of queries, keys and values; weights are computed again. */
export const lowerAttentionGrad: Lowering<Attributes> = (call) => {
  const alpha = numberOf(call, 'scale');
  const shapes = [1, 2, 3].map((index) => inputSpec(call, index).shape);
  return overGroups(call, { q: 1, k: 2 }, shapes, (heads, inputs) => {
    const [dy = '', q = '', k = '', v = '', y = ''] = inputs;
    const { onnx } = heads;
    const weights = weigh(heads, q, k, alpha); // [N, M]
    const dv = multiply(heads, weights, dy, { transA: true });
    const product = onnx.op('Mul', [dy, y]);
    const level = onnx.op('ReduceSum', [product, onnx.shape([-1])], { keepdims: int(1) }); // [N, 1]
    const dWeights = multiply(heads, dy, v, { transB: true });
    const inner = onnx.op('Mul', [weights, onnx.op('Sub', [dWeights, level])]);
    const dq = multiply(heads, inner, k, { alpha });
    const dk = multiply(heads, inner, q, { transA: true, alpha });
    return [dq, dk, dv];
  });
};

function weigh(heads: Heads, ...[q, k, alpha]: [string, string, number]): string {
  const scores = multiply(heads, q, k, { transB: true, alpha });
  return heads.onnx.op('Softmax', [scores], { axis: int(-1) });
}

interface ProductOptions {
  readonly transA?: boolean;
  readonly transB?: boolean;
  /** Factor. */
  readonly alpha?: number;
}

/** A product of matrices, or one for each head. */
function multiply(
  { onnx, isBatch }: Heads,
  a: string,
  b: string,
  { transA = false, transB = false, alpha = 1 }: ProductOptions = {},
): string {
  const attributes = {
    transA: int(transA ? 1 : 0),
    transB: int(transB ? 1 : 0),
    alpha: float(alpha),
  };
  const isPlain = !transA && !transB && alpha === 1;
  if (isPlain) return onnx.op('MatMul', [a, b]);
  if (!isBatch) return onnx.op('Gemm', [a, b], attributes);
  if (onnx.hasContrib) {
    const [product = ''] = onnx.ops('FusedMatMul', [a, b], { domain: 'com.microsoft', attributes });
    return product;
  }
  const swap = (name: string, isSwapped: boolean): string =>
    isSwapped ? onnx.op('Transpose', [name], { perm: ints([0, 2, 1]) }) : name;
  const product = onnx.op('MatMul', [swap(a, transA), swap(b, transB)]);
  return alpha === 1 ? product : onnx.op('Mul', [product, onnx.scalar(alpha, 'float32')]);
}

/** Runs a body for every group of heads. `places` says which inputs are queries and keys, `shapes` are those of the outputs. */
function overGroups(
  call: Fused,
  places: { readonly q: number; readonly k: number },
  shapes: readonly (readonly number[])[],
  body: Body,
): string[] {
  const { onnx, inputs, inputSpecs } = call;
  const [batch = 1, perClip = 1, queries = 1] = inputSpec(call, places.q).shape;
  const keys = inputSpec(call, places.k).shape[2] ?? 1;
  const numHeads = batch * perClip;
  const group = groupOf(numHeads, queries * keys);
  const ofGroup = (shape: readonly number[]): number[] => [
    ...(group === 1 ? [] : [group]),
    ...shape.slice(2),
  ];
  const isBatch = group > 1;
  const isOne = group === numHeads;
  const cut = inputs.map((name, index) => {
    const own = ofGroup(inputSpec(call, index).shape);
    return onnx.op('Reshape', [name, onnx.shape(isOne ? own : [numHeads / group, ...own])]);
  });
  const results = isOne
    ? body({ onnx, isBatch }, cut)
    : scan(
        call,
        cut,
        { forms: inputSpecs.map(({ shape }) => ofGroup(shape)), shapes: shapes.map(ofGroup) },
        (inner, names) => body({ onnx: inner, isBatch }, names),
      );
  return results.map((name, index) => onnx.op('Reshape', [name, onnx.shape(shapes[index] ?? [])]));
}

/** Runs a body for every row of its inputs; shapes are those of a row. */
function scan(
  { onnx }: Fused,
  inputs: readonly string[],
  rows: { readonly forms: readonly number[][]; readonly shapes: readonly number[][] },
  body: (inner: OnnxBuilder, names: readonly string[]) => string[],
): string[] {
  const type = 'float32';
  const graph = onnx.subgraph(
    rows.forms.map((shape) => ({ type, shape })),
    (inner, names) =>
      body(inner, names).map((name, index) => ({ name, type, shape: rows.shapes[index] ?? [] })),
  );
  return onnx.ops('Scan', inputs, {
    outputs: rows.shapes.length,
    attributes: { body: graph, num_scan_inputs: int(inputs.length) },
  });
}

/** The largest number of heads that divides all of them and has no more than the most scores; at least one. */
function groupOf(numHeads: number, scores: number): number {
  let group = Math.max(1, Math.min(numHeads, Math.floor(MOST_SCORES / scores)));
  while (numHeads % group !== 0) group -= 1;
  return group;
}
