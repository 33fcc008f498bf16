/** Parameters as the functions of this room take them, and the look-up of one by name. */

import type { tf } from '../ops/index.ts';

/** Tensors under their official names. */
export type ParameterTensors = Readonly<Record<string, tf.Tensor>>;

/** Gives the parameter of a name within some part of the network. */
export type Lookup = (name: string) => tf.Tensor;

/**
 * Looks parameters up below a prefix, such as `encoder.blocks.0.`.
 *
 * @throws {RangeError} when a name that is asked for is not there
 */
export function lookup(parameters: ParameterTensors, prefix = ''): Lookup {
  return (name) => {
    const tensor = parameters[`${prefix}${name}`];
    if (tensor === undefined) throw new RangeError(`"parameters" has no ${prefix}${name}.`);
    return tensor;
  };
}
