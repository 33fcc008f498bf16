/**
 * The gradient of a tensor that was cut into slices is a sum of the slices' gradients, each with zeros around it. Where the slices
 * are the whole, that sum is a concatenation.
 */

import type { Graph, GraphNode } from '../graph/graph.ts';
import { specOf } from '../graph/graph.ts';
import { countUses } from './uses.ts';

/** The graph with sums of padded pieces that lie side by side as concatenations. */
export function joinPaddings(graph: Graph): Graph {
  const uses = countUses(graph);
  const makers = new Map<number, GraphNode>();
  const nodes = graph.nodes.map((node) => {
    const kept = join(graph, node, (value) =>
      uses.get(value) === 1 ? makers.get(value) : undefined,
    );
    for (const value of node.outputs) makers.set(value, node);
    return kept;
  });
  return { ...graph, nodes };
}

/** A piece of the sum along an axis. */
interface Piece {
  readonly value: number;
  readonly axis: number;
  readonly begin: number;
  readonly end: number;
}

type Maker = (value: number) => GraphNode | undefined;

function join(graph: Graph, node: GraphNode, maker: Maker): GraphNode {
  if (node.kernel !== 'Add') return node;
  const pieces = piecesOf(graph, node, maker)?.toSorted((a, b) => a.begin - b.begin);
  const [first] = pieces ?? [];
  if (pieces === undefined || first === undefined) return node;
  const { axis } = first;
  const length = specOf(graph, node.outputs[0] ?? -1).shape[axis];
  const isWhole =
    first.begin === 0 &&
    pieces.at(-1)?.end === length &&
    pieces.every(
      (piece, at) => piece.axis === axis && piece.end === (pieces[at + 1]?.begin ?? length),
    );
  if (!isWhole) return node;
  const inputs = pieces.map(({ value }) => value);
  return { kernel: 'Concat', inputs, outputs: node.outputs, attributes: { axis } };
}

/** The padded pieces of a tree of sums; undefined if anything else is in it. */
function piecesOf(graph: Graph, node: GraphNode, maker: Maker): Piece[] | undefined {
  const pieces: Piece[] = [];
  for (const value of node.inputs) {
    const made = maker(value);
    const found = made?.kernel === 'Add' ? piecesOf(graph, made, maker) : padded(graph, made);
    if (found === undefined) return undefined;
    pieces.push(...found);
  }
  return pieces;
}

function padded(graph: Graph, node: GraphNode | undefined): Piece[] | undefined {
  if (node?.kernel !== 'PadV2' || node.attributes['constantValue'] !== 0) return undefined;
  const [value = -1] = node.inputs;
  const paddings = node.attributes['paddings'] as readonly (readonly number[])[];
  const axes = paddings.flatMap(([before = 0, after = 0], axis) =>
    before === 0 && after === 0 ? [] : [axis],
  );
  const [axis] = axes;
  if (axis === undefined || axes.length !== 1) return undefined;
  const begin = paddings[axis]?.[0] ?? 0;
  return [{ value, axis, begin, end: begin + (specOf(graph, value).shape[axis] ?? 0) }];
}
