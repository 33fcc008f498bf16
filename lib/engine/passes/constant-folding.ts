/** Computes ahead what depends on constants alone, with tfjs' own cpu kernels. */

import type { Attributes, Dtype, Graph, GraphNode, TensorData } from '../graph/graph.ts';
import { allocate, countElements, specOf } from '../graph/graph.ts';
import { isKernelName } from '../trace/kernel-rules.ts';
import { KERNEL_RULES } from '../trace/kernel-rules.ts';
import { tf } from '../../ops/index.ts';

/** Results larger than this many elements are left to the engine: stored, they would only make the model big. */
const MAX_ELEMENTS = 65_536;

/** The graph with constant parts computed. `Fill` stays as it is: one number and a shape. */
export function foldConstants(graph: Graph): Graph {
  const constants = new Map(graph.constants);
  const fills = new Map<number, GraphNode>();
  const nodes: GraphNode[] = [];
  for (const node of graph.nodes) {
    const folded = isFoldable(graph, node, { constants, fills })
      ? fold(graph, node, { constants, fills })
      : undefined;
    if (folded === undefined) nodes.push(node);
    else
      for (const [index, value] of node.outputs.entries())
        constants.set(value, folded[index] ?? new Float32Array());
    if (node.kernel === 'Fill') for (const value of node.outputs) fills.set(value, node);
  }
  return { ...graph, nodes, constants };
}

interface Known {
  readonly constants: ReadonlyMap<number, TensorData>;
  readonly fills: ReadonlyMap<number, GraphNode>;
}

function isFoldable(graph: Graph, { kernel, inputs, outputs }: GraphNode, known: Known): boolean {
  if (!isKernelName(kernel) || kernel === 'Fill' || inputs.length === 0) return false;
  if ((tf.getKernel(kernel, 'cpu') as unknown) === undefined) return false;
  const isSmall = [...inputs, ...outputs].every(
    (value) => countElements(specOf(graph, value).shape) <= MAX_ELEMENTS,
  );
  return isSmall && inputs.every((value) => known.constants.has(value) || known.fills.has(value));
}

/** Runs one node on tfjs' cpu backend. */
function fold(graph: Graph, node: GraphNode, known: Known): TensorData[] | undefined {
  const previous = tf.engine().backendName as string | undefined;
  void tf.setBackend('cpu');
  try {
    return tf.tidy(() => {
      const tensors = node.inputs.map((value) => {
        const { shape, dtype } = specOf(graph, value);
        const data = known.constants.get(value);
        const filled = known.fills.get(value)?.attributes['value'];
        return data === undefined
          ? tf.zeros([...shape], dtype).add(tf.scalar(Number(filled), dtype))
          : tf.tensor(data.slice(), [...shape], dtype);
      });
      return runNode(node, tensors).map((tensor, index) => {
        // tfjs leaves some results in arrays of another type.
        const { dtype } = specOf(graph, node.outputs[index] ?? -1);
        const data = allocate(dtype, tensor.size);
        data.set(tensor.dataSync<Dtype>());
        return data;
      });
    });
  } finally {
    if (previous !== undefined && previous !== 'cpu') void tf.setBackend(previous);
  }
}

function runNode({ kernel, attributes }: GraphNode, tensors: readonly tf.Tensor[]): tf.Tensor[] {
  const names = isKernelName(kernel) ? KERNEL_RULES[kernel].inputs : 'list';
  const inputs = Object.fromEntries(
    tensors.map((tensor, index) => [
      names === 'list' ? String(index) : (names[index] ?? ''),
      tensor,
    ]),
  );
  const outputs: tf.Tensor | tf.Tensor[] = tf
    .engine()
    .runKernel(
      kernel,
      names === 'list' ? ([...tensors] as never) : inputs,
      tfjsAttributes(attributes) as never,
    );
  return Array.isArray(outputs) ? outputs : [outputs];
}

/** tfjs calls the axes of a maximum by another name than those of a sum. */
function tfjsAttributes(attributes: Attributes): Readonly<Record<string, unknown>> {
  const { axis } = attributes;
  return {
    ...attributes,
    ...(axis === undefined ? {} : { reductionIndices: axis }),
  };
}
