/** Who uses a value. */

import type { Graph } from '../graph/graph.ts';

/** How often each value is used, by nodes and as an output. */
export function countUses(graph: Graph): Map<number, number> {
  const uses = new Map<number, number>();
  const values = graph.nodes.flatMap(({ inputs }) => inputs);
  for (const { value } of graph.outputs) values.push(value);
  for (const value of values) uses.set(value, (uses.get(value) ?? 0) + 1);
  return uses;
}
