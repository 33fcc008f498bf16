/**
 * A tfjs backend that computes nothing: each kernel call becomes a node of a graph. tfjs' own gradients call kernels too, so they
 * are recorded the same way.
 */

import { TubeletError } from '../../core/index.ts';
import type { ErrorCode } from '../../core/index.ts';
import type { Attributes, Dtype, TensorData, TensorForm } from '../graph/graph.ts';
import { allocate } from '../graph/graph.ts';
import { tf } from '../../ops/index.ts';
import type { Recorder } from './recorder.ts';
import type { Plan, RawAttributes } from './shape-rules.ts';
import { findCallSite } from './user-code.ts';

/** Name under which tfjs knows the backend. */
export const TRACE_BACKEND = 'tubelet-trace';

type TensorInfo = tf.TensorInfo;

/** Where values of tensors are known by the ids of their data. One trace at a time. */
export class TraceBackend extends tf.KernelBackend {
  #recorder: Recorder | undefined;
  #values = new WeakMap<object, number>();
  #counts = new WeakMap<object, number>();
  #failure: TubeletError | undefined;
  #numDataIds = 0;

  /** Starts a trace into `recorder`. */
  begin(recorder: Recorder): void {
    this.#recorder = recorder;
    this.#values = new WeakMap();
    this.#failure = undefined;
  }

  /** Ends the trace. Gives the first thing that could not be traced, even if the user's code caught it. */
  end(): TubeletError | undefined {
    this.#recorder = undefined;
    return this.#failure;
  }

  /** The recorder of the trace that runs. */
  get recorder(): Recorder {
    if (this.#recorder === undefined)
      throw this.refuse('TUBE_TRACE_ESCAPE', 'a call after the trace');
    return this.#recorder;
  }

  /** Adds a kernel call; `plan` makes its outputs. */
  record(kernel: string, inputs: readonly TensorInfo[], plan: Planner): TensorInfo[] {
    const ids = inputs.map((input) => this.idOf(input));
    const { recorder } = this;
    const planned = plan(ids.map((id) => recorder.spec(id)));
    const outputs = recorder.node(kernel, ids, planned);
    return outputs.map((id) => this.tensorOf(id));
  }

  /** A tensor that stands for a recorded value. */
  tensorOf(value: number): TensorInfo {
    const dataId = this.#newData();
    this.#values.set(dataId, value);
    const { shape, dtype } = this.recorder.spec(value);
    return { dataId, shape: [...shape], dtype };
  }

  /** The recorded value of a tensor; one that lives outside of the trace becomes a constant. */
  idOf({ dataId, shape, dtype }: TensorInfo): number {
    const known = this.#values.get(dataId);
    if (known !== undefined) return this.#inShape(known, shape);
    const home = tf.engine().state.tensorInfo.get(dataId)?.backend;
    if (home === undefined || home === this) {
      throw this.refuse('TUBE_TRACE_ESCAPE', 'a tensor of an earlier trace');
    }
    const value = this.#constant(home.readSync(dataId), shape, dtype);
    this.#values.set(dataId, value);
    return value;
  }

  /** Notes and gives an error of the trace. */
  refuse(code: ErrorCode, fallback: string): TubeletError {
    const { operation, at } = findCallSite(fallback);
    const error = new TubeletError(code, { operation, at });
    this.#failure ??= error;
    return error;
  }

  override write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): object {
    const { calls } = findCallSite('tensor');
    const random = calls.find((name) =>
      /^(?:random|truncatedNormal|multinomial|dropout)/u.test(name),
    );
    if (random !== undefined) throw this.refuse('TUBE_TRACE_RANDOM', random);
    const dataId = this.#newData();
    this.#values.set(dataId, this.#constant(values, shape, dtype));
    return dataId;
  }

  override read(): Promise<tf.BackendValues> {
    throw this.#readFailure();
  }

  override readSync(): tf.BackendValues {
    throw this.#readFailure();
  }

  override refCount(dataId: object): number {
    return this.#counts.get(dataId) ?? 0;
  }

  override incRef(dataId: object): void {
    this.#counts.set(dataId, this.refCount(dataId) + 1);
  }

  override disposeData(dataId: object, force = false): boolean {
    const count = this.refCount(dataId) - 1;
    this.#counts.set(dataId, count);
    if (count > 0 && !force) return false;
    this.#numDataIds -= 1;
    return true;
  }

  override numDataIds(): number {
    return this.#numDataIds;
  }

  override floatPrecision(): 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override timerAvailable(): boolean {
    return false;
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: false };
  }

  #newData(): object {
    const dataId = {};
    this.#counts.set(dataId, 1);
    this.#numDataIds += 1;
    return dataId;
  }

  /** tfjs reshapes some tensors by sharing their data under another shape. */
  #inShape(value: number, shape: readonly number[]): number {
    const spec = this.recorder.spec(value);
    if (spec.shape.length === shape.length && spec.shape.every((size, at) => size === shape[at])) {
      return value;
    }
    const plan = { outputs: [{ ...spec, shape }], attributes: { shape: [...shape] } };
    const [reshaped = value] = this.recorder.node('Reshape', [value], plan);
    return reshaped;
  }

  /** A constant; many equal numbers are kept as one number and a shape. */
  #constant(values: tf.BackendValues, shape: readonly number[], dtype: tf.DataType): number {
    if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'bool') {
      throw this.refuse('TUBE_TRACE_KERNEL', `a tensor of dtype ${dtype}`);
    }
    const data = copyData(values, dtype);
    const spec = { shape: [...shape], dtype };
    const value = data[0];
    if (value !== undefined && data.length > 1 && data.every((one) => Object.is(one, value))) {
      const plan = { outputs: [spec], attributes: { shape: spec.shape, value, dtype } };
      const [filled] = this.recorder.node('Fill', [], plan);
      if (filled !== undefined) return filled;
    }
    return this.recorder.constant(data, spec);
  }

  #readFailure(): TubeletError {
    const { calls, files } = findCallSite('data');
    const isShape = [...calls, ...files].some((name) =>
      /where_?Async|boolean_?Mask|setdiff1d|unique/iu.test(name),
    );
    return this.refuse(isShape ? 'TUBE_TRACE_SHAPE' : 'TUBE_TRACE_READ', 'data');
  }
}

/** Outputs and attributes from the inputs' specs. */
export type Planner = (inputs: readonly TensorForm[]) => Plan<Attributes>;

/** Inputs of a kernel call in the order of their names. */
export function orderInputs(
  names: readonly string[] | 'list',
  inputs: Readonly<Record<string, TensorInfo | undefined>>,
): TensorInfo[] {
  const keys = names === 'list' ? Object.keys(inputs) : names;
  return keys.map((key) => inputs[key]).filter((input) => input !== undefined);
}

/** Attributes as tfjs passes them. */
export function rawAttributes(attributes: unknown): RawAttributes {
  return typeof attributes === 'object' && attributes !== null ? (attributes as RawAttributes) : {};
}

function copyData(values: tf.BackendValues, dtype: Dtype): TensorData {
  const data = allocate(dtype, values.length);
  data.set(values as ArrayLike<number>);
  return data;
}
