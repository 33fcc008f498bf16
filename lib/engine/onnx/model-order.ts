/** Who makes, who reads, who must come before whom among the nodes of a model. */

import type { OnnxNode } from './model.ts';

/** Nodes with what links them. Nodes stand for themselves even when their first input has been replaced. */
export interface Linked {
  /** The node that makes a value. */
  readonly makers: ReadonlyMap<string, OnnxNode>;
  /** The nodes that read a value. */
  readonly readers: ReadonlyMap<string, readonly OnnxNode[]>;
  /** Names that a node reads: its inputs, then what its bodies take from outside. */
  readonly reads: (node: OnnxNode) => readonly string[];
  readonly add: (node: OnnxNode) => void;
  readonly replaceFirstInput: (node: OnnxNode, name: string) => void;
  /** All nodes, each after those whose outputs it reads, otherwise in the order in which they came. */
  readonly sorted: () => OnnxNode[];
}

/** Links nodes. */
export function linkModel(nodes: readonly OnnxNode[]): Linked {
  const all: OnnxNode[] = [];
  const makers = new Map<string, OnnxNode>();
  const readers = new Map<string, OnnxNode[]>();
  const names = new Map<OnnxNode, readonly string[]>();
  const reads = (node: OnnxNode): readonly string[] => names.get(node) ?? [];
  const addReader = (name: string, node: OnnxNode): void => {
    const known = readers.get(name);
    if (known === undefined) readers.set(name, [node]);
    else known.push(node);
  };
  const add = (node: OnnxNode): void => {
    all.push(node);
    for (const name of node.outputs) makers.set(name, node);
    names.set(node, namesIn(node));
    for (const name of new Set(reads(node))) addReader(name, node);
  };
  for (const node of nodes) add(node);
  return {
    makers,
    readers,
    reads,
    add,
    replaceFirstInput: (node, name) => {
      names.set(node, [name, ...reads(node).slice(1)]);
      addReader(name, node);
    },
    sorted: () =>
      sortNodes(all, { makers, reads }).map((node) => {
        const inputs = reads(node).slice(0, node.inputs.length);
        return inputs[0] === node.inputs[0] ? node : Object.assign({}, node, { inputs });
      }),
  };
}

/** Names that a node reads, in its bodies too. */
export function namesIn({ inputs, attributes }: OnnxNode): string[] {
  const names = [...inputs];
  for (const attribute of Object.values(attributes)) {
    if (attribute.type !== 'graph') continue;
    names.push(...attribute.value.nodes.flatMap(namesIn));
    names.push(...attribute.value.outputs.map(({ name }) => name));
  }
  return names;
}

type Links = Pick<Linked, 'makers' | 'reads'>;

/** All nodes that come before a node in every order. */
export function findAncestors({ makers, reads }: Links, node: OnnxNode): ReadonlySet<OnnxNode> {
  const found = new Set<OnnxNode>();
  const open = [node];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const name of reads(next)) {
      const maker = makers.get(name);
      if (maker === undefined || found.has(maker)) continue;
      found.add(maker);
      open.push(maker);
    }
  }
  return found;
}

function sortNodes(nodes: readonly OnnxNode[], { makers, reads }: Links): OnnxNode[] {
  const sorted = new Set<OnnxNode>();
  for (const node of nodes) {
    const open = [node];
    for (let next = open.at(-1); next !== undefined; next = open.at(-1)) {
      const before = reads(next)
        .map((name) => makers.get(name))
        .filter((maker) => maker !== undefined && maker !== next && !sorted.has(maker));
      if (before.length === 0) sorted.add(open.pop() ?? next);
      else open.push(...(before as OnnxNode[]));
    }
  }
  return [...sorted];
}
