/**
 * ONNX for attention: a `Scan` over heads. One head's scores live at a time, in memory that the next head uses again, so they stay in
 * the processor's cache where the scores of all heads would not.
 */

import type { Attributes } from '../graph/graph.ts';
import { numberOf } from './fused-norm.ts';
import type { Lowering, LoweringCall } from './lowering.ts';
import { inputSpec, outputSpec } from './lowering.ts';
import { float, int } from './model.ts';
import type { OnnxBuilder } from './model.ts';

type Fused = LoweringCall<Attributes>;
type Body = (inner: OnnxBuilder, heads: readonly string[]) => string[];

/** The result. */
export const lowerAttention: Lowering<Attributes> = (call) => {
  const scale = numberOf(call, 'scale');
  const lengths = [outputSpec(call).shape];
  return scanHeads(call, lengths, (inner, [q = '', k = '', v = '']) => [
    inner.op('MatMul', [weigh(inner, q, k, scale), v]),
  ]);
};

/** Gradients of queries, keys and values; weights are computed again. */
export const lowerAttentionGrad: Lowering<Attributes> = (call) => {
  const scale = numberOf(call, 'scale');
  const shapes = [1, 2, 3].map((index) => inputSpec(call, index).shape);
  return scanHeads(call, shapes, (inner, [dy = '', q = '', k = '', v = '', y = '']) => {
    const weights = weigh(inner, q, k, scale); // [N, M]
    const dv = inner.op('Gemm', [weights, dy], { transA: int(1) });
    const product = inner.op('Mul', [dy, y]);
    const level = inner.op('ReduceSum', [product, inner.shape([1])], { keepdims: int(1) }); // [N, 1]
    const dWeights = inner.op('Gemm', [dy, v], { transB: int(1) });
    const inner1 = inner.op('Mul', [weights, inner.op('Sub', [dWeights, level])]);
    const alpha = float(scale);
    const dq = inner.op('Gemm', [inner1, k], { alpha });
    const dk = inner.op('Gemm', [inner1, q], { transA: int(1), alpha });
    return [dq, dk, dv];
  });
};

function weigh(inner: OnnxBuilder, ...[q, k, scale]: [string, string, number]): string {
  const scores = inner.op('Gemm', [q, k], { transB: int(1), alpha: float(scale) });
  return inner.op('Softmax', [scores], { axis: int(-1) });
}

/** Runs a body for every head; it gets `[N, d]` of each input. `shapes` are those of the outputs. */
function scanHeads(call: Fused, shapes: readonly (readonly number[])[], body: Body): string[] {
  const { onnx, inputs, inputSpecs } = call;
  const flat = inputs.map((name, index) => {
    const { shape } = inputSpec(call, index);
    const [heads, ...rest] = [(shape[0] ?? 1) * (shape[1] ?? 1), ...shape.slice(2)];
    return onnx.op('Reshape', [name, onnx.shape([heads, ...rest])]);
  });
  const forms = inputSpecs.map(({ shape, dtype }) => ({ type: dtype, shape: shape.slice(2) }));
  const graph = onnx.subgraph(forms, (inner, names) =>
    body(inner, names).map((name, index) => ({
      name,
      type: 'float32',
      shape: shapes[index]?.slice(2) ?? [],
    })),
  );
  const outputs = onnx.ops('Scan', flat, {
    outputs: shapes.length,
    attributes: { body: graph, num_scan_inputs: int(flat.length) },
  });
  return outputs.map((name, index) => onnx.op('Reshape', [name, onnx.shape(shapes[index] ?? [])]));
}
