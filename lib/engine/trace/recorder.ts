/** Builds a graph, value by value and node by node. */

import type { Graph, GraphNode, NamedValue, TensorData, TensorForm } from '../graph/graph.ts';
import type { Plan } from './shape-rules.ts';
import type { Attributes } from '../graph/graph.ts';

/** A graph that grows. */
export interface Recorder {
  readonly input: (name: string, spec: TensorForm) => number;
  readonly constant: (data: TensorData, spec: TensorForm) => number;
  /** Adds a node and gives the ids of its outputs. */
  readonly node: (kernel: string, inputs: readonly number[], plan: Plan<Attributes>) => number[];
  readonly spec: (value: number) => TensorForm;
  readonly finish: (outputs: readonly NamedValue[]) => Graph;
}

/** An empty graph. */
export function createRecorder(): Recorder {
  const values: TensorForm[] = [];
  const inputs: NamedValue[] = [];
  const nodes: GraphNode[] = [];
  const constants = new Map<number, TensorData>();
  const addValue = ({ shape, dtype }: TensorForm): number =>
    values.push({ shape: [...shape], dtype }) - 1;
  return {
    input: (name, spec) => {
      const value = addValue(spec);
      inputs.push({ name, value });
      return value;
    },
    constant: (data, spec) => {
      const value = addValue(spec);
      constants.set(value, data);
      return value;
    },
    node: (kernel, from, plan) => {
      const outputs = plan.outputs.map(addValue);
      nodes.push({ kernel, inputs: [...from], outputs, attributes: plan.attributes });
      return outputs;
    },
    spec: (value) => {
      const spec = values[value];
      if (spec === undefined) throw new RangeError(`"value" must be recorded (got ${value}).`);
      return spec;
    },
    finish: (outputs) => ({ values, inputs, constants, nodes, outputs }),
  };
}
