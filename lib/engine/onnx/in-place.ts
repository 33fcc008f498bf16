/**
 * States that a run may write where it reads them, so that no second copy of them is needed. A node may overwrite a value only when
 * all others that read it are done. ONNX says nothing about order but that what a node reads is there, so the node is made to wait
 * for the readers: one of its inputs goes through a reshape to its own shape, and that shape asks for a number of what each reader
 * made. This holds for the model as it stands here: nothing may rewrite it afterwards.
 */

import { findAncestors, linkModel } from './model-order.ts';
import type { Linked } from './model-order.ts';
import type { OnnxInitializer, OnnxModel, OnnxNode } from './model.ts';
import { ONNX_TYPES, int } from './model.ts';

/** A state: its value comes in under one name and leaves under another, with the same number of elements. */
export interface StateNames {
  readonly input: string;
  readonly output: string;
}

/** A model whose nodes wait where they must. */
export interface InPlaceModel {
  readonly model: OnnxModel;
  /** Input names of the states whose next value may stand in the memory of the present one. */
  readonly inPlace: ReadonlySet<string>;
}

/** Nodes that give the elements of their first input with another shape, mostly without a copy. */
const VIEWS: ReadonlySet<string> = new Set(['Identity', 'Reshape']);
/** Nodes that read an element of each input for the last time when they write the same element of the result. */
const ELEMENTWISE: ReadonlySet<string> = new Set(['Add', 'Sub', 'Mul', 'Div', 'Where']);

/** Finds states that may be written in place, and orders the model for it. The others need a second buffer. */
export function orderWrites(model: OnnxModel, states: readonly StateNames[]): InPlaceModel {
  const linked = linkModel(model.nodes);
  const barriers = createBarriers(linked);
  const inPlace = new Set<string>();
  for (const { input, output } of states) {
    const writer = linked.makers.get(output);
    if (writer === undefined || !mayOverwrite(linked, writer, { input, output })) continue;
    const readers = readersOf(linked, input).filter((node) => node !== writer);
    const done = findAncestors(linked, writer);
    const late = readers.filter((node) => !done.has(node));
    // Who needs the next value cannot be waited for.
    if (late.some((node) => findAncestors(linked, node).has(writer))) continue;
    if (!barriers.add(writer, late)) continue;
    inPlace.add(input);
  }
  const initializers = [...model.initializers, ...barriers.constants()];
  return { model: { ...model, nodes: linked.sorted(), initializers }, inPlace };
}

/** Nodes that read a value or a view of it. */
function readersOf(linked: Linked, name: string): OnnxNode[] {
  const readers: OnnxNode[] = [];
  const names = [name];
  for (let next = names.pop(); next !== undefined; next = names.pop()) {
    for (const node of linked.readers.get(next) ?? []) {
      readers.push(node);
      if (isView(node)) names.push(...node.outputs);
    }
  }
  return readers;
}

function isView({ opType, domain }: OnnxNode): boolean {
  return domain === '' && VIEWS.has(opType);
}

/** True if the node that makes the next value is done with each element of the present one when it writes that element. */
function mayOverwrite(linked: Linked, writer: OnnxNode, { input, output }: StateNames): boolean {
  const places = linked
    .reads(writer)
    .flatMap((name, place) => (isViewOf(linked, name, input) ? [place] : []));
  if (places.length === 0) return true;
  if (writer.domain !== '') return false;
  if (ELEMENTWISE.has(writer.opType)) return true;
  return writer.opType === 'Scan' && mayScanOverwrite(linked, writer, { places, output });
}

function isViewOf(linked: Linked, name: string, wanted: string): boolean {
  let current = name;
  while (current !== wanted) {
    const maker = linked.makers.get(current);
    if (maker === undefined || !isView(maker)) return false;
    current = linked.reads(maker)[0] ?? '';
  }
  return true;
}

/** A scan without loop states hands slices to its body in order, so what holds for the body holds for the whole. */
function mayScanOverwrite(
  linked: Linked,
  scan: OnnxNode,
  { places, output }: { readonly places: readonly number[]; readonly output: string },
): boolean {
  const { body, num_scan_inputs: count, ...others } = scan.attributes;
  const inputs = linked.reads(scan);
  if (body?.type !== 'graph' || count?.type !== 'int' || count.value !== scan.inputs.length) {
    return false;
  }
  // A place beyond the inputs is a name that the body takes from outside.
  if (Object.keys(others).length > 0 || places.some((place) => place >= count.value)) return false;
  const inner = linkModel(body.value.nodes);
  const result = body.value.outputs[scan.outputs.indexOf(output)]?.name ?? '';
  const writer = inner.makers.get(result);
  if (writer === undefined || inputs.length === 0) return false;
  const done = findAncestors(inner, writer);
  return places.every((place) => {
    const slice = body.value.inputs[place]?.name ?? '';
    const isLast = mayOverwrite(inner, writer, { input: slice, output: result });
    return isLast && readersOf(inner, slice).every((node) => node === writer || done.has(node));
  });
}

interface Barriers {
  /** Makes a node wait for others; false if it reads nothing and so cannot wait. */
  readonly add: (writer: OnnxNode, readers: readonly OnnxNode[]) => boolean;
  /** Constants that the barriers so far need. */
  readonly constants: () => OnnxInitializer[];
}

const ALWAYS = '%wait:true';

function createBarriers(linked: Linked): Barriers {
  let count = 0;
  const op = (
    opType: string,
    inputs: string[],
    attributes: OnnxNode['attributes'] = {},
  ): string => {
    const output = `%wait:made:${count++}`;
    linked.add({ opType, domain: '', inputs, outputs: [output], attributes });
    return output;
  };
  const add = (writer: OnnxNode, readers: readonly OnnxNode[]): boolean => {
    if (readers.length === 0) return true;
    const [first = ''] = writer.inputs.length === 0 ? [] : linked.reads(writer);
    if (first === '') return false;
    let shape = op('Shape', [first]);
    for (const reader of readers) {
      const made = reader.outputs.find((name) => name !== '') ?? '';
      const flat = op('Reshape', [made, listName(-1)]);
      const number = op('Slice', [flat, listName(0), listName(1)]);
      const whole = op('Cast', [number], { to: int(ONNX_TYPES.int64) });
      shape = op('Where', [ALWAYS, shape, whole]);
    }
    linked.replaceFirstInput(writer, op('Reshape', [first, shape]));
    return true;
  };
  return { add, constants: () => (count === 0 ? [] : constants()) };
}

function listName(value: number): string {
  return `%wait:${value}`;
}

function constants(): OnnxInitializer[] {
  const always = { name: ALWAYS, type: 'bool', shape: [1], data: Uint8Array.of(1) } as const;
  const lists = [-1, 0, 1].map((value): OnnxInitializer => ({
    name: listName(value),
    type: 'int64',
    shape: [1],
    data: BigInt64Array.of(BigInt(value)),
  }));
  return [always, ...lists];
}
