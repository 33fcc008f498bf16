/** Turns a model into the bytes of a `.onnx` file. */

import { countElements } from '../graph/graph.ts';
import { ONNX_TYPES } from './model.ts';
import type {
  OnnxAttribute,
  OnnxInitializer,
  OnnxModel,
  OnnxNode,
  OnnxSubgraph,
  OnnxValueInfo,
} from './model.ts';
import { encodeMessage } from './protobuf.ts';
import type { Message } from './protobuf.ts';
import { ATTRIBUTE_TYPES, MODEL_SCHEMA } from './schema.ts';

/** Version of the file format that is written: that of onnx 1.16, which every reader since then knows. */
const IR_VERSION = 10;
/** Version of ONNX' operators that lowerings use. */
const OPSET = 21;
const EXTERNAL = 1;

/** Where the elements of a large constant stand in a file beside the model. */
export interface ExternalPlace {
  readonly location: string;
  readonly offset: number;
  readonly length: number;
}

/** What surrounds the graph in the file. */
export interface EncodeOptions {
  readonly producerVersion?: string;
  /** Constants whose elements stand in another file. */
  readonly external?: ReadonlyMap<string, ExternalPlace>;
}

/** Encodes a model as pieces that make its bytes one after the other. */
export function encodeModel(model: OnnxModel, options: EncodeOptions = {}): Uint8Array[] {
  const domains = new Set(domainsOf(model.nodes));
  const opsetImport = [{ domain: '', version: OPSET }];
  for (const domain of domains) if (domain !== '') opsetImport.push({ domain, version: 1 });
  const { external = new Map<string, ExternalPlace>(), producerVersion } = options;
  const message: Message = {
    irVersion: IR_VERSION,
    producerName: 'tubelet',
    producerVersion,
    graph: {
      node: model.nodes.map(nodeMessage),
      name: 'tubelet',
      initializer: model.initializers.map((one) => tensorMessage(one, external.get(one.name))),
      input: model.inputs.map(valueMessage),
      output: model.outputs.map(valueMessage),
    },
    opsetImport,
  };
  return encodeMessage(message, MODEL_SCHEMA);
}

function domainsOf(nodes: readonly OnnxNode[]): string[] {
  return nodes.flatMap(({ domain, attributes }) => [
    domain,
    ...Object.values(attributes).flatMap((one) =>
      one.type === 'graph' ? domainsOf(one.value.nodes) : [],
    ),
  ]);
}

function nodeMessage({ opType, domain, inputs, outputs, attributes }: OnnxNode): Message {
  return {
    input: inputs,
    output: outputs,
    name: `${opType}:${outputs[0] ?? ''}`,
    opType,
    attribute: Object.entries(attributes).map(([name, value]) => attributeMessage(name, value)),
    domain: domain === '' ? undefined : domain,
  };
}

function attributeMessage(name: string, attribute: OnnxAttribute): Message {
  const type = ATTRIBUTE_TYPES[attribute.type];
  if (attribute.type === 'int') return { name, i: attribute.value, type };
  if (attribute.type === 'float') return { name, f: attribute.value, type };
  if (attribute.type === 'string') return { name, s: attribute.value, type };
  if (attribute.type === 'ints') return { name, ints: attribute.value, type };
  return { name, g: subgraphMessage(attribute.value), type };
}

function subgraphMessage({ nodes, inputs, outputs }: OnnxSubgraph): Message {
  return {
    node: nodes.map(nodeMessage),
    name: 'body',
    input: inputs.map(valueMessage),
    output: outputs.map(valueMessage),
  };
}

function valueMessage({ name, type, shape, isSequence = false }: OnnxValueInfo): Message {
  const dim = shape.map((size) => ({ dimValue: size }));
  const tensor = { tensorType: { elemType: ONNX_TYPES[type], shape: { dim } } };
  return { name, type: isSequence ? { sequenceType: { elemType: tensor } } : tensor };
}

function tensorMessage(
  { name, type, shape, data }: OnnxInitializer,
  place: ExternalPlace | undefined,
): Message {
  if (countElements(shape) !== data.length) {
    throw new RangeError(`"data" must fit its shape (${name}: ${data.length} of ${shape.join()}).`);
  }
  const dataType = ONNX_TYPES[type];
  if (place !== undefined) {
    const entries = { location: place.location, offset: place.offset, length: place.length };
    const externalData = Object.entries(entries).map(([key, value]) => ({
      key,
      value: String(value),
    }));
    return { dims: shape, dataType, name, externalData, dataLocation: EXTERNAL };
  }
  return { dims: shape, dataType, name, rawData: bytesOf(data) };
}

/** The elements as bytes, little-endian as all machines are that this runs on. */
export function bytesOf(data: OnnxInitializer['data']): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
