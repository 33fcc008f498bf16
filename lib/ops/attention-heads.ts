/** Attention from small kernels, some heads at a time, for backends without a kernel of their own. */

import { tf } from './tfjs.ts';

/** Scores that may live at once, in numbers; 16 MB. More heads at once save calls and cost memory. */
const MAX_SCORES = 4_194_304;

/** What a gradient needs. Shapes as in `attention`; `dy` is the gradient of its result, `level` `[B, h, N, 1]` the sum of `dy` times the result. */
export interface AttentionGradInputs {
  readonly dy: tf.Tensor4D;
  readonly q: tf.Tensor4D;
  readonly k: tf.Tensor4D;
  readonly v: tf.Tensor4D;
  readonly level: tf.Tensor4D;
}

/** The result. */
export function attentionResult(
  inputs: Pick<AttentionGradInputs, 'q' | 'k' | 'v'>,
  scale: number,
): tf.Tensor {
  const { q, k, v } = inputs;
  const [result] = byHeads([q, k, v], ([ownQ, ownK, ownV]) => [
    tf.matMul(weigh(ownQ, ownK, scale), ownV),
  ]);
  return result as tf.Tensor;
}

/** Gradients of `q`, `k` and `v`. */
export function attentionGradients(inputs: AttentionGradInputs, scale: number): tf.Tensor[] {
  const { dy, q, k, v, level } = inputs;
  return byHeads([dy, q, k, v, level], ([ownDy, ownQ, ownK, ownV, ownLevel]) => {
    const weights = weigh(ownQ, ownK, scale); // [heads, N, M]
    const inner = tf.mul(weights, tf.sub(tf.matMul(ownDy, ownV, false, true), ownLevel));
    return [
      tf.mul(tf.matMul(inner, ownK), scale),
      tf.mul(tf.matMul(inner, ownQ, true), scale),
      tf.matMul(weights, ownDy, true),
    ];
  });
}

function weigh(q: tf.Tensor3D, k: tf.Tensor3D, scale: number): tf.Tensor3D {
  return tf.softmax(tf.matMul(tf.mul(q, scale), k, false, true));
}

type Heads<T extends readonly tf.Tensor4D[]> = { [Index in keyof T]: tf.Tensor3D };

/** Applies `map` to groups of heads as `[heads, N, d]` and puts the results together again. */
function byHeads<const T extends readonly tf.Tensor4D[]>(
  tensors: T,
  map: (heads: Heads<T>) => tf.Tensor3D[],
): tf.Tensor[] {
  const [batch, heads] = tensors[0]?.shape ?? [1, 1];
  const total = batch * heads;
  const lengths = tensors.map((one) => one.shape[2]);
  const atOnce = Math.max(1, Math.floor(MAX_SCORES / Math.max(...lengths) ** 2));
  const flat = tensors.map((one): tf.Tensor3D => one.reshape([total, one.shape[2], one.shape[3]]));
  const groups: tf.Tensor3D[][] = [];
  for (let start = 0; start < total; start += atOnce) {
    const count = Math.min(atOnce, total - start);
    const part = flat.map((one) => tf.slice(one, [start, 0, 0], [count, -1, -1]));
    groups.push(tf.tidy(() => map(part as Heads<T>)));
  }
  const [first = []] = groups;
  return first.map((one, index) => {
    const parts = groups.map((group) => group[index]).filter((part) => part !== undefined);
    const joined = parts.length === 1 ? one : tf.concat(parts, 0);
    return joined.reshape([batch, heads, one.shape[1], one.shape[2]]);
  });
}
