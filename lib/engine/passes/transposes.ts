/** Products take over transposes of their operands' last two axes: the flag costs nothing, the moved elements would. */

import type { Graph, GraphNode } from '../graph/graph.ts';

/** The graph with transposes absorbed into `BatchMatMul`; those that nobody else needs die with the dead code. */
export function absorbTransposes(graph: Graph): Graph {
  const makers = new Map<number, GraphNode>();
  const nodes = graph.nodes.map((node) => {
    const kept = node.kernel === 'BatchMatMul' ? absorb(node, makers) : node;
    for (const value of kept.outputs) makers.set(value, kept);
    return kept;
  });
  return { ...graph, nodes };
}

function absorb(node: GraphNode, makers: ReadonlyMap<number, GraphNode>): GraphNode {
  const [a = -1, b = -1] = node.inputs;
  const [left, right] = [swapped(a, makers), swapped(b, makers)];
  if (left === undefined && right === undefined) return node;
  const { transposeA, transposeB } = node.attributes;
  return {
    ...node,
    inputs: [left ?? a, right ?? b],
    attributes: {
      transposeA: (transposeA === true) !== (left !== undefined),
      transposeB: (transposeB === true) !== (right !== undefined),
    },
  };
}

/** The value before a transpose of the last two axes. */
function swapped(value: number, makers: ReadonlyMap<number, GraphNode>): number | undefined {
  const node = makers.get(value);
  if (node?.kernel !== 'Transpose') return undefined;
  const perm = node.attributes['perm'] as readonly number[];
  const last = perm.length - 1;
  const isSwap = perm.every((axis, index) => {
    if (index === last) return axis === last - 1;
    return index === last - 1 ? axis === last : axis === index;
  });
  return isSwap ? node.inputs[0] : undefined;
}
