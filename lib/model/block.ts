/**
 * A transformer block with normalisation before each branch, as encoder and decoder use it.
 *
 * Source: VideoMAE (Tong et al. 2022) and its released code: no bias for keys, exact GELU. Differs: dropout inside attention and
 * MLP, which all published runs leave at 0, does not exist.
 */

import type { Lookup } from './parameters.ts';
import { attention, dropPath, gelu, layerNorm, linear, tf } from '../ops/index.ts';

/** What all blocks of a stack share, and what is particular to a step. */
export interface BlockOptions {
  readonly numHeads: number;
  readonly epsilon: number;
  /** Whether branches have learned scales. */
  readonly hasScales: boolean;
  /** Rate of drop path of this block. */
  readonly dropRate: number;
  /** Uniform numbers in 0 … 1, one per branch and clip; without them nothing is dropped. Shape: `[2, B]`. */
  readonly draws: tf.Tensor2D | null;
}

/** Runs a block. Shapes: `x` and result `[B, N, D]`. */
export function runBlock(x: tf.Tensor3D, get: Lookup, options: BlockOptions): tf.Tensor3D {
  const { epsilon } = options;
  const first = layerNorm(x, get('norm1.weight'), get('norm1.bias'), epsilon);
  const middle = addBranch(x, attend(first, get, options.numHeads), get, { ...options, branch: 0 });
  const second = layerNorm(middle, get('norm2.weight'), get('norm2.bias'), epsilon);
  const hidden = gelu(linear(second, get('mlp.fc1.weight'), get('mlp.fc1.bias')));
  const last = linear(hidden, get('mlp.fc2.weight'), get('mlp.fc2.bias')) as tf.Tensor3D;
  return addBranch(middle, last, get, { ...options, branch: 1 });
}

/** Joint attention over all tokens. Shapes: `x` and result `[B, N, D]`. */
function attend(x: tf.Tensor3D, get: Lookup, numHeads: number): tf.Tensor3D {
  const [batch, tokens, width] = x.shape;
  const valueBias = get('attn.v_bias');
  const bias = tf.concat([get('attn.q_bias'), tf.zerosLike(valueBias), valueBias]); // [3 D]
  const joint = linear(x, get('attn.qkv.weight'), bias) as tf.Tensor3D; // [B, N, 3 D]
  const headsOf = (part: number): tf.Tensor4D => {
    const own = tf.slice(joint, [0, 0, part * width], [batch, tokens, width]);
    return tf.transpose(tf.reshape(own, [batch, tokens, numHeads, width / numHeads]), [0, 2, 1, 3]);
  };
  const heads = attention(headsOf(0), headsOf(1), headsOf(2)); // [B, heads, N, D / heads]
  const merged: tf.Tensor3D = tf.reshape(tf.transpose(heads, [0, 2, 1, 3]), [batch, tokens, width]);
  return linear(merged, get('attn.proj.weight'), get('attn.proj.bias')) as tf.Tensor3D;
}

interface BranchOptions extends BlockOptions {
  readonly branch: 0 | 1;
}

/** Adds a branch to the stream: scaled if scales are learned, dropped for whole clips if draws are given. */
function addBranch(
  x: tf.Tensor3D,
  result: tf.Tensor3D,
  get: Lookup,
  options: BranchOptions,
): tf.Tensor3D {
  const { branch, dropRate, draws } = options;
  const scaled = options.hasScales ? tf.mul(result, get(`gamma_${branch + 1}`)) : result;
  if (draws === null || dropRate === 0) return tf.add(x, scaled);
  const own = tf.slice(draws, [branch, 0], [1, x.shape[0]]);
  return tf.add(x, dropPath(scaled, own, dropRate));
}
