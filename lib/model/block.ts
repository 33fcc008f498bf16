/**
 * A transformer block with normalisation before each branch, as encoder and decoder use it.
 *
 * Source: VideoMAE (Tong et al. 2022) and its released code: no bias for keys, exact GELU. Differs: dropout inside attention and
 * MLP, which all published runs leave at 0, does not exist.
 */

import type { LinearParameters, NormParameters } from '../ops/index.ts';
import type { Lookup } from './parameters.ts';
import { dropPath, geluLinear, linear, mergedAttention, normLinear, tf } from '../ops/index.ts';

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
  const middle = addBranch(x, attend(x, get, options), get, { ...options, branch: 0 });
  const norm = normOf(get, 'norm2', options);
  const hidden = normLinear(middle, norm, layerOf(get, 'mlp.fc1'));
  const last = geluLinear(hidden, layerOf(get, 'mlp.fc2')) as tf.Tensor3D;
  return addBranch(middle, last, get, { ...options, branch: 1 });
}

function layerOf(get: Lookup, name: string): LinearParameters {
  return { weight: get(`${name}.weight`), bias: get(`${name}.bias`) };
}

function normOf(
  get: Lookup,
  name: string,
  { epsilon }: Pick<BlockOptions, 'epsilon'>,
): NormParameters {
  return { scale: get(`${name}.weight`), offset: get(`${name}.bias`), epsilon };
}

/** Joint attention over all tokens, which are normalised first. Shapes: `x` and result `[B, N, D]`. */
function attend(x: tf.Tensor3D, get: Lookup, options: BlockOptions): tf.Tensor3D {
  const { numHeads } = options;
  const [batch, tokens, width] = x.shape;
  const valueBias = get('attn.v_bias');
  const bias = tf.concat([get('attn.q_bias'), tf.zerosLike(valueBias), valueBias]); // [3 D]
  const layer = { weight: get('attn.qkv.weight'), bias };
  const joint = normLinear(x, normOf(get, 'norm1', options), layer) as tf.Tensor3D; // [B, N, 3 D]
  const cut = tf.reshape(joint, [batch, tokens, 3, numHeads, width / numHeads]);
  const parts = tf.unstack(tf.transpose(cut, [2, 0, 3, 1, 4])); // [B, heads, N, D / heads] each
  const [queries, keys, values] = parts as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
  const merged = mergedAttention(queries, keys, values); // [B, N, D]
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
