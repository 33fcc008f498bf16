/** What happens to gradients before the optimizer sees them, and to parameters after it. */

import { clipByGlobalNorm, globalNorm, tf } from '../../ops/index.ts';
import { take } from '../tensors.ts';
import type { NamedTensors } from '../tensors.ts';

/** Gives a scalar loss and its gradients with respect to all of `parameters`. */
export function lossAndGradients(
  lossOf: (parameters: NamedTensors) => tf.Scalar,
  parameters: NamedTensors,
): { readonly loss: tf.Scalar; readonly gradients: NamedTensors } {
  const names = Object.keys(parameters);
  const ofList = (...tensors: tf.Tensor[]): tf.Scalar =>
    lossOf(Object.fromEntries(names.map((name, i) => [name, tensors[i] as tf.Tensor])));
  const withGradients = tf.valueAndGrads<tf.Scalar>(ofList);
  const { value, grads } = withGradients(names.map((name) => take(parameters, name)));
  return {
    loss: value,
    gradients: Object.fromEntries(names.map((name, i) => [name, grads[i] as tf.Tensor])),
  };
}

/** Gives the length of all gradients together, and the gradients, shortened if they are longer than `limit`; null is no limit. */
export function limitGradients(
  gradients: NamedTensors,
  limit: number | null,
): { readonly gradNorm: tf.Scalar; readonly limited: NamedTensors } {
  const tensors = Object.values(gradients);
  if (limit === null) return { gradNorm: globalNorm(tensors), limited: gradients };
  const { clipped, norm } = clipByGlobalNorm(tensors, limit);
  const names = Object.keys(gradients);
  const limited = Object.fromEntries(names.map((name, i) => [name, clipped[i] as tf.Tensor]));
  return { gradNorm: norm, limited };
}

/** Moving average, `decay * average + (1 - decay) * value`; also the momentum encoder of MoCo v3. `decay` may be a scalar tensor. */
export function followParameters(
  averages: NamedTensors,
  parameters: NamedTensors,
  decay: number | tf.Tensor,
): NamedTensors {
  const rest = typeof decay === 'number' ? 1 - decay : tf.sub(1, decay);
  return mapTensors(averages, (average, name) =>
    tf.add(tf.mul(average, decay), tf.mul(take(parameters, name), rest)),
  );
}

/** Gives every tensor of a record to a function. */
export function mapTensors(
  tensors: NamedTensors,
  map: (tensor: tf.Tensor, name: string) => tf.Tensor,
): NamedTensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [name, map(tensor, name)]),
  );
}
