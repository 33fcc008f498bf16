/** What passes share: replacing values by others all over a graph. */

import type { Graph } from '../graph/graph.ts';

/** Finds what a value was replaced by, through any number of replacements. */
export function resolve(replaced: ReadonlyMap<number, number>, value: number): number {
  let current = value;
  for (let next = replaced.get(current); next !== undefined; next = replaced.get(current)) {
    current = next;
  }
  return current;
}

/** The graph with its outputs replaced; nodes are left as they are. */
export function replaceOutputs(graph: Graph, replaced: ReadonlyMap<number, number>): Graph {
  const outputs = graph.outputs.map(({ name, value }) => ({
    name,
    value: resolve(replaced, value),
  }));
  return { ...graph, outputs };
}
