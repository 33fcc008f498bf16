/** The messages of ONNX that we write, field by field. Source: onnx/onnx.proto3 of onnx 1.16 (IR version 10). */

import type { Schema } from './protobuf.ts';

const STRING_ENTRY: Schema = {
  key: { number: 1, type: 'string' },
  value: { number: 2, type: 'string' },
};

const TENSOR: Schema = {
  dims: { number: 1, type: 'varint', isRepeated: true },
  dataType: { number: 2, type: 'varint' },
  name: { number: 8, type: 'string' },
  rawData: { number: 9, type: 'bytes' },
  externalData: { number: 13, type: 'message', isRepeated: true, schema: () => STRING_ENTRY },
  dataLocation: { number: 14, type: 'varint' },
};

const DIMENSION: Schema = { dimValue: { number: 1, type: 'varint' } };

const SHAPE: Schema = {
  dim: { number: 1, type: 'message', isRepeated: true, schema: () => DIMENSION },
};

const TENSOR_TYPE: Schema = {
  elemType: { number: 1, type: 'varint' },
  shape: { number: 2, type: 'message', schema: () => SHAPE },
};

const SEQUENCE_TYPE: Schema = { elemType: { number: 1, type: 'message', schema: () => TYPE } };

const TYPE: Schema = {
  tensorType: { number: 1, type: 'message', schema: () => TENSOR_TYPE },
  sequenceType: { number: 4, type: 'message', schema: () => SEQUENCE_TYPE },
};

const VALUE_INFO: Schema = {
  name: { number: 1, type: 'string' },
  type: { number: 2, type: 'message', schema: () => TYPE },
};

const ATTRIBUTE: Schema = {
  name: { number: 1, type: 'string' },
  f: { number: 2, type: 'float' },
  i: { number: 3, type: 'varint' },
  s: { number: 4, type: 'bytes' },
  g: { number: 6, type: 'message', schema: () => GRAPH },
  ints: { number: 8, type: 'varint', isRepeated: true },
  type: { number: 20, type: 'varint' },
};

const NODE: Schema = {
  input: { number: 1, type: 'string', isRepeated: true },
  output: { number: 2, type: 'string', isRepeated: true },
  name: { number: 3, type: 'string' },
  opType: { number: 4, type: 'string' },
  attribute: { number: 5, type: 'message', isRepeated: true, schema: () => ATTRIBUTE },
  domain: { number: 7, type: 'string' },
};

const GRAPH: Schema = {
  node: { number: 1, type: 'message', isRepeated: true, schema: () => NODE },
  name: { number: 2, type: 'string' },
  initializer: { number: 5, type: 'message', isRepeated: true, schema: () => TENSOR },
  input: { number: 11, type: 'message', isRepeated: true, schema: () => VALUE_INFO },
  output: { number: 12, type: 'message', isRepeated: true, schema: () => VALUE_INFO },
};

const OPERATOR_SET: Schema = {
  domain: { number: 1, type: 'string' },
  version: { number: 2, type: 'varint' },
};

/** `ModelProto`, the whole file. */
export const MODEL_SCHEMA: Schema = {
  irVersion: { number: 1, type: 'varint' },
  producerName: { number: 2, type: 'string' },
  producerVersion: { number: 3, type: 'string' },
  graph: { number: 7, type: 'message', schema: () => GRAPH },
  opsetImport: { number: 8, type: 'message', isRepeated: true, schema: () => OPERATOR_SET },
};

/** `AttributeProto.AttributeType`. */
export const ATTRIBUTE_TYPES = { float: 1, int: 2, string: 3, graph: 5, ints: 7 } as const;
