/** The form of kernels that are written with others. */

import type { tf } from '../../ops/index.ts';
import type { RawAttributes } from './shape-rules.ts';

/** A kernel call: its inputs by name and its attributes. */
export interface ComposedCall {
  /** The input of a name; tfjs passes whole tensors while it records. */
  readonly tensor: (name: string) => tf.Tensor;
  /** The input of a name that may be left out. */
  readonly optional: (name: string) => tf.Tensor | undefined;
  /** All inputs of a kernel that takes a list. */
  readonly list: readonly tf.Tensor[];
  readonly attributes: RawAttributes;
}

/** Gives the outputs, or undefined if this call cannot be written with others. */
export type ComposedKernel = (call: ComposedCall) => tf.Tensor | undefined;
