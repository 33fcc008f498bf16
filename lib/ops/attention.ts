/**
 * Attention in two forms. Source: Vaswani et al. 2017; that scores need not be kept for the gradient is from Dao et al. 2022
 * (FlashAttention). Differs: whole heads instead of tiles, or some queries of one, since their scores fit a processor's cache.
 */

import { checkNumber, checkOneOf } from '../core/index.ts';
import { attentionGradients, attentionResult } from './attention-heads.ts';
import { outputAt, runFused } from './run-fused.ts';
import { tf } from './tfjs.ts';

/** `low`: one head's scores live at a time and are computed again for the gradient. `full`: all of them are kept. */
export type AttentionMemory = 'low' | 'full';

/** How to attend. */
export interface AttentionOptions {
  /** Factor on the scores; `1 / √d` by default. */
  readonly scale?: number;
  /** `low` by default, which is also the faster one where there are many tokens. */
  readonly memory?: AttentionMemory;
}

/**
 * `softmax(q kᵀ scale) v` for each clip and head.
 * Shapes: `q` `[B, h, N, d]`, `k` `[B, h, M, d]`, `v` `[B, h, M, e]`, result `[B, h, N, e]`; all float32.
 *
 * @throws {RangeError} for shapes that do not fit each other, or an unknown `memory`
 */
export function attention(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  { scale = (q.shape[3] ?? 1) ** -0.5, memory = 'low' }: AttentionOptions = {},
): tf.Tensor4D {
  checkNumber('scale', scale);
  checkOneOf('memory', memory, ['low', 'full']);
  checkShapes(q, k, v);
  if (memory === 'full') return attendKeeping([q, k, v], scale);
  return attendAgain([q, k, v], scale, HEADS) as tf.Tensor4D;
}

/**
 * The same with the heads of a token side by side: what comes next takes it so, and it need not be kept in both orders.
 * Shapes: as `attention`; result `[B, N, h · e]`.
 *
 * @throws {RangeError} as `attention`
 */
export function mergedAttention(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  options: AttentionOptions = {},
): tf.Tensor3D {
  const { scale = (q.shape[3] ?? 1) ** -0.5, memory = 'low' } = options;
  if (memory !== 'low') return merge(attention(q, k, v, options)) as tf.Tensor3D;
  checkNumber('scale', scale);
  checkShapes(q, k, v);
  return attendAgain([q, k, v], scale, MERGED) as tf.Tensor3D;
}

type Three = [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];

/** An order in which a result is given and kept. */
interface Layout {
  /** From `[B, h, N, e]`. */
  readonly from: (heads: tf.Tensor4D) => tf.Tensor;
  /** Back to it. */
  readonly toHeads: (result: tf.Tensor, numHeads: number) => tf.Tensor4D;
  /** Sums over `e` of products of results: `[B, h, N, 1]`. */
  readonly level: (product: tf.Tensor, numHeads: number) => tf.Tensor4D;
}

const HEADS: Layout = {
  from: (heads) => heads,
  toHeads: (result) => result as tf.Tensor4D,
  level: (product) => tf.sum(product, -1, true),
};

const MERGED: Layout = {
  from: merge,
  toHeads: (result, numHeads) => tf.transpose(cutHeads(result, numHeads), [0, 2, 1, 3]),
  // [B, N, h] is small: it is turned instead of the result.
  level: (product, numHeads) =>
    tf.expandDims(tf.transpose(tf.sum(cutHeads(product, numHeads), -1), [0, 2, 1]), -1),
};

function merge(heads: tf.Tensor4D): tf.Tensor {
  const [batch, numHeads, tokens, width] = heads.shape;
  return tf.reshape(tf.transpose(heads, [0, 2, 1, 3]), [batch, tokens, numHeads * width]);
}

function cutHeads(result: tf.Tensor, numHeads: number): tf.Tensor4D {
  const [batch = 1, tokens = 1, width = 1] = result.shape;
  return tf.reshape(result, [batch, tokens, numHeads, width / numHeads]);
}

function attendAgain([q, k, v]: Three, scale: number, layout: Layout): tf.Tensor {
  const [, numHeads] = q.shape;
  const run = tf.customGrad((...args: unknown[]) => {
    const [ownQ, ownK, ownV, save] = args as [...Three, tf.GradSaveFunc];
    const inputs = { q: ownQ, k: ownK, v: ownV };
    const outputs = runFused('Attention', inputs, { scale }, () => [
      attentionResult(inputs, scale),
    ]);
    const value = layout.from(outputAt(outputs, 0) as tf.Tensor4D);
    save([ownQ, ownK, ownV, value]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor[] => {
      const [savedQ, savedK, savedV, result] = saved as [...Three, tf.Tensor];
      const level = layout.level(tf.mul(dy, result), numHeads);
      const known = { dy: layout.toHeads(dy, numHeads), q: savedQ, k: savedK, v: savedV, level };
      return runFused('AttentionGrad', known, { scale }, () => attentionGradients(known, scale));
    };
    return { value, gradFunc };
  });
  return run(q, k, v);
}

/** Keeps the weights; what a product gives is scaled where it is smallest. */
function attendKeeping([q, k, v]: Three, scale: number): tf.Tensor4D {
  const run = tf.customGrad((...args: unknown[]) => {
    const [ownQ, ownK, ownV, save] = args as [...Three, tf.GradSaveFunc];
    const weights = tf.softmax(tf.matMul(tf.mul(ownQ, scale), ownK, false, true)); // [B, h, N, M]
    const value: tf.Tensor = tf.matMul(weights, ownV);
    save([ownQ, ownK, ownV, value, weights]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor[] => {
      const [savedQ, savedK, savedV, y, kept] = saved as [...Three, tf.Tensor, tf.Tensor];
      const level = tf.sum(tf.mul(dy, y), -1, true); // [B, h, N, 1]
      const inner = tf.mul(kept, tf.sub(tf.matMul(dy, savedV, false, true), level));
      return [
        tf.mul(tf.matMul(inner, savedK), scale),
        tf.mul(tf.matMul(inner, savedQ, true), scale),
        tf.matMul(kept, dy, true),
      ];
    };
    return { value, gradFunc };
  });
  return run(q, k, v) as tf.Tensor4D;
}

function checkShapes(q: tf.Tensor4D, k: tf.Tensor4D, v: tf.Tensor4D): void {
  const [batch, heads, , depth] = q.shape;
  const [, , keys] = k.shape;
  const fits =
    [q, k, v].every((one) => one.shape.length === 4) &&
    [k, v].every((one) => one.shape[0] === batch && one.shape[1] === heads) &&
    k.shape[3] === depth &&
    v.shape[2] === keys;
  if (fits) return;
  const shapes = [q, k, v].map((one) => `[${one.shape.join()}]`).join(', ');
  throw new RangeError(
    `"q", "k", "v" must be [B, h, N, d], [B, h, M, d], [B, h, M, e] (got ${shapes}).`,
  );
}
