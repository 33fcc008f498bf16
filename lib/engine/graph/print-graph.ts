/** A graph as text for people: one line a value, `%id: dtype[shape] = kernel(inputs) {attributes}`. */

import type { AttributeValue, Graph, TensorForm } from './graph.ts';
import { specOf } from './graph.ts';

/** A graph as text. */
export function printGraph(graph: Graph): string {
  const define = (value: number): string => `%${value}: ${printSpec(specOf(graph, value))}`;
  const inputs = graph.inputs.map(({ name, value }) => `${define(value)} = input ${name}`);
  const constants = [...graph.constants].map(([value, data]) => {
    const shown = Array.from(data.subarray(0, 4)).map((one) => String(Number(one.toPrecision(6))));
    return `${define(value)} = constant ${shown.join(' ')}${data.length > 4 ? ' …' : ''}`;
  });
  const nodes = graph.nodes.map(({ kernel, inputs: from, outputs, attributes }) => {
    const operands = from.map((value) => `%${value}`).join(', ');
    return `${outputs.map(define).join(', ')} = ${kernel}(${operands})${printAttributes(attributes)}`;
  });
  const outputs = graph.outputs.map(({ name, value }) => `output ${name} = %${value}`);
  return [...inputs, ...constants, ...nodes, ...outputs].map((line) => `${line}\n`).join('');
}

/** `float32[2,3]`. */
export function printSpec({ shape, dtype }: TensorForm): string {
  return `${dtype}[${shape.join()}]`;
}

function printAttributes(attributes: Readonly<Record<string, AttributeValue>>): string {
  const entries = Object.entries(attributes).map(
    ([name, value]) => `${name}: ${JSON.stringify(value)}`,
  );
  return entries.length === 0 ? '' : ` { ${entries.join(', ')} }`;
}
