/** Runs a traced graph in double precision, and differentiates it by central differences. */

import type { Graph } from '../../lib/engine/graph/graph.ts';
import { DOUBLE_KERNELS } from './double-kernels.ts';
import { double } from './double-tensor.ts';
import type { DoubleTensor } from './double-tensor.ts';

type Named = Readonly<Record<string, ArrayLike<number>>>;

/** Outputs by name. */
export function runDouble(graph: Graph, inputs: Named): Record<string, Float64Array> {
  const values = new Map<number, DoubleTensor>();
  const shapeOf = (value: number): readonly number[] => graph.values[value]!.shape;
  for (const { name, value } of graph.inputs)
    values.set(value, double(shapeOf(value), inputs[name]!));
  for (const [value, data] of graph.constants) values.set(value, double(shapeOf(value), data));
  for (const { kernel, inputs: from, outputs, attributes } of graph.nodes) {
    if (!(kernel in DOUBLE_KERNELS)) throw new Error(`${kernel} has no reference.`);
    const run = DOUBLE_KERNELS[kernel as keyof typeof DOUBLE_KERNELS];
    const results = run(
      from.map((value) => values.get(value)!),
      attributes,
    );
    for (const [index, value] of outputs.entries()) values.set(value, results[index]!);
  }
  return Object.fromEntries(
    graph.outputs.map(({ name, value }) => [name, values.get(value)!.data]),
  );
}

/** Gradient of `Σ output · weights` over all of `weights` with respect to an input. */
export function differences(graph: Graph, inputs: Named, weights: Named, of: string): Float64Array {
  const total = (moved: Named): number => {
    const outputs = runDouble(graph, moved);
    return Object.entries(weights).reduce(
      (sum, [name, weight]) =>
        sum + outputs[name]!.reduce((own, value, i) => own + value * weight[i]!, 0),
      0,
    );
  };
  const start = Float64Array.from(inputs[of]!);
  return start.map((value, index) => {
    const h = 1e-5 * Math.max(1, Math.abs(value));
    const at = (x: number): number => total({ ...inputs, [of]: start.with(index, x) });
    return (at(value + h) - at(value - h)) / (2 * h);
  });
}

/** Largest difference, relative to the largest number of the reference (or to 1e-3, if that is larger). */
export function relativeError(got: ArrayLike<number>, wanted: ArrayLike<number>): number {
  const highest = Array.from(wanted).reduce((top, one) => Math.max(top, Math.abs(one)), 1e-3);
  const errors = Array.from(wanted, (one, index) => Math.abs(one - got[index]!));
  if (got.length !== wanted.length || errors.some((one) => Number.isNaN(one))) return Infinity;
  return errors.reduce((top, one) => Math.max(top, one), 0) / highest;
}
