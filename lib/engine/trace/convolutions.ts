/**
 * Convolutions whose stride is the size of their filter, as patch embeddings have: the input is cut into patches and multiplied
 * with the filter, forward and backward. Others are no part of a graph.
 */

import { tf } from '../../ops/index.ts';
import type { ComposedKernel } from './composed.ts';
import { numbers } from './shape-rules.ts';
import type { RawAttributes } from './shape-rules.ts';

/** By name of the tfjs kernel. */
export const CONVOLUTIONS: Readonly<Record<string, ComposedKernel>> = {
  Conv2D: ({ tensor, attributes }) => forward(tensor('x'), tensor('filter'), attributes),
  Conv2DBackpropFilter: ({ tensor, attributes }) =>
    filterGradient(tensor('x'), tensor('dy'), attributes),
  Conv2DBackpropInput: ({ tensor, attributes }) =>
    inputGradient(tensor('dy'), tensor('filter'), attributes),
  Conv3D: ({ tensor, attributes }) => forward(tensor('x'), tensor('filter'), attributes),
  Conv3DBackpropFilterV2: ({ tensor, attributes }) =>
    filterGradient(tensor('x'), tensor('dy'), attributes),
  Conv3DBackpropInputV2: ({ tensor, attributes }) =>
    inputGradient(tensor('dy'), tensor('filter'), attributes),
};

/** How an input `[B, ...space, C]` is cut: `count` patches of `size` along each axis of space. */
interface Cut {
  readonly batch: number;
  readonly counts: readonly number[];
  readonly sizes: readonly number[];
  readonly channels: number;
}

function forward(
  x: tf.Tensor,
  filter: tf.Tensor,
  attributes: RawAttributes,
): tf.Tensor | undefined {
  const cut = planCut(x.shape, filter.shape, attributes);
  if (cut === undefined) return undefined;
  const outputs = filter.shape.at(-1) ?? 1;
  const product = tf.matMul(cutPatches(x, cut), tf.reshape(filter, [-1, outputs]));
  return tf.reshape(product, [cut.batch, ...cut.counts, outputs]);
}

function filterGradient(
  x: tf.Tensor,
  dy: tf.Tensor,
  attributes: RawAttributes,
): tf.Tensor | undefined {
  const filterShape = numbers(attributes['filterShape']);
  const cut = planCut(x.shape, filterShape, attributes);
  if (cut === undefined) return undefined;
  const rows = tf.reshape(dy, [-1, filterShape.at(-1) ?? 1]);
  return tf.reshape(tf.matMul(cutPatches(x, cut), rows, true, false), filterShape);
}

function inputGradient(
  dy: tf.Tensor,
  filter: tf.Tensor,
  attributes: RawAttributes,
): tf.Tensor | undefined {
  const inputShape = numbers(attributes['inputShape']);
  const cut = planCut(inputShape, filter.shape, attributes);
  if (cut === undefined) return undefined;
  const outputs = filter.shape.at(-1) ?? 1;
  const rows = tf.reshape(dy, [-1, outputs]);
  const patches = tf.matMul(rows, tf.reshape(filter, [-1, outputs]), false, true);
  return joinPatches(patches, cut, inputShape);
}

/** `[B, ...space, C]` to `[B * patches, elements of a patch]`. */
function cutPatches(x: tf.Tensor, cut: Cut): tf.Tensor2D {
  const { batch, counts, sizes, channels } = cut;
  const used = counts.map((count, axis) => count * (sizes[axis] ?? 1));
  const whole = tf.slice(
    x,
    x.shape.map(() => 0),
    [batch, ...used, channels],
  );
  const split = tf.reshape(whole, [batch, ...interleave(counts, sizes), channels]);
  const ordered = tf.transpose(split, patchOrder(counts.length));
  const length = sizes.reduce((a, b) => a * b, channels);
  return tf.reshape(ordered, [-1, length]);
}

/** The way back: what no patch covers gets zeros. */
function joinPatches(patches: tf.Tensor, cut: Cut, shape: readonly number[]): tf.Tensor {
  const { batch, counts, sizes, channels } = cut;
  const split = tf.reshape(patches, [batch, ...counts, ...sizes, channels]);
  const order = patchOrder(counts.length);
  const back = order.map((_, axis) => order.indexOf(axis));
  const used = counts.map((count, axis) => count * (sizes[axis] ?? 1));
  const whole = tf.reshape(tf.transpose(split, back), [batch, ...used, channels]);
  const rest = [batch, ...used, channels].map((size, axis): [number, number] => [
    0,
    (shape[axis] ?? size) - size,
  ]);
  return tf.pad(whole, rest);
}

function interleave(counts: readonly number[], sizes: readonly number[]): number[] {
  return counts.flatMap((count, axis) => [count, sizes[axis] ?? 1]);
}

/** From `[B, count, size, count, size, ..., C]` to `[B, ...counts, ...sizes, C]`. */
function patchOrder(axes: number): number[] {
  const places = Array.from({ length: axes }, (_, axis) => 1 + 2 * axis);
  return [0, ...places, ...places.map((place) => place + 1), 2 * axes + 1];
}

function planCut(
  inputShape: readonly number[],
  filterShape: readonly number[],
  attributes: RawAttributes,
): Cut | undefined {
  const sizes = filterShape.slice(0, -2);
  const space = inputShape.slice(1, -1);
  const strides = spread(attributes['strides'], sizes.length);
  const dilations = spread(attributes['dilations'] ?? 1, sizes.length);
  const isLast = !['NCHW', 'NCDHW'].includes(String(attributes['dataFormat']));
  const isWhole = space.every((size, axis) => size % (sizes[axis] ?? 1) === 0);
  const { pad } = attributes;
  const hasBorder = !(pad === 'valid' || pad === 0 || (pad === 'same' && isWhole));
  const isPatch = sizes.every((size, axis) => size === strides[axis] && dilations[axis] === 1);
  if (!isPatch || !isLast || hasBorder) return undefined;
  return {
    batch: inputShape[0] ?? 1,
    counts: space.map((size, axis) => Math.floor(size / (sizes[axis] ?? 1))),
    sizes,
    channels: inputShape.at(-1) ?? 1,
  };
}

function spread(value: unknown, length: number): number[] {
  return typeof value === 'number' ? Array.from({ length }, () => value) : numbers(value);
}
