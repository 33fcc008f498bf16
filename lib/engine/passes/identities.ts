/**
 * Removes what changes nothing (`x * 1`, `x + 0`, reshapes to the same shape, chains of reshapes), of which gradients are full: the
 * gradient of a sum multiplies with ones.
 */

import type { Graph, GraphNode } from '../graph/graph.ts';
import { isSameShape, specOf } from '../graph/graph.ts';
import { replaceOutputs, resolve } from './replace-values.ts';

/** Looks values up in the graph so far. */
interface Lookup {
  readonly graph: Graph;
  /** The node that makes a value, if one does. */
  readonly maker: (value: number) => GraphNode | undefined;
}

/** What a node becomes: a value that is already there, another node, or itself. */
type Simpler = number | GraphNode | undefined;

/** The graph without operations that change nothing. Numbers stay the same to the bit, but for -0 + 0. */
export function dropIdentities(graph: Graph): Graph {
  const replaced = new Map<number, number>();
  const makers = new Map<number, GraphNode>();
  const nodes: GraphNode[] = [];
  const lookup: Lookup = { graph, maker: (value) => makers.get(value) };
  for (const node of graph.nodes) {
    const current = { ...node, inputs: node.inputs.map((value) => resolve(replaced, value)) };
    const simpler = simplify(current, lookup);
    const [output = -1] = current.outputs;
    if (typeof simpler === 'number') {
      replaced.set(output, simpler);
      continue;
    }
    const kept = simpler ?? current;
    nodes.push(kept);
    for (const value of kept.outputs) makers.set(value, kept);
  }
  return replaceOutputs({ ...graph, nodes }, replaced);
}

function simplify(node: GraphNode, lookup: Lookup): Simpler {
  const [a = -1, b = -1] = node.inputs;
  switch (node.kernel) {
    case 'Identity':
      return a;
    case 'BroadcastTo':
      return isUnchanged(node, lookup) ? a : refill(node, lookup);
    case 'Cast':
    case 'Tile':
    case 'Slice':
    case 'PadV2':
      return isUnchanged(node, lookup) ? a : undefined;
    case 'Reshape':
      return simplifyReshape(node, lookup);
    case 'Transpose':
      return isInOrder(node.attributes['perm']) ? a : undefined;
    case 'Sum':
    case 'Mean':
    case 'Max':
    case 'Min':
      return isOverOnes(node, lookup) ? a : undefined;
    case 'Multiply':
      return (
        neutral(node, { a, b, number: 1 }, lookup) ??
        neutral(node, { a: b, b: a, number: 1 }, lookup)
      );
    case 'Add':
      return (
        neutral(node, { a, b, number: 0 }, lookup) ??
        neutral(node, { a: b, b: a, number: 0 }, lookup)
      );
    case 'Sub':
      return neutral(node, { a, b, number: 0 }, lookup);
    case 'RealDiv':
      return neutral(node, { a, b, number: 1 }, lookup);
    default:
      return undefined;
  }
}

/** Same shape and dtype out as in: for kernels of which this means the same elements. */
function isUnchanged({ inputs, outputs }: GraphNode, { graph }: Lookup): boolean {
  const [before, after] = [specOf(graph, inputs[0] ?? -1), specOf(graph, outputs[0] ?? -1)];
  return before.dtype === after.dtype && isSameShape(before.shape, after.shape);
}

/** Reductions of axes of length 1 that keep them. */
function isOverOnes({ inputs, attributes, ...node }: GraphNode, lookup: Lookup): boolean {
  const { shape } = specOf(lookup.graph, inputs[0] ?? -1);
  const axes = attributes['axis'] as readonly number[];
  const isOne = axes.every((axis) => shape[axis] === 1);
  return isOne && isUnchanged({ inputs, attributes, ...node }, lookup);
}

function isInOrder(perm: unknown): boolean {
  return (perm as readonly number[]).every((axis, index) => axis === index);
}

/** A reshape of a reshape goes back to the first; one to the same shape goes away. */
function simplifyReshape(node: GraphNode, lookup: Lookup): Simpler {
  if (isUnchanged(node, lookup)) return node.inputs[0];
  const before = lookup.maker(node.inputs[0] ?? -1);
  if (before?.kernel !== 'Reshape') return refill(node, lookup);
  const joined = { ...node, inputs: before.inputs };
  return isUnchanged(joined, lookup) ? joined.inputs[0] : joined;
}

/** One number in a shape, put into another shape, is that number in the other shape. */
function refill(
  { inputs, outputs, attributes: { shape = [] } }: GraphNode,
  lookup: Lookup,
): Simpler {
  const [input = -1] = inputs;
  const data = lookup.graph.constants.get(input);
  const before = lookup.maker(input);
  const value = data?.length === 1 ? data[0] : before?.attributes['value'];
  if (value === undefined || (before !== undefined && before.kernel !== 'Fill')) return undefined;
  const { dtype } = specOf(lookup.graph, input);
  return { kernel: 'Fill', inputs: [], outputs, attributes: { shape, value, dtype } };
}

interface Operands {
  readonly a: number;
  /** The operand that may be neutral. */
  readonly b: number;
  readonly number: number;
}

/** `a` alone if `b` holds nothing but the neutral number; broadcast if the result is larger than `a`. */
function neutral(node: GraphNode, { a, b, number }: Operands, lookup: Lookup): Simpler {
  if (!holdsOnly(b, number, lookup)) return undefined;
  const [from, to] = [specOf(lookup.graph, a), specOf(lookup.graph, node.outputs[0] ?? -1)];
  if (from.dtype !== to.dtype) return undefined;
  if (isSameShape(from.shape, to.shape)) return a;
  const { outputs } = node;
  const spread = { kernel: 'BroadcastTo', inputs: [a], outputs, attributes: { shape: to.shape } };
  return refill(spread, lookup) ?? spread;
}

function holdsOnly(value: number, number: number, { graph, maker }: Lookup): boolean {
  const node = maker(value);
  if (node?.kernel === 'Fill') return node.attributes['value'] === number;
  if (node?.kernel === 'OnesLike') return number === 1;
  if (node?.kernel === 'ZerosLike') return number === 0;
  const data = graph.constants.get(value);
  return data !== undefined && data.length === 1 && data[0] === number;
}
