/** Products of two matrices take over the row that is added to them: one pass over the result less. */

import type { Graph, GraphNode } from '../graph/graph.ts';
import { specOf } from '../graph/graph.ts';
import { countUses } from './uses.ts';

/** The graph with `Add(BatchMatMul(a, b), row)` as one node where the product is used for nothing else. */
export function absorbBiases(graph: Graph): Graph {
  const uses = countUses(graph);
  const products = new Map<number, GraphNode>();
  const nodes = graph.nodes.map((node) => {
    if (isMatrixProduct(graph, node)) for (const value of node.outputs) products.set(value, node);
    return node.kernel === 'Add' ? absorb(graph, node, { uses, products }) : node;
  });
  return { ...graph, nodes };
}

interface Known {
  readonly uses: ReadonlyMap<number, number>;
  readonly products: ReadonlyMap<number, GraphNode>;
}

function absorb(graph: Graph, node: GraphNode, { uses, products }: Known): GraphNode {
  const [a = -1, b = -1] = node.inputs;
  for (const [product, row] of [
    [a, b],
    [b, a],
  ] as const) {
    const made = products.get(product);
    if (made === undefined || uses.get(product) !== 1 || !isRow(graph, row, product)) continue;
    return {
      ...made,
      kernel: '_FusedMatMul',
      inputs: [...made.inputs, row],
      outputs: node.outputs,
    };
  }
  return node;
}

function isMatrixProduct(graph: Graph, { kernel, inputs }: GraphNode): boolean {
  if (kernel !== 'BatchMatMul') return false;
  return inputs.every((value) => {
    const { shape, dtype } = specOf(graph, value);
    return shape.length === 2 && dtype === 'float32';
  });
}

function isRow(graph: Graph, value: number, product: number): boolean {
  const { shape } = specOf(graph, value);
  return shape.length === 1 && shape[0] === specOf(graph, product).shape[1];
}
