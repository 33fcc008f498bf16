/**
 * A tensor program as plain data: every value has an id, a shape and a dtype; nodes stand in an order in which they can run.
 * Kernels carry tfjs' names and attributes. Nothing here knows who will run it.
 */

/** Element types: `bool` is stored as bytes 0 and 1. */
export type Dtype = 'float32' | 'int32' | 'bool';

/** Elements of a value in C order. */
export type TensorData = Float32Array | Int32Array | Uint8Array;

/** Shape and dtype, both static. */
export interface TensorForm {
  readonly shape: readonly number[];
  readonly dtype: Dtype;
}

/** What an attribute of a node may hold. */
export type AttributeValue =
  number | string | boolean | readonly number[] | readonly (readonly number[])[];

/** Attributes of a node by name, all of them resolved: no negative axes, no -1 sizes. */
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** One kernel call. `inputs` and `outputs` are ids of values. */
export interface GraphNode {
  readonly kernel: string;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly attributes: Attributes;
}

/** A value that has a name outside of the graph. */
export interface NamedValue {
  readonly name: string;
  readonly value: number;
}

/** The program. A value is an input, a constant, or an output of exactly one node. */
export interface Graph {
  /** Shape and dtype of every value, by id; ids that no node uses may stay behind after a pass. */
  readonly values: readonly TensorForm[];
  readonly inputs: readonly NamedValue[];
  readonly constants: ReadonlyMap<number, TensorData>;
  readonly nodes: readonly GraphNode[];
  readonly outputs: readonly NamedValue[];
}

/** Number of elements of a shape; 1 for a scalar. */
export function countElements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** The spec of a value, which must exist. */
export function specOf(graph: Pick<Graph, 'values'>, value: number): TensorForm {
  const spec = graph.values[value];
  if (spec === undefined) throw new RangeError(`"value" must be one of the graph (got ${value}).`);
  return spec;
}

/** True for two lists with the same numbers. */
export function isSameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** New elements of a dtype, all zero. */
export function allocate(dtype: Dtype, length: number): TensorData {
  if (dtype === 'float32') return new Float32Array(length);
  return dtype === 'int32' ? new Int32Array(length) : new Uint8Array(length);
}
