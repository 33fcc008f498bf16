/** ONNX for the fused kernels that work on rows or single elements. */

import type { Attributes } from '../graph/graph.ts';
import type { Lowering, LoweringCall } from './lowering.ts';
import { input, inputSpec } from './lowering.ts';
import { float, int } from './model.ts';

type Fused = LoweringCall<Attributes>;

/** Normalisation of rows with their means and inverse deviations. */
export const lowerLayerNorm: Lowering<Attributes> = (call) =>
  call.onnx.ops('LayerNormalization', call.inputs, {
    outputs: 3,
    attributes: { axis: int(-1), epsilon: float(numberOf(call, 'epsilon')) },
  });

/** Its gradients. The two means over a row are products with `scale / D`, which read less memory than a reduction would. */
export const lowerLayerNormGrad: Lowering<Attributes> = (call) => {
  const { onnx, inputs } = call;
  const [dy = '', x = '', scale = '', mean = '', inverseDeviation = ''] = inputs;
  const { shape } = inputSpec(call, 1);
  const width = shape.at(-1) ?? 1;
  const share = onnx.op('Mul', [scale, onnx.scalar(1 / width, 'float32')]);
  const column = onnx.op('Reshape', [share, onnx.shape([width, 1])]);
  const normal = onnx.op('Mul', [onnx.op('Sub', [x, mean]), inverseDeviation]);
  const product = onnx.op('Mul', [dy, normal]);
  const level = onnx.op('MatMul', [dy, column]); // [..., 1]
  const along = onnx.op('MatMul', [product, column]); // [..., 1]
  const drift = onnx.op('Add', [onnx.op('Mul', [normal, along]), level]);
  const inner = onnx.op('Sub', [onnx.op('Mul', [dy, scale]), drift]);
  const rows = shape.slice(0, -1).map((_, axis) => axis);
  const sum = (values: string): string =>
    rows.length === 0
      ? onnx.op('Identity', [values])
      : onnx.op('ReduceSum', [values, onnx.shape(rows)], { keepdims: int(0) });
  return [onnx.op('Mul', [inner, inverseDeviation]), sum(product), sum(dy)];
};

/** Exact GELU. */
export const lowerGelu: Lowering<Attributes> = ({ onnx, inputs }) => [onnx.op('Gelu', inputs)];

/** Φ(x) + x φ(x), times `dy`. The factor of the density is inside its exponential; a hard sigmoid does `e / 2 + 1 / 2` in one go. */
export const lowerGeluGrad: Lowering<Attributes> = (call) => {
  const { onnx } = call;
  const scaled = onnx.op('Mul', [input(call, 1), onnx.scalar(Math.SQRT1_2, 'float32')]);
  const square = onnx.op('Mul', [scaled, scaled]);
  const factor = onnx.scalar(Math.log(1 / Math.sqrt(Math.PI)), 'float32');
  const density = onnx.op('Exp', [onnx.op('Sub', [factor, square])]);
  const error = onnx.op('Erf', [scaled]);
  const below = onnx.op('HardSigmoid', [error], { alpha: float(0.5), beta: float(0.5) });
  const slope = onnx.op('Add', [below, onnx.op('Mul', [scaled, density])]);
  return [onnx.op('Mul', [input(call, 0), slope])];
};

/** A number among the attributes. */
export function numberOf({ attributes }: Pick<Fused, 'attributes'>, name: string): number {
  const value = attributes[name];
  if (typeof value !== 'number') throw new RangeError(`"${name}" must be a number.`);
  return value;
}
