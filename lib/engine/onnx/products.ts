/** ONNX for matrix products. */

import type { KernelAttributes } from '../graph/kernels.ts';
import type { Lowering, LoweringCall } from './lowering.ts';
import { input, inputSpec, outputSpec } from './lowering.ts';
import { int } from './model.ts';

type Product = LoweringCall<KernelAttributes['BatchMatMul']>;

/**
 * A product of matrices. A single one becomes `Gemm`, whose flags cost nothing; a batch with a transpose becomes ONNX Runtime's
 * `FusedMatMul`, or transposes where only ONNX' own operators may be used.
 */
export const lowerProduct: Lowering<KernelAttributes['BatchMatMul']> = (call) => {
  const { onnx, attributes } = call;
  const [a, b] = [inputSpec(call, 0), inputSpec(call, 1)];
  const { transposeA, transposeB } = attributes;
  const isSingle = a.shape.slice(0, -2).every(isOne) && b.shape.slice(0, -2).every(isOne);
  if (isSingle && a.dtype === 'float32') return [single(call)];
  if (!transposeA && !transposeB) return [onnx.op('MatMul', call.inputs)];
  if (onnx.hasContrib && a.dtype === 'float32') {
    return onnx.ops('FusedMatMul', call.inputs, {
      domain: 'com.microsoft',
      attributes: { transA: int(transposeA ? 1 : 0), transB: int(transposeB ? 1 : 0) },
    });
  }
  const left = transposeA ? swapLast(call, 0) : input(call, 0);
  const right = transposeB ? swapLast(call, 1) : input(call, 1);
  return [onnx.op('MatMul', [left, right])];
};

function isOne(size: number): boolean {
  return size === 1;
}

function single(call: Product): string {
  const { onnx, attributes } = call;
  const { shape } = outputSpec(call);
  const [a, b] = [matrix(call, 0), matrix(call, 1)];
  const product = onnx.op('Gemm', [a, b], {
    transA: int(attributes.transposeA ? 1 : 0),
    transB: int(attributes.transposeB ? 1 : 0),
  });
  return shape.length === 2 ? product : onnx.op('Reshape', [product, onnx.shape(shape)]);
}

function matrix(call: Product, index: number): string {
  const { shape } = inputSpec(call, index);
  if (shape.length === 2) return input(call, index);
  return call.onnx.op('Reshape', [input(call, index), call.onnx.shape(shape.slice(-2))]);
}

function swapLast(call: Product, index: number): string {
  const { shape } = inputSpec(call, index);
  const axes = shape.map((_, axis) => axis);
  const perm = [...axes.slice(0, -2), axes.length - 1, axes.length - 2];
  return call.onnx.op('Transpose', [input(call, index)], { perm: { type: 'ints', value: perm } });
}
