/** Runs a tfjs function once without numbers and gives its graph. */

import type { Graph, NamedValue, TensorForm } from '../graph/graph.ts';
import { tf } from '../../ops/index.ts';
import { createRecorder } from './recorder.ts';
import { disposeNewVariables } from '../variables.ts';
import { traceBackend } from './register.ts';
import { TRACE_BACKEND } from './trace-backend.ts';
import type { TraceBackend } from './trace-backend.ts';

/** Tensors by name. */
export type NamedTensors = Readonly<Record<string, tf.Tensor>>;

/** Specs by name. */
export type NamedSpecs = Readonly<Record<string, TensorForm>>;

/** A function of tensors; states come second. An output with the name of a state is that state's next value. */
export type TensorFunction = (inputs: NamedTensors, state: NamedTensors) => NamedTensors;

/** What to trace. Names of inputs and states must differ. */
export interface TraceSpec {
  readonly inputs: NamedSpecs;
  readonly state: NamedSpecs;
}

/**
 * Traces `fn` for static shapes. Tensors made or captured inside become constants; nothing that is traced lives on.
 *
 * @throws {TubeletError} TUBE_TRACE_READ, TUBE_TRACE_SHAPE, TUBE_TRACE_RANDOM, TUBE_TRACE_KERNEL or TUBE_TRACE_ESCAPE, with the
 * operation and the line of the user's code
 */
export function trace(fn: TensorFunction, spec: TraceSpec): Graph {
  const backend = traceBackend();
  const recorder = createRecorder();
  const previous = tf.engine().backend === undefined ? '' : tf.getBackend();
  const restoreRandom = forbidRandom(backend);
  backend.begin(recorder);
  let graph: Graph | undefined;
  let thrown: unknown;
  try {
    void tf.setBackend(TRACE_BACKEND);
    const checkVariables = watchVariables(backend);
    disposeNewVariables(() =>
      tf.tidy(() => {
        const place = (specs: NamedSpecs): NamedTensors =>
          Object.fromEntries(
            Object.entries(specs).map(([name, one]) => [
              name,
              makeTensor(backend, recorder.input(name, one)),
            ]),
          );
        const outputs = fn(place(spec.inputs), place(spec.state));
        graph = recorder.finish(nameOutputs(outputs, backend));
      }),
    );
    checkVariables();
  } catch (error) {
    thrown = error;
  } finally {
    restoreRandom();
    void tf.setBackend(previous);
  }
  const failure = backend.end();
  if (failure !== undefined) throw failure;
  if (graph === undefined) throw thrown;
  return graph;
}

function makeTensor(backend: TraceBackend, value: number): tf.Tensor {
  return tf.engine().makeTensorFromTensorInfo(backend.tensorOf(value));
}

/** Names and values of what the function gave. */
function nameOutputs(outputs: unknown, backend: TraceBackend): NamedValue[] {
  if (typeof outputs === 'object' && outputs !== null && 'then' in outputs) {
    void Promise.resolve(outputs as Promise<unknown>).catch(() => undefined);
    throw new TypeError('"fn" must give its tensors at once, not a promise.');
  }
  if (typeof outputs !== 'object' || outputs === null || outputs instanceof tf.Tensor) {
    throw new TypeError('"fn" must give an object of named tensors.');
  }
  return Object.entries(outputs).map(([name, tensor]: [string, unknown]) => {
    if (!(tensor instanceof tf.Tensor)) {
      throw new TypeError(`"fn" must give tensors only (output "${name}" is none).`);
    }
    return { name, value: backend.idOf(tensor) };
  });
}

/** While a trace runs, a random number is a mistake: it would be the same in every run. */
function forbidRandom(backend: TraceBackend): () => void {
  const original = Math.random;
  Math.random = () => {
    throw backend.refuse('TUBE_TRACE_RANDOM', 'Math.random');
  };
  return () => {
    Math.random = original;
  };
}

/** A variable from outside that was assigned to would be left with a value that does not exist: it gets its own back. */
function watchVariables(backend: TraceBackend): () => void {
  const before = Object.values(tf.engine().registeredVariables).map((variable) => {
    const { dataId } = variable;
    return { variable, dataId };
  });
  return () => {
    for (const { variable, dataId } of before) {
      if (variable.dataId === dataId) continue;
      variable.dataId = dataId;
      throw backend.refuse('TUBE_TRACE_ESCAPE', `assignment to variable ${variable.name}`);
    }
  };
}
