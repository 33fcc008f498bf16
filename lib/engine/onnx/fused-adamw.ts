/**
 * ONNX for AdamW: large parameters in pieces that fit the processor's cache, so that what lies between the first and the last
 * of its small operations is never written to memory.
 */

import type { Attributes } from '../graph/graph.ts';
import { countElements } from '../graph/graph.ts';
import type { Lowering, LoweringCall } from './lowering.ts';
import { inputSpec, numberOf } from './lowering.ts';
import type { OnnxBuilder } from './model.ts';
import { countPieces, scanPieces } from './pieces.ts';

/**
 * The next parameter and moments. Measured on two cores of an AMD EPYC with 32 MB of cache, per number: 2.0 ns for pieces of 65536, 1.2 ns for
 * 262144 (smaller pieces pay for each operation's start), 2.6 ns in one piece.
 */
export const lowerAdamw: Lowering<Attributes> = (call) => {
  const { onnx, inputs } = call;
  const { shape } = inputSpec(call, 0);
  const length = countElements(shape);
  const pieces = countPieces(onnx, { numRows: length, width: 1 });
  const scalars = scalarsOf(call);
  const tensors = inputs.slice(0, 4);
  if (pieces === 1) return update(onnx, tensors, scalars, call);
  const [flat, piece] = [[pieces, length / pieces], [length / pieces]];
  const cut = tensors.map((name) => onnx.op('Reshape', [name, onnx.shape(flat)]));
  const shapes = { inputs: cut.map(() => piece), outputs: [piece, piece, piece] };
  const next = scanPieces(onnx, cut, shapes, (inner, names) => update(inner, names, scalars, call));
  return next.map((name) => onnx.view(name, flat, shape));
};

interface Scalars {
  /** Names of `rate / √correction`, `keep` and `ε / √correction`: the root need not be taken of a product. */
  readonly rate: string;
  readonly keep: string;
  readonly epsilon: string;
}

const known = new WeakMap<OnnxBuilder, Map<string, Scalars>>();

/** Scalars, written once for all parameters that share them. */
function scalarsOf(call: LoweringCall<Attributes>): Scalars {
  const { onnx, inputs } = call;
  const [rate = '', keep = '', correction = ''] = inputs.slice(4);
  const value = numberOf(call, 'epsilon');
  const key = [rate, keep, correction, value].join();
  const ofModel = known.get(onnx) ?? new Map<string, Scalars>();
  known.set(onnx, ofModel);
  const old = ofModel.get(key);
  if (old !== undefined) return old;
  const root = onnx.op('Sqrt', [correction]);
  const scalars = {
    rate: onnx.op('Div', [rate, root]),
    keep,
    epsilon: onnx.op('Div', [onnx.scalar(value, 'float32'), root]),
  };
  ofModel.set(key, scalars);
  return scalars;
}

function update(
  onnx: OnnxBuilder,
  tensors: readonly string[],
  { rate, keep, epsilon }: Scalars,
  call: LoweringCall<Attributes>,
): string[] {
  const [parameter = '', gradient = '', first = '', second = ''] = tensors;
  const scaled = (name: string, factor: number): string =>
    onnx.op('Mul', [name, onnx.scalar(factor, 'float32')]);
  const [beta1, beta2] = [numberOf(call, 'beta1'), numberOf(call, 'beta2')];
  const m = onnx.op('Add', [scaled(first, beta1), scaled(gradient, 1 - beta1)]);
  const square = onnx.op('Mul', [gradient, scaled(gradient, 1 - beta2)]);
  const v = onnx.op('Add', [scaled(second, beta2), square]);
  const deviation = onnx.op('Add', [onnx.op('Sqrt', [v]), epsilon]);
  const move = onnx.op('Mul', [onnx.op('Div', [m, deviation]), rate]);
  return [onnx.op('Sub', [onnx.op('Mul', [parameter, keep]), move]), m, v];
}
