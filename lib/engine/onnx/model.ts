/** An ONNX model as plain data, and the builder that lowerings write with. */

import type { Dtype, TensorData } from '../graph/graph.ts';

/** Element types of ONNX that we write, with their numbers in `TensorProto.DataType`. */
export const ONNX_TYPES = { float32: 1, int32: 6, int64: 7, bool: 9 } as const;

/** Name of an element type. */
type OnnxType = keyof typeof ONNX_TYPES;

/** An attribute of an ONNX node. */
export type OnnxAttribute =
  | { readonly type: 'int'; readonly value: number }
  | { readonly type: 'float'; readonly value: number }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'ints'; readonly value: readonly number[] }
  | { readonly type: 'graph'; readonly value: OnnxSubgraph };

/** The body of a loop or branch. It may use names of the graph around it. */
export interface OnnxSubgraph {
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
}

/** One node. */
export interface OnnxNode {
  readonly opType: string;
  /** Empty for ONNX' own operators. */
  readonly domain: string;
  /** Names; an empty one leaves an optional input out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** A constant stored in the model. */
export interface OnnxInitializer {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly number[];
  readonly data: TensorData | BigInt64Array;
}

/** Name, type and shape of an input or output. */
export interface OnnxValueInfo {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly number[];
  /** A list of such tensors instead of one. */
  readonly isSequence?: boolean;
}

/** A whole model. */
export interface OnnxModel {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxInitializer[];
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
}

/** Attributes of an ONNX node by name. */
type OnnxAttributes = Readonly<Record<string, OnnxAttribute>>;

/** An integer attribute. */
export function int(value: number): OnnxAttribute {
  return { type: 'int', value };
}

/** A float attribute. */
export function float(value: number): OnnxAttribute {
  return { type: 'float', value };
}

/** A list-of-integers attribute. */
export function ints(value: readonly number[]): OnnxAttribute {
  return { type: 'ints', value };
}

/** A string attribute. */
export function text(value: string): OnnxAttribute {
  return { type: 'string', value };
}

/** Details of a node that most do without. */
interface NodeOptions {
  readonly attributes?: OnnxAttributes;
  /** Number of outputs; 1 if not given. */
  readonly outputs?: number;
  readonly domain?: string;
}

/** What lowerings write with. Every function gives the name of a value. */
export interface OnnxBuilder {
  /** True if operators of ONNX Runtime's own domain (`com.microsoft`) may be used. */
  readonly hasContrib: boolean;
  /** Adds a node with one output. */
  readonly op: (opType: string, inputs: readonly string[], attributes?: OnnxAttributes) => string;
  /** Adds a node with any number of outputs, or of another domain. */
  readonly ops: (opType: string, inputs: readonly string[], options: NodeOptions) => string[];
  /** A stored tensor; small equal ones are stored once. */
  readonly tensor: (data: TensorData | BigInt64Array, shape: readonly number[]) => string;
  /** A stored scalar of a dtype. */
  readonly scalar: (value: number, dtype: Dtype) => string;
  /** A stored one-dimensional list of 64-bit integers, as ONNX wants shapes and axes. */
  readonly shape: (values: readonly number[]) => string;
  /** A reshape that a caller who takes elements without a shape may leave out, as engines do with states. */
  readonly view: (name: string, from: readonly number[], to: readonly number[]) => string;
  /** The body of a `Scan`, `Loop` or `If`, written with a builder of its own, as an attribute. */
  readonly subgraph: (inputs: readonly OnnxForm[], body: SubgraphBody) => OnnxAttribute;
}

/** Type and shape of a value. */
type OnnxForm = Omit<OnnxValueInfo, 'name'>;

/** Writes the nodes of a body and names its outputs. */
type SubgraphBody = (inner: OnnxBuilder, inputs: readonly string[]) => OnnxValueInfo[];

/** A builder with what it has built so far. */
export interface ModelParts {
  readonly builder: OnnxBuilder;
  readonly nodes: OnnxNode[];
  readonly initializers: OnnxInitializer[];
  /** What views show, by the name of the view. */
  readonly views: ReadonlyMap<string, View>;
}

/** What a view shows. */
interface View {
  readonly name: string;
  readonly shape: readonly number[];
}

/** An empty model. */
export function createBuilder(hasContrib: boolean): ModelParts {
  const nodes: OnnxNode[] = [];
  const initializers: OnnxInitializer[] = [];
  const small = new Map<string, string>();
  const views = new Map<string, View>();
  let count = 0;
  const newName = (): string => `%${count++}`;
  const tensor: OnnxBuilder['tensor'] = (data, shape) => {
    const type = typeOf(data);
    const key = data.length <= 64 ? `${type}[${shape.join()}]${printData(data)}` : undefined;
    const known = key === undefined ? undefined : small.get(key);
    if (known !== undefined) return known;
    const name = newName();
    initializers.push({ name, type, shape, data });
    if (key !== undefined) small.set(key, name);
    return name;
  };
  const shape: OnnxBuilder['shape'] = (values) =>
    tensor(BigInt64Array.from(values, BigInt), [values.length]);
  const builderInto = (target: OnnxNode[]): OnnxBuilder => {
    const ops: OnnxBuilder['ops'] = (opType, inputs, options) => {
      const outputs = Array.from({ length: options.outputs ?? 1 }, newName);
      const { attributes = {}, domain = '' } = options;
      target.push({ opType, domain, inputs, outputs, attributes });
      return outputs;
    };
    const op: OnnxBuilder['op'] = (opType, inputs, attributes = {}) => {
      const [output = ''] = ops(opType, inputs, { attributes });
      return output;
    };
    return {
      hasContrib,
      ops,
      op,
      view: (name, from, to) => {
        const shown = op('Reshape', [name, shape(to)]);
        views.set(shown, { name, shape: from });
        return shown;
      },
      tensor,
      scalar: (value, dtype) => tensor(scalarData(value, dtype), []),
      shape,
      subgraph: (forms, body) => {
        const inputs = forms.map((form) => ({ name: newName(), ...form }));
        const inner: OnnxNode[] = [];
        const names = inputs.map(({ name }) => name);
        const outputs = body(builderInto(inner), names);
        return { type: 'graph', value: { nodes: inner, inputs, outputs } };
      },
    };
  };
  return { builder: builderInto(nodes), nodes, initializers, views };
}

function typeOf(data: TensorData | BigInt64Array): OnnxType {
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Int32Array) return 'int32';
  return data instanceof BigInt64Array ? 'int64' : 'bool';
}

/** Elements as text that tells -0 from 0. */
function printData(data: TensorData | BigInt64Array): string {
  return Array.from(data as ArrayLike<number | bigint>, (one) =>
    Object.is(one, -0) ? '-0' : String(one),
  ).join();
}

function scalarData(value: number, dtype: Dtype): TensorData {
  if (dtype === 'float32') return Float32Array.of(value);
  return dtype === 'int32' ? Int32Array.of(value) : Uint8Array.of(value === 0 ? 0 : 1);
}
