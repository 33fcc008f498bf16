/** Lowers a graph to an ONNX model. */

import type { Attributes, Graph, GraphNode } from '../graph/graph.ts';
import { specOf } from '../graph/graph.ts';
import { TubeletError } from '../../core/index.ts';
import { FUSED_LOWERINGS } from './fused-lowerings.ts';
import { KERNEL_LOWERINGS } from './kernel-lowerings.ts';
import type { Lowering } from './lowering.ts';
import { namesIn } from './model-order.ts';
import { createBuilder } from './model.ts';
import type { ModelParts, OnnxModel, OnnxNode, OnnxValueInfo } from './model.ts';

/** How to lower. */
export interface LowerOptions {
  /** Operators of ONNX Runtime's own domain may be used: faster, but no other tool reads them. */
  readonly hasContrib: boolean;
  /** These outputs may have another shape with the same elements, if that saves a copy. */
  readonly shapeless?: ReadonlySet<string>;
}

const LOWERINGS: Readonly<Record<string, unknown>> = { ...KERNEL_LOWERINGS, ...FUSED_LOWERINGS };

/** What a model calls the inputs and outputs of a graph: `NAME`, or `NAME_next` for an output with the name of an input. */
export function outputName(graph: Graph, name: string): string {
  const isTaken = (wanted: string): boolean =>
    graph.inputs.some((one) => one.name === wanted) ||
    (wanted !== name && graph.outputs.some((one) => one.name === wanted));
  let free = name;
  while (isTaken(free)) free += '_next';
  return free;
}

/**
 * Lowers a graph.
 *
 * @throws {TubeletError} TUBE_INTERNAL if a kernel has no lowering, which the types should not allow
 */
export function lowerGraph(
  graph: Graph,
  { hasContrib, shapeless = new Set() }: LowerOptions,
): OnnxModel {
  const parts = createBuilder(hasContrib);
  const names = new Map<number, string>();
  for (const { name, value } of graph.inputs) names.set(value, name);
  for (const [value, data] of graph.constants) {
    names.set(value, parts.builder.tensor(data, specOf(graph, value).shape));
  }
  for (const node of graph.nodes) lowerNode(graph, node, { parts, names });
  const shapes = new Map<number, readonly number[]>();
  for (const { name, value } of graph.outputs) {
    const view = parts.views.get(names.get(value) ?? '');
    if (view === undefined || !shapeless.has(name)) continue;
    names.set(value, view.name);
    shapes.set(value, view.shape);
  }
  const nodes = dropUnused(nameOutputs(graph, parts, names), graph);
  const info = (name: string, value: number): OnnxValueInfo => {
    const { shape, dtype } = specOf(graph, value);
    return { name, type: dtype, shape: shapes.get(value) ?? shape };
  };
  return {
    nodes,
    initializers: parts.initializers,
    inputs: graph.inputs.map(({ name, value }) => info(name, value)),
    outputs: graph.outputs.map(({ name, value }) => info(outputName(graph, name), value)),
  };
}

interface Lowered {
  readonly parts: ModelParts;
  readonly names: Map<number, string>;
}

function lowerNode(graph: Graph, node: GraphNode, { parts, names }: Lowered): void {
  const lowering = LOWERINGS[node.kernel] as Lowering<Attributes> | undefined;
  if (lowering === undefined) {
    throw new TubeletError('TUBE_INTERNAL', { message: `no lowering for ${node.kernel}` });
  }
  const outputs = lowering({
    onnx: parts.builder,
    inputs: node.inputs.map((value) => names.get(value) ?? ''),
    inputSpecs: node.inputs.map((value) => specOf(graph, value)),
    outputSpecs: node.outputs.map((value) => specOf(graph, value)),
    attributes: node.attributes,
  });
  for (const [index, value] of node.outputs.entries()) names.set(value, outputs[index] ?? '');
}

/** Without views that nobody looks at. */
function dropUnused(nodes: readonly OnnxNode[], graph: Graph): OnnxNode[] {
  const used = new Set([
    ...graph.outputs.map(({ name }) => outputName(graph, name)),
    ...nodes.flatMap(namesIn),
  ]);
  return nodes.filter(({ outputs }) => outputs.some((name) => used.has(name)));
}

/** Gives outputs their own names: what a node makes is renamed, an input, a constant or a second name is copied. */
function nameOutputs(
  graph: Graph,
  { nodes, builder }: ModelParts,
  names: ReadonlyMap<number, string>,
): OnnxNode[] {
  const made = new Set(nodes.flatMap((node) => node.outputs));
  const renames = new Map<string, string>();
  const copies: { readonly from: string; readonly to: string }[] = [];
  for (const { name, value } of graph.outputs) {
    const from = names.get(value) ?? '';
    const to = outputName(graph, name);
    if (made.has(from) && !renames.has(from)) renames.set(from, to);
    else copies.push({ from, to });
  }
  for (const { from, to } of copies) {
    const copy = builder.op('Identity', [from]);
    renames.set(copy, to);
  }
  return nodes.map((node) => renameNode(node, renames));
}

function renameNode(node: OnnxNode, renames: ReadonlyMap<string, string>): OnnxNode {
  const rename = (name: string): string => renames.get(name) ?? name;
  const attributes = Object.entries(node.attributes).map(([key, attribute]) =>
    attribute.type === 'graph'
      ? [
          key,
          {
            type: 'graph' as const,
            value: {
              ...attribute.value,
              nodes: attribute.value.nodes.map((inner) => renameNode(inner, renames)),
            },
          },
        ]
      : [key, attribute],
  );
  return {
    ...node,
    inputs: node.inputs.map(rename),
    outputs: node.outputs.map(rename),
    attributes: Object.fromEntries(attributes) as OnnxNode['attributes'],
  };
}
