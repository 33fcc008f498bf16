/** How one kernel call becomes ONNX nodes. */

import type { Attributes, TensorForm } from '../graph/graph.ts';
import type { OnnxBuilder } from './model.ts';

/** A kernel call whose inputs already have names in the model. */
export interface LoweringCall<A> {
  readonly onnx: OnnxBuilder;
  /** Names of the inputs. */
  readonly inputs: readonly string[];
  readonly inputSpecs: readonly TensorForm[];
  readonly outputSpecs: readonly TensorForm[];
  readonly attributes: A;
}

/** Writes the nodes of a call and gives the names of its outputs. */
export type Lowering<A> = (call: LoweringCall<A>) => readonly string[];

/** The name of an input, which must exist. */
export function input({ inputs }: Pick<LoweringCall<unknown>, 'inputs'>, index: number): string {
  const name = inputs[index];
  if (name === undefined) throw new RangeError(`A lowering needs input ${index}.`);
  return name;
}

/** The spec of an input, which must exist. */
export function inputSpec(
  { inputSpecs }: Pick<LoweringCall<unknown>, 'inputSpecs'>,
  index: number,
): TensorForm {
  const spec = inputSpecs[index];
  if (spec === undefined) throw new RangeError(`A lowering needs input ${index}.`);
  return spec;
}

/** The spec of the first output. */
export function outputSpec({
  outputSpecs,
}: Pick<LoweringCall<unknown>, 'outputSpecs'>): TensorForm {
  const [spec] = outputSpecs;
  if (spec === undefined) throw new RangeError('A lowering needs an output.');
  return spec;
}

/** A number among the attributes. */
export function numberOf(
  { attributes }: Pick<LoweringCall<Attributes>, 'attributes'>,
  name: string,
): number {
  const value = attributes[name];
  if (typeof value !== 'number') throw new RangeError(`"${name}" must be a number.`);
  return value;
}
