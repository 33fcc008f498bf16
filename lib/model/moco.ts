/**
 * Loss and heads of MoCo v3, the contrastive baseline of the paper.
 *
 * Source: Chen et al. 2021 and moco-v3@c349e6e, carried over from pictures to clips, for which nothing was published.
 */

import { normaliseBatch, normaliseByRunning } from './batch-norm.ts';
import type { RunningStats } from './batch-norm.ts';
import { lookup } from './parameters.ts';
import type { ParameterTensors } from './parameters.ts';
import { tf } from '../ops/index.ts';

/** How sharp the comparison is, and where the own rows stand among the keys of all ranks. */
export interface ContrastOptions {
  /** Default 0.2. */
  readonly temperature?: number;
  /** Row of the keys that belongs to the first query. Default 0. */
  readonly firstKey?: number;
}

/** A head after one pass: what it gives, and the running statistics that follow. */
export interface HeadPass {
  readonly output: tf.Tensor2D;
  /** Under the names of PyTorch, such as `1.running_mean`. */
  readonly statistics: ParameterTensors;
}

const EPSILON = 1e-5;
const MOMENTUM = 0.1;
/** Puts a logit out of reach. */
const FAR = 1e9;

/**
 * Contrast of queries with keys; each query has one key of its own. Shapes: `queries` `[B, D]`, `keys` `[K, D]`, K ≥ B; both are
 * brought to length 1 here; no gradient should be taken of keys. Result: a scalar, cross-entropy times `2 · temperature`.
 */
export function contrastLoss(
  queries: tf.Tensor2D,
  keys: tf.Tensor2D,
  { temperature = 0.2, firstKey = 0 }: ContrastOptions = {},
): tf.Scalar {
  const [batch] = queries.shape;
  const similar = tf.matMul(unitRows(queries), unitRows(keys), false, true); // [B, K]
  const logits = tf.div(similar, temperature);
  const isOwn = tf.pad(tf.eye(batch), [
    [0, 0],
    [firstKey, keys.shape[0] - batch - firstKey],
  ]);
  const own = tf.sum(tf.mul(logits, isOwn), 1); // [B]
  const others = tf.logSumExp(tf.sub(logits, tf.mul(isOwn, FAR)), 1); // [B]
  // log(1 + exp(others - own)): cross-entropy, but without the rounding of differences of numbers near 1
  const ahead = tf.sub(others, own);
  const perQuery = tf.add(tf.relu(ahead), tf.log1p(tf.exp(tf.neg(tf.abs(ahead)))));
  return tf.mul(tf.mean(perQuery), 2 * temperature);
}

/** Both directions: queries of view 1 with keys of view 2, and the other way round. Shapes: as {@link contrastLoss}. */
export function mocoLoss(
  queries: readonly [tf.Tensor2D, tf.Tensor2D],
  keys: readonly [tf.Tensor2D, tf.Tensor2D],
  options: ContrastOptions = {},
): tf.Scalar {
  return tf.add(
    contrastLoss(queries[0], keys[1], options),
    contrastLoss(queries[1], keys[0], options),
  );
}

/**
 * Runs a projector (3 layers) or predictor (2 layers): linear layers without bias, batch normalisation after each, ReLU between,
 * no scale and shift at the end. Shapes: `x` `[B, in]`, output `[B, out]`.
 *
 * @param parameters `0.weight`, `1.weight`, `1.bias`, `3.weight`, … and the running statistics beside them
 */
export function runMocoHead(
  parameters: ParameterTensors,
  x: tf.Tensor2D,
  { numLayers, isTraining }: { readonly numLayers: number; readonly isTraining: boolean },
): HeadPass {
  const get = lookup(parameters);
  const statistics: Record<string, tf.Tensor> = {};
  let output: tf.Tensor2D = x;
  for (let layer = 0; layer < numLayers; layer++) {
    const norm = `${layer * 3 + 1}`;
    const weight = get(`${layer * 3}.weight`) as tf.Tensor2D;
    const product: tf.Tensor2D = tf.matMul(output, weight, false, true);
    const running = {
      mean: get(`${norm}.running_mean`),
      variance: get(`${norm}.running_var`),
    } as RunningStats;
    let normal: tf.Tensor2D;
    if (isTraining) {
      const pass = normaliseBatch(product, running, { epsilon: EPSILON, momentum: MOMENTUM });
      statistics[`${norm}.running_mean`] = pass.running.mean;
      statistics[`${norm}.running_var`] = pass.running.variance;
      normal = pass.normal;
    } else {
      normal = normaliseByRunning(product, running, EPSILON);
    }
    if (layer === numLayers - 1) return { output: normal, statistics };
    const scaled = tf.add(tf.mul(normal, get(`${norm}.weight`)), get(`${norm}.bias`));
    output = tf.relu<tf.Tensor2D>(scaled as tf.Tensor2D);
  }
  return { output, statistics };
}

function unitRows(x: tf.Tensor2D): tf.Tensor2D {
  const lengths = tf.sqrt(tf.sum(tf.square(x), 1, true));
  return tf.div(x, tf.maximum(lengths, 1e-12));
}
