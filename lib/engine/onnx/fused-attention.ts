/**
 * ONNX for attention: a `Scan` over groups of heads. Only one group's scores live at a time, in memory that the next one uses again, so
 * they stay in the processor's cache where the scores of all heads would not. Where tokens are few, all heads are one group.
 */

import type { Attributes } from '../graph/graph.ts';
import type { Lowering, LoweringCall } from './lowering.ts';
import { inputSpec, numberOf, outputSpec } from './lowering.ts';
import { float, int, ints } from './model.ts';
import type { OnnxBuilder } from './model.ts';
import { scanPieces } from './pieces.ts';

type Fused = LoweringCall<Attributes>;

/** Operations on `[heads, rows, columns]`, or on `[rows, columns]` where a group is one head. */
interface Heads {
  readonly onnx: OnnxBuilder;
  readonly isBatch: boolean;
  /** Heads of a group. */
  readonly size: number;
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

/**
 * Gradients of queries, keys and values; weights are computed again, for some queries at a time. The level is taken off inside a
 * product: `[dy, -level] [v, 1]ᵀ`.
 */
export const lowerAttentionGrad: Lowering<Attributes> = (call) => {
  const alpha = numberOf(call, 'scale');
  const shapes = [1, 2, 3].map((index) => inputSpec(call, index).shape);
  const [, , numQueries = 1] = shapes[0] ?? [];
  const [, , numKeys = 1] = shapes[1] ?? [];
  return overGroups(call, { q: 1, k: 2 }, shapes, (heads, inputs) => {
    const [dy = '', q = '', k = '', v = '', level = ''] = inputs;
    const { onnx } = heads;
    const joint = onnx.op('Concat', [dy, onnx.op('Neg', [level])], { axis: int(-1) });
    const ones = onnx.op('Expand', [
      onnx.scalar(1, 'float32'),
      onnx.shape([...(heads.isBatch ? [heads.size] : []), numKeys, 1]),
    ]);
    const values = onnx.op('Concat', [v, ones], { axis: int(-1) });
    const isCut = !heads.isBatch && onnx.hasContrib;
    const sizes = isCut ? cutQueries(numQueries, numKeys) : [numQueries];
    const parts = [q, dy, joint].map((name) => split(heads, name, sizes));
    const dqs: string[] = [];
    let [dk, dv]: (string | undefined)[] = [];
    for (const index of sizes.keys()) {
      const [ownQ = '', ownDy = '', ownJoint = ''] = parts.map((part) => part[index] ?? '');
      const weights = weigh(heads, ownQ, k, alpha); // [queries, M]
      dv = multiply(heads, weights, ownDy, { transA: true, add: dv });
      const slope = multiply(heads, ownJoint, values, { transB: true });
      const inner = onnx.op('Mul', [weights, slope]);
      dqs.push(multiply(heads, inner, k, { alpha }));
      dk = multiply(heads, inner, ownQ, { transA: true, alpha, add: dk });
    }
    const dq = dqs.length === 1 ? dqs.join('') : onnx.op('Concat', dqs, { axis: int(0) });
    return [dq, dk ?? '', dv ?? ''];
  });
};

/** Most scores of a piece of queries of one head: four megabytes. */
const MOST_AT_ONCE = 1_048_576;

/** Sizes of pieces of queries whose scores fit a cache: equal ones, if not many more are needed for that. */
function cutQueries(numQueries: number, numKeys: number): number[] {
  const fewest = Math.min(numQueries, Math.ceil((numQueries * numKeys) / MOST_AT_ONCE));
  const counts = Array.from({ length: fewest }, (_, index) => fewest + index);
  const count = counts.find((one) => numQueries % one === 0) ?? fewest;
  const ends = Array.from({ length: count }, (_, index) =>
    Math.round(((index + 1) * numQueries) / count),
  );
  return ends.map((end, index) => end - (ends[index - 1] ?? 0));
}

function split({ onnx }: Heads, name: string, sizes: readonly number[]): string[] {
  if (sizes.length === 1) return [name];
  const attributes = { axis: int(0) };
  return onnx.ops('Split', [name, onnx.shape(sizes)], { outputs: sizes.length, attributes });
}

function weigh(heads: Heads, ...[q, k, alpha]: [string, string, number]): string {
  const scores = multiply(heads, q, k, { transB: true, alpha });
  return heads.onnx.op('Softmax', [scores], { axis: int(-1) });
}

interface ProductOptions {
  readonly transA?: boolean;
  readonly transB?: boolean;
  /** Factor. */
  readonly alpha?: number;
  /** Matrix that a product of two matrices is added to. */
  readonly add?: string | undefined;
}

/** A product of matrices, or one for each head. */
function multiply(
  { onnx, isBatch }: Pick<Heads, 'onnx' | 'isBatch'>,
  a: string,
  b: string,
  { transA = false, transB = false, alpha = 1, add }: ProductOptions = {},
): string {
  const attributes = {
    transA: int(transA ? 1 : 0),
    transB: int(transB ? 1 : 0),
    alpha: float(alpha),
  };
  const isPlain = !transA && !transB && alpha === 1 && add === undefined;
  if (isPlain) return onnx.op('MatMul', [a, b]);
  if (!isBatch) return onnx.op('Gemm', add === undefined ? [a, b] : [a, b, add], attributes);
  if (add !== undefined) {
    return onnx.op('Add', [multiply({ onnx, isBatch }, a, b, { transA, transB, alpha }), add]);
  }
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
    ? body({ onnx, isBatch, size: group }, cut)
    : scanPieces(
        onnx,
        cut,
        { inputs: inputSpecs.map(({ shape }) => ofGroup(shape)), outputs: shapes.map(ofGroup) },
        (inner, names) => body({ onnx: inner, isBatch, size: group }, names),
      );
  return results.map((name, index) => onnx.op('Reshape', [name, onnx.shape(shapes[index] ?? [])]));
}

/** The largest number of heads that divides all of them and has no more than the most scores; at least one. */
function groupOf(numHeads: number, scores: number): number {
  let group = Math.max(1, Math.min(numHeads, Math.floor(MOST_SCORES / scores)));
  while (numHeads % group !== 0) group -= 1;
  return group;
}
