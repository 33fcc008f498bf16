/** Functions of named tensors, in the form in which engines take them. */

import type { tf } from '../ops/index.ts';

/** Tensors by name. */
export type NamedTensors = Readonly<Record<string, tf.Tensor>>;

/**
 * A function of a step: what it is given anew each time comes first, what it keeps from step to step second. An output with the
 * name of a kept tensor is that tensor's next value.
 */
export type TensorFunction = (inputs: NamedTensors, state: NamedTensors) => NamedTensors;

/**
 * Takes a tensor out by name.
 *
 * @throws {RangeError} if it is not there
 */
export function take(tensors: NamedTensors, name: string): tf.Tensor {
  const tensor = tensors[name];
  if (tensor === undefined) throw new RangeError(`"tensors" has no ${name}.`);
  return tensor;
}

/** The tensors below a prefix, without it. */
export function below(tensors: NamedTensors, prefix: string): NamedTensors {
  return Object.fromEntries(
    Object.entries(tensors).flatMap(([name, tensor]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), tensor] as const] : [],
    ),
  );
}

/** The tensors with a prefix before their names. */
export function withPrefix(tensors: NamedTensors, prefix: string): NamedTensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [`${prefix}${name}`, tensor]),
  );
}
