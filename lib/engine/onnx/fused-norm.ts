/** ONNX for the normalisation of rows. Its gradient has a dozen steps of one pass each, so it is taken piece by piece. */

import type { Attributes } from '../graph/graph.ts';
import type { Lowering, LoweringCall } from './lowering.ts';
import { inputSpec, numberOf } from './lowering.ts';
import { float, int } from './model.ts';
import type { OnnxBuilder } from './model.ts';
import { countPieces, scanPieces } from './pieces.ts';
import { onesRow } from './reductions.ts';

type Fused = LoweringCall<Attributes>;

/** Normalisation of rows with their means and inverse deviations. */
export const lowerLayerNorm: Lowering<Attributes> = (call) =>
  call.onnx.ops('LayerNormalization', call.inputs, {
    outputs: 3,
    attributes: { axis: int(-1), epsilon: float(numberOf(call, 'epsilon')) },
  });

/** Its gradients. */
export const lowerLayerNormGrad: Lowering<Attributes> = (call) => {
  const [dy = '', x = '', scale = '', mean = '', inverseDeviation = ''] = call.inputs;
  return backward(call, { rows: [dy, x, mean, inverseDeviation], scale });
};

/** Its gradients, and its value again. */
export const lowerLayerNormAgain: Lowering<Attributes> = (call) => {
  const [dy = '', x = '', scale = '', offset = '', mean = '', inverseDeviation = ''] = call.inputs;
  return backward(call, { rows: [dy, x, mean, inverseDeviation], scale, offset });
};

/** What a gradient is made of. */
interface BackwardInputs {
  /** Names of `dy`, `x`, means, inverse deviations. */
  readonly rows: readonly string[];
  readonly scale: string;
  /** Given if the value is wanted again. */
  readonly offset?: string;
}

function backward(call: Fused, { rows, scale, offset }: BackwardInputs): string[] {
  const { onnx } = call;
  const { shape } = inputSpec(call, 1);
  const width = shape.at(-1) ?? 1;
  const numRows = shape.slice(0, -1).reduce((product, size) => product * size, 1);
  const pieces = countPieces(onnx, { numRows, width });
  const height = numRows / pieces;
  const share = onnx.op('Mul', [scale, onnx.scalar(1 / width, 'float32')]);
  const column = onnx.op('Reshape', [share, onnx.shape([width, 1])]);
  const ones = onesRow(onnx, height);
  const flat = [width, width, 1, 1].map((size) => [height, size]);
  const wide = [height, width];
  const body = (inner: OnnxBuilder, names: readonly string[]): string[] =>
    rowsBackward(inner, names, { ones, column, scale, offset });
  const asRows = (name: string, index: number): string =>
    onnx.op('Reshape', [
      name,
      onnx.shape(pieces === 1 ? (flat[index] ?? []) : [pieces, ...(flat[index] ?? [])]),
    ]);
  const cut = rows.map(asRows);
  const outputs = [wide, [1, width], [1, width], ...(offset === undefined ? [] : [wide])];
  const [dx = '', dScale = '', dOffset = '', ...value] =
    pieces === 1 ? body(onnx, cut) : scanPieces(onnx, cut, { inputs: flat, outputs }, body);
  const whole = (name: string): string => onnx.op('Reshape', [name, onnx.shape(shape)]);
  const sum = (parts: string): string =>
    onnx.op(
      'ReduceSum',
      [onnx.op('Reshape', [parts, onnx.shape([pieces, width])]), onnx.shape([0])],
      { keepdims: int(0) },
    );
  return [whole(dx), sum(dScale), sum(dOffset), ...value.map(whole)];
}

interface RowsOptions {
  /** `[1, rows]`. */
  readonly ones: string;
  /** `scale / D` as a column: the two means over a row are products with it, which read less memory than reductions. */
  readonly column: string;
  readonly scale: string;
  readonly offset: string | undefined;
}

/** Gradients of some rows, and the sums over them. */
function rowsBackward(
  onnx: OnnxBuilder,
  [dy = '', x = '', mean = '', inverseDeviation = '']: readonly string[],
  { ones, column, scale, offset }: RowsOptions,
): string[] {
  const normal = onnx.op('Mul', [onnx.op('Sub', [x, mean]), inverseDeviation]);
  const product = onnx.op('Mul', [dy, normal]);
  const level = onnx.op('MatMul', [dy, column]); // [rows, 1]
  const along = onnx.op('MatMul', [product, column]); // [rows, 1]
  const drift = onnx.op('Add', [onnx.op('Mul', [normal, along]), level]);
  const inner = onnx.op('Sub', [onnx.op('Mul', [dy, scale]), drift]);
  return [
    onnx.op('Mul', [inner, inverseDeviation]),
    onnx.op('MatMul', [ones, product]),
    onnx.op('MatMul', [ones, dy]),
    ...(offset === undefined ? [] : [onnx.op('Add', [onnx.op('Mul', [normal, scale]), offset])]),
  ];
}
