/** Drops what no output needs. */

import type { Graph, GraphNode } from '../graph/graph.ts';

/** The graph without nodes and constants that no output depends on. Inputs stay. */
export function dropDeadNodes(graph: Graph): Graph {
  const live = new Set(graph.outputs.map(({ value }) => value));
  const nodes: GraphNode[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((value) => live.has(value))) continue;
    nodes.push(node);
    for (const value of node.inputs) live.add(value);
  }
  const constants = new Map([...graph.constants].filter(([value]) => live.has(value)));
  return { ...graph, nodes: nodes.reverse(), constants };
}
