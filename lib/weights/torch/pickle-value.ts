/** What a pickle can become here: plain values, containers, tensors, and records that do nothing. */

/** A place for values of one type in the file. */
export interface TorchStorage {
  readonly type: 'storage';
  readonly key: string;
  /** As in safetensors: `F32`, `I64` … */
  readonly dtype: string;
  readonly numValues: number;
}

/** A view of a storage; sizes in values, not bytes. */
export interface TorchTensor {
  readonly type: 'tensor';
  readonly storage: TorchStorage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** A list, tuple or set. */
export interface PickleSequence {
  readonly type: 'list' | 'tuple';
  readonly items: PickleValue[];
}

/** A dictionary in the order of the file. */
export interface PickleDict {
  readonly type: 'dict';
  readonly entries: Map<PickleValue, PickleValue>;
}

/** A name that stands for a function or class; only names that are known get this far, and none is ever called. */
export interface PickleGlobal {
  readonly type: 'global';
  readonly name: string;
}

/** Something harmless that is no weight, such as the options of a run: nothing but its name is kept. */
interface InertRecord {
  readonly type: 'inert';
  readonly name: string;
}

/** Any value of a pickle. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | TorchStorage
  | TorchTensor
  | PickleSequence
  | PickleDict
  | PickleGlobal
  | InertRecord;

/** The kind of a value that is an object of this file, or `plain`. */
export function typeOf(
  value: PickleValue | undefined,
): Exclude<PickleValue, null | boolean | number | bigint | string | Uint8Array>['type'] | 'plain' {
  return typeof value === 'object' && value !== null && 'type' in value ? value.type : 'plain';
}

/** Whether a value is a tensor. */
export function isTensor(value: PickleValue | undefined): value is TorchTensor {
  return typeOf(value) === 'tensor';
}

/** Whether a value is a dictionary. */
export function isDict(value: PickleValue | undefined): value is PickleDict {
  return typeOf(value) === 'dict';
}

/** Whether a value is a list, tuple or set. */
export function isSequence(value: PickleValue | undefined): value is PickleSequence {
  const type = typeOf(value);
  return type === 'list' || type === 'tuple';
}

/** A new dictionary. */
export function makeDict(): PickleDict {
  return { type: 'dict', entries: new Map() };
}
