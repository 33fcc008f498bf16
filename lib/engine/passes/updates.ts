/**
 * Takes updates of parameters out of a graph that are the last thing to happen to their states, so that whoever runs the graph can
 * do them afterwards, in place.
 */

import type { Graph, GraphNode } from '../graph/graph.ts';
import { countElements, isSameShape, specOf } from '../graph/graph.ts';
import { countUses } from './uses.ts';

/** One update of AdamW that is to follow the graph; see `adamwUpdate`. */
export interface AdamwUpdate {
  /** Names of the states that move, all of one shape. */
  readonly parameter: string;
  readonly first: string;
  readonly second: string;
  /** Name of the output that is the gradient, of the same shape. */
  readonly gradient: string;
  /** Names of the outputs that are the scalars, of one element each. */
  readonly rate: string;
  readonly keep: string;
  readonly correction: string;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Elements of each state. */
  readonly length: number;
}

/** What remains of a graph, and what is to follow it. */
export interface SplitGraph {
  /** Lacks the next values of the states that the updates move; their gradients and scalars are outputs. */
  readonly graph: Graph;
  readonly updates: readonly AdamwUpdate[];
}

/**
 * Takes out AdamW where its three results are the next values of the very states that it reads, and nothing else. Whatever reads the
 * present values may stay: it comes first.
 */
export function takeUpdates(graph: Graph, states: ReadonlySet<string>): SplitGraph {
  const stateOf = findStates(graph, states);
  const taken = new Map<GraphNode, AdamwUpdate>();
  for (const node of graph.nodes) {
    const update = node.kernel === 'AdamW' ? updateOf(graph, node, stateOf) : undefined;
    if (update !== undefined) taken.set(node, update);
  }
  const results = new Set([...taken.keys()].flatMap(({ outputs }) => outputs));
  const scalars = new Set([...taken.keys()].flatMap(({ inputs }) => inputs.slice(4)));
  return {
    graph: {
      ...graph,
      nodes: graph.nodes.filter((node) => !taken.has(node)),
      outputs: [
        ...graph.outputs.filter(({ value }) => !results.has(value)),
        ...Array.from(taken, ([{ inputs }, { gradient }]) => ({
          name: gradient,
          value: inputs[1] ?? -1,
        })),
        ...Array.from(scalars, (value) => ({ name: scalarName(value), value })),
      ],
    },
    updates: [...taken.values()],
  };
}

/** The state of which one value is the present and the other the next one, if neither is anything else to the outside. */
type StateOf = (present: number, next: number) => string | undefined;

function findStates(graph: Graph, states: ReadonlySet<string>): StateOf {
  const uses = countUses(graph);
  const inputs = new Map(graph.inputs.map(({ name, value }) => [value, name]));
  const outputs = new Map(graph.outputs.map(({ name, value }) => [value, name]));
  return (present, next) => {
    const name = inputs.get(present);
    const isState = name !== undefined && states.has(name);
    return isState && outputs.get(next) === name && uses.get(next) === 1 ? name : undefined;
  };
}

/** What a node of AdamW does, if it may be taken out. */
function updateOf(graph: Graph, node: GraphNode, stateOf: StateOf): AdamwUpdate | undefined {
  const { inputs, outputs, attributes } = node;
  const [parameter, first, second] = [0, 2, 3].map((place, index) =>
    stateOf(inputs[place] ?? -1, outputs[index] ?? -1),
  );
  if (parameter === undefined || first === undefined || second === undefined) return undefined;
  const [form, ...others] = inputs.map((value) => specOf(graph, value).shape);
  if (form === undefined) return undefined;
  if (others.slice(0, 3).some((shape) => !isSameShape(shape, form))) return undefined;
  if (others.slice(3).some((shape) => countElements(shape) !== 1)) return undefined;
  const [rate = '', keep = '', correction = ''] = inputs.slice(4).map(scalarName);
  return {
    parameter,
    first,
    second,
    gradient: `%gradient:${parameter}`,
    rate,
    keep,
    correction,
    beta1: Number(attributes['beta1']),
    beta2: Number(attributes['beta2']),
    epsilon: Number(attributes['epsilon']),
    length: countElements(form),
  };
}

function scalarName(value: number): string {
  return `%scalar:${value}`;
}
