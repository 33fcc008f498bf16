/** Computes once what is the same: nodes with the same kernel, inputs and attributes become one, equal constants too. */

import type { Graph, GraphNode, TensorData } from '../graph/graph.ts';
import { specOf } from '../graph/graph.ts';
import { printSpec } from '../graph/print-graph.ts';
import { replaceOutputs, resolve } from './replace-values.ts';

/** Constants with more elements are not compared. */
const MAX_COMPARED = 4096;

/** The graph without repeated nodes. No kernel has hidden state or randomness, so this never changes a value. */
export function shareSubexpressions(graph: Graph): Graph {
  const replaced = new Map<number, number>();
  const constants = shareConstants(graph, replaced);
  const seen = new Map<string, GraphNode>();
  const nodes: GraphNode[] = [];
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((value) => resolve(replaced, value));
    const key = JSON.stringify([node.kernel, inputs, node.attributes]);
    const twin = seen.get(key);
    if (twin === undefined) {
      const kept = { ...node, inputs };
      seen.set(key, kept);
      nodes.push(kept);
      continue;
    }
    for (const [index, value] of node.outputs.entries()) {
      replaced.set(value, twin.outputs[index] ?? value);
    }
  }
  return replaceOutputs({ ...graph, constants, nodes }, replaced);
}

function shareConstants(graph: Graph, replaced: Map<number, number>): Map<number, TensorData> {
  const seen = new Map<string, number>();
  const constants = new Map<number, TensorData>();
  for (const [value, data] of graph.constants) {
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    const key =
      data.length > MAX_COMPARED
        ? String(value)
        : `${printSpec(specOf(graph, value))} ${bytes.toString('base64')}`;
    const twin = seen.get(key);
    if (twin === undefined) {
      seen.set(key, value);
      constants.set(value, data);
    } else replaced.set(value, twin);
  }
  return constants;
}
