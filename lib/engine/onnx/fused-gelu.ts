/** ONNX for the exact GELU. Its gradient has eight steps of one pass each, so it is taken piece by piece. */

import type { Attributes } from '../graph/graph.ts';
import { countElements } from '../graph/graph.ts';
import type { Lowering } from './lowering.ts';
import { inputSpec } from './lowering.ts';
import { float } from './model.ts';
import type { OnnxBuilder } from './model.ts';
import { countPieces, scanPieces } from './pieces.ts';
import type { PieceBody } from './pieces.ts';

/** `x Φ(x)`. */
export const lowerGelu: Lowering<Attributes> = ({ onnx, inputs }) => [onnx.op('Gelu', inputs)];

/** Its gradient. */
export const lowerGeluGrad: Lowering<Attributes> = (call) => {
  const { onnx, inputs } = call;
  const { shape } = inputSpec(call, 0);
  const form = formOf(onnx, shape, 1);
  const [result = ''] = elementByElement(onnx, inputs, form, (inner, [dy = '', x = '']) => [
    inner.op('Mul', [dy, slopeOf(inner, x)]),
  ]);
  return [onnx.op('Reshape', [result, onnx.shape(shape)])];
};

/** Most numbers of a piece of a product: 16 megabytes, as pieces of products with few rows are slow. */
const MOST_OF_PRODUCT = 4_194_304;

/** Its gradient in a product with weights, and its value again. What comes back through the product never lives as a whole. */
export const lowerGeluAgain: Lowering<Attributes> = (call) => {
  const { onnx, inputs } = call;
  const [dy = '', weight = '', x = ''] = inputs;
  const { shape } = inputSpec(call, 2);
  const [width = 1, outputs = 1] = [shape.at(-1), inputSpec(call, 0).shape.at(-1)];
  const numRows = countElements(shape.slice(0, -1));
  const pieces = countPieces(onnx, { numRows, width }, MOST_OF_PRODUCT);
  const height = numRows / pieces;
  const form = formOf(onnx, [height, width], 2);
  const body: PieceBody = (inner, [ownDy = '', ownX = '']) => {
    const back = inner.op('MatMul', [ownDy, weight]);
    return elementByElement(inner, [back, ownX], form, (piece, [own = '', at = '']) => [
      piece.op('Mul', [own, slopeOf(piece, at)]),
      piece.op('Gelu', [at]),
    ]);
  };
  const forms = [outputs, width].map((size) => [height, size]);
  const lead = pieces === 1 ? [] : [pieces];
  const cut = [dy, x].map((name, index) =>
    onnx.op('Reshape', [name, onnx.shape([...lead, ...(forms[index] ?? [])])]),
  );
  const results =
    pieces === 1
      ? body(onnx, cut)
      : scanPieces(onnx, cut, { inputs: forms, outputs: [form.shape, form.shape] }, body);
  return results.map((name) => onnx.op('Reshape', [name, onnx.shape(shape)]));
};

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

/** Elements in pieces. */
interface ElementsForm {
  /** `[pieces, elements]`, or `[elements]` if there is one. */
  readonly shape: readonly number[];
  readonly numOutputs: number;
}

function formOf(onnx: OnnxBuilder, shape: readonly number[], numOutputs: number): ElementsForm {
  const count = countElements(shape);
  const pieces = countPieces(onnx, { numRows: count, width: 1 });
  return { shape: pieces === 1 ? [count] : [pieces, count / pieces], numOutputs };
}

/** Runs a body over pieces of inputs of one shape. Results have the shape of the form: to reshape them inside a scan would be a copy. */
function elementByElement(
  onnx: OnnxBuilder,
  inputs: readonly string[],
  { shape, numOutputs }: ElementsForm,
  body: PieceBody,
): string[] {
  const cut = inputs.map((name) => onnx.op('Reshape', [name, onnx.shape(shape)]));
  if (shape.length === 1) return body(onnx, cut);
  const piece = shape.slice(1);
  const outputs = Array.from({ length: numOutputs }, () => piece);
  return scanPieces(onnx, cut, { inputs: inputs.map(() => piece), outputs }, body);
}
