/** A graph in the language of Graphviz: `dot -Tsvg` makes a picture of it. */

import type { Graph } from './graph.ts';
import { specOf } from './graph.ts';
import { printSpec } from './print-graph.ts';

/** A graph as Graphviz text: boxes are kernels, ellipses are named values, edges carry dtype and shape. */
export function drawGraph(graph: Graph): string {
  const makers = new Map<number, string>();
  const lines: string[] = [];
  const box = (name: string, label: string, shape: string): void => {
    lines.push(`${name} [label=${quote(label)}, shape=${shape}];`);
  };
  for (const { name, value } of graph.inputs) {
    makers.set(value, `v${value}`);
    box(`v${value}`, name, 'ellipse');
  }
  for (const [value, data] of graph.constants) {
    makers.set(value, `v${value}`);
    box(`v${value}`, data.length === 1 ? String(data[0]) : 'constant', 'plaintext');
  }
  const edge = (value: number, to: string): void => {
    const label = quote(printSpec(specOf(graph, value)));
    lines.push(`${makers.get(value) ?? ''} -> ${to} [label=${label}];`);
  };
  for (const [index, { kernel, inputs, outputs }] of graph.nodes.entries()) {
    box(`n${index}`, kernel, 'box');
    for (const value of inputs) edge(value, `n${index}`);
    for (const value of outputs) makers.set(value, `n${index}`);
  }
  for (const [index, { name, value }] of graph.outputs.entries()) {
    box(`o${index}`, name, 'ellipse');
    edge(value, `o${index}`);
  }
  return `digraph program {\n${lines.map((line) => `  ${line}\n`).join('')}}\n`;
}

function quote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', String.raw`\"`)}"`;
}
