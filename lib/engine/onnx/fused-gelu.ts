/** ONNX for the exact GELU. Its gradient has eight steps of one pass each, so it is taken piece by piece. */

import type { Attributes } from '../graph/graph.ts';
import { countElements } from '../graph/graph.ts';
import type { Lowering, LoweringCall } from './lowering.ts';
import { inputSpec } from './lowering.ts';
import { float } from './model.ts';
import type { OnnxBuilder } from './model.ts';
import { countPieces, scanPieces } from './pieces.ts';
import type { PieceBody } from './pieces.ts';

/** `x Φ(x)`. */
export const lowerGelu: Lowering<Attributes> = ({ onnx, inputs }) => [onnx.op('Gelu', inputs)];

/** Its gradient. */
export const lowerGeluGrad: Lowering<Attributes> = (call) =>
  elementByElement(call, 1, (onnx, [dy = '', x = '']) => [onnx.op('Mul', [dy, slopeOf(onnx, x)])]);

/** Its gradient, and its value again. */
export const lowerGeluAgain: Lowering<Attributes> = (call) =>
  elementByElement(call, 2, (onnx, [dy = '', x = '']) => [
    onnx.op('Mul', [dy, slopeOf(onnx, x)]),
    onnx.op('Gelu', [x]),
  ]);

/** Φ(x) + x φ(x). The factor of the density is inside its exponential; a hard sigmoid does `e / 2 + 1 / 2` in one go. */
function slopeOf(onnx: OnnxBuilder, x: string): string {
  const scaled = onnx.op('Mul', [x, onnx.scalar(Math.SQRT1_2, 'float32')]);
  const square = onnx.op('Mul', [scaled, scaled]);
  const factor = onnx.scalar(Math.log(1 / Math.sqrt(Math.PI)), 'float32');
  const density = onnx.op('Exp', [onnx.op('Sub', [factor, square])]);
  const error = onnx.op('Erf', [scaled]);
  const below = onnx.op('HardSigmoid', [error], { alpha: float(0.5), beta: float(0.5) });
  return onnx.op('Add', [below, onnx.op('Mul', [scaled, density])]);
}

/** Runs a body over pieces of inputs of one shape, which its results have as well. */
function elementByElement(
  call: LoweringCall<Attributes>,
  numOutputs: number,
  body: PieceBody,
): string[] {
  const { onnx, inputs } = call;
  const { shape } = inputSpec(call, 0);
  const count = countElements(shape);
  const pieces = countPieces(count, 1);
  if (pieces === 1) return body(onnx, inputs);
  const piece = [count / pieces];
  const cut = inputs.map((name) => onnx.op('Reshape', [name, onnx.shape([pieces, ...piece])]));
  const shapes = { inputs: inputs.map(() => piece), outputs: Array(numOutputs).fill(piece) };
  const results = scanPieces(onnx, cut, shapes, body);
  return results.map((name) => onnx.op('Reshape', [name, onnx.shape(shape)]));
}
