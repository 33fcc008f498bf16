/** All passes over a graph, in order. */

import type { Graph } from '../graph/graph.ts';
import { dropDeadNodes } from './dead-code.ts';

/** Makes a graph smaller and faster; what it computes stays the same. */
export function optimise(graph: Graph): Graph {
  return dropDeadNodes(graph);
}
