/** Runs the function itself, operation by operation, on a tfjs backend that is installed: the engine for what cannot be traced. */

import { TubeletError } from '../../core/index.ts';
import type { Dtype, TensorData, TensorForm } from '../graph/graph.ts';
import { countElements } from '../graph/graph.ts';
import { tf } from '../../ops/index.ts';
import type { NamedSpecs, NamedTensors } from '../trace/trace.ts';
import { disposeNewVariables } from '../variables.ts';
import { loadTfjsBackend } from './tfjs-backends.ts';
import type { Engine, Job, NamedData, Runner, StateStore } from './engine.ts';

/** Which tfjs backend is to run. */
export interface EagerEngineOptions {
  /** tfjs' name of a backend (`tensorflow`, `wasm`, `cpu`), whose package is loaded if it is installed; tfjs' best one by default. */
  readonly backend?: string;
}

/** States as tensors on the backend. */
interface TensorStore extends StateStore {
  readonly tensors: Map<string, tf.Tensor>;
}

/** The engine `eager`. */
export function createEagerEngine({ backend }: EagerEngineOptions = {}): Engine {
  return {
    name: 'eager',
    open: (state) => {
      const store = createTensorStore(state);
      const prepare = async (job: Job): Promise<Runner> => {
        await chooseBackend(backend);
        return createRunner(job, store, backend);
      };
      return { store, prepare };
    },
  };
}

async function chooseBackend(name: string | undefined): Promise<void> {
  await tf.ready();
  if (name === undefined || tf.getBackend() === name) return;
  const isKnown = (): boolean => tf.engine().backendNames().includes(name);
  if (!isKnown()) await loadTfjsBackend(name);
  if (!isKnown() || !(await tf.setBackend(name))) {
    throw new TubeletError('TUBE_ENGINE_MISSING', { engine: 'eager', backend: name });
  }
}

function createTensorStore(state: NamedSpecs): TensorStore {
  const tensors = new Map(
    Object.entries(state).map(([name, { shape, dtype }]) => [
      name,
      tf.keep(tf.zeros([...shape], dtype)),
    ]),
  );
  const replace = (name: string, tensor: tf.Tensor): void => {
    tensors.get(name)?.dispose();
    tensors.set(name, tf.keep(tensor));
  };
  return {
    tensors,
    write: (values) => {
      for (const [name, data] of Object.entries(values)) {
        const spec = state[name];
        if (spec === undefined) throw new RangeError(`"state" has no "${name}".`);
        replace(name, toTensor(data, spec));
      }
    },
    read: (names) =>
      Object.fromEntries(
        names.flatMap((name) => {
          const tensor = tensors.get(name);
          return tensor === undefined ? [] : [[name, toData(tensor).slice()]];
        }),
      ),
    dispose: () => {
      for (const tensor of tensors.values()) tensor.dispose();
      tensors.clear();
    },
  };
}

function createRunner({ fn, spec }: Job, store: TensorStore, backend: string | undefined): Runner {
  const run = async (inputs: NamedData): Promise<NamedData> => {
    await chooseBackend(backend);
    const feeds = Object.fromEntries(
      Object.entries(spec.inputs).map(([name, one]) => [
        name,
        toTensor(inputs[name] ?? new Float32Array(countElements(one.shape)), one),
      ]),
    );
    const outputs = disposeNewVariables(() =>
      tf.tidy(() => ({ ...fn(feeds, Object.fromEntries(store.tensors)) })),
    );
    const results = await collect(outputs, store);
    for (const tensor of Object.values(feeds)) tensor.dispose();
    return results;
  };
  return { run, dispose: async () => undefined };
}

/** Reads what are results, keeps what are states. States get tensors of their own: one may be an input, or two the same. */
async function collect(outputs: NamedTensors, { tensors }: TensorStore): Promise<NamedData> {
  const old = [...tensors.values()];
  const results: Record<string, TensorData> = {};
  for (const [name, tensor] of Object.entries(outputs)) {
    if (tensors.has(name)) tensors.set(name, tf.keep(tensor.clone()));
    else results[name] = (await tensor.data<Dtype>()).slice();
  }
  const kept = new Set(tensors.values());
  for (const tensor of new Set([...old, ...Object.values(outputs)])) {
    if (!kept.has(tensor)) tensor.dispose();
  }
  return results;
}

function toTensor(data: TensorData, { shape, dtype }: TensorForm): tf.Tensor {
  return tf.tensor(data.slice(), [...shape], dtype);
}

function toData(tensor: tf.Tensor): TensorData {
  return tensor.dataSync<Dtype>();
}
