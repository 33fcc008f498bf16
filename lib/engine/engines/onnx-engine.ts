/** Runs graphs with ONNX Runtime. The only file that touches it. */

import type * as Runtime from 'onnxruntime-node';
import { TubeletError, messageText } from '../../core/index.ts';
import type { Graph, NamedValue, TensorData, TensorForm } from '../graph/graph.ts';
import { allocate, countElements, specOf } from '../graph/graph.ts';
import { encodeModel } from '../onnx/encode-model.ts';
import { orderWrites } from '../onnx/in-place.ts';
import type { InPlaceModel } from '../onnx/in-place.ts';
import { lowerGraph, outputName } from '../onnx/lower-graph.ts';
import type { OnnxModel } from '../onnx/model.ts';
import { joinBytes } from '../onnx/protobuf.ts';
import { takeUpdates } from '../passes/updates.ts';
import type { SplitGraph } from '../passes/updates.ts';
import { createAfterGraph } from './after-graph.ts';
import { depthFirst } from './depth-first.ts';
import type { AfterGraph } from './after-graph.ts';
import type { Engine, Job, NamedData, Runner } from './engine.ts';
import { NO_COPIES, isDone, withoutCopies } from './results-in-place.ts';
import { createSwapStore } from './swap-store.ts';
import type { SwapStore } from './swap-store.ts';

/** Where ONNX Runtime computes. All but `cpu` are passed through and experimental. */
export const EXECUTION_PROVIDERS = ['cpu', 'cuda', 'webgpu'] as const;

/** Name of an execution provider. */
export type ExecutionProvider = (typeof EXECUTION_PROVIDERS)[number];

/** How ONNX Runtime is to work. */
export interface OnnxEngineOptions {
  /** Where to compute; `cpu` by default. */
  readonly provider?: ExecutionProvider;
  /** Threads within an operator; one per core by default. */
  readonly threads?: number;
  /** Writes a profile of every run to a file that begins with this path. */
  readonly profilePrefix?: string;
}

type Module = typeof Runtime;

/** The engine `onnx`. */
export function createOnnxEngine(options: OnnxEngineOptions = {}): Engine {
  return {
    name: 'onnx',
    open: (state) => {
      const states = createSwapStore(state);
      const after = createAfterGraph(states);
      const dispose = (): void => {
        states.dispose();
        after.dispose();
      };
      return {
        store: { ...states, dispose },
        prepare: async (job) => createRunner(job, { states, after }, options),
      };
    },
  };
}

/** Where programs that share states keep them. */
interface Stores {
  readonly states: SwapStore;
  readonly after: AfterGraph;
}

/**
 * Loads ONNX Runtime.
 *
 * @throws {TubeletError} TUBE_ENGINE_MISSING if it does not load on this system
 */
async function loadRuntime(): Promise<Module> {
  try {
    const loaded = (await import('onnxruntime-node')) as unknown as { readonly default: Module };
    return loaded.default;
  } catch (error) {
    const details = { engine: 'onnx', message: messageText(error) };
    throw new TubeletError('TUBE_ENGINE_MISSING', details, { cause: error });
  }
}

async function createRunner(
  job: Job,
  { states, after }: Stores,
  options: OnnxEngineOptions,
): Promise<Runner> {
  const isState = (name: string): boolean => Object.hasOwn(job.spec.state, name);
  const runtime = await loadRuntime();
  const { graph, updates } = split(job, after, options);
  const gradients = new Map(updates.map((update) => [update.gradient, update]));
  const moved = graph.outputs.map(({ name }) => name).filter(isState);
  const { model, inPlace } = lower(
    graph,
    { states: moved, gradients: [...gradients.keys()] },
    options,
  );
  const session = await openSession(runtime, depthFirst(withoutCopies(model)), options);
  const shapes = new Map(
    [...model.inputs, ...model.outputs].map(({ name, shape }) => [name, shape]),
  );
  const results = new Set(
    job
      .graph()
      .outputs.map(({ name }) => name)
      .filter((name) => !isState(name)),
  );
  const wrap = (name: string, value: number, data: TensorData): Runtime.Tensor => {
    const { dtype } = specOf(graph, value);
    return new runtime.Tensor(dtype, data as Float32Array, shapes.get(name) ?? []);
  };
  /** Where an output goes: states and gradients to arrays that stay, all others to new ones. */
  const targetOf = ({ name, value }: NamedValue): TensorData => {
    const update = gradients.get(name);
    if (update !== undefined) return after.gradient(update);
    if (!isState(name)) return allocateFor(specOf(graph, value));
    return inPlace.has(name) ? states.current(name) : states.spare(name);
  };
  const run = async (inputs: NamedData): Promise<NamedData> => {
    const feeds = Object.fromEntries(
      graph.inputs.map(({ name, value }) => [
        name,
        wrap(name, value, inputs[name] ?? states.current(name)),
      ]),
    );
    const targets = graph.outputs.map((one) => ({ ...one, data: targetOf(one) }));
    const fetches: Record<string, Runtime.Tensor | null> = Object.fromEntries(
      targets.map(({ name, value, data }) => {
        const inModel = outputName(graph, name);
        return [inModel, wrap(inModel, value, data)];
      }),
    );
    fetches[NO_COPIES] = null;
    if (graph.outputs.length > 0) await runSession(session, feeds, fetches);
    const written = Object.fromEntries(targets.map(({ name, data }) => [name, data]));
    states.swap(moved.filter((name) => !inPlace.has(name)));
    for (const update of updates) after.move(update, written);
    return Object.fromEntries(Object.entries(written).filter(([name]) => results.has(name)));
  };
  return { run, dispose: () => session.release() };
}

/** The graph without what is to follow it; all of it where nothing can. */
function split(
  { graph, spec }: Job,
  after: AfterGraph,
  { provider = 'cpu' }: OnnxEngineOptions,
): SplitGraph {
  const whole = { graph: graph(), updates: [] };
  if (provider !== 'cpu') return whole;
  const parts = takeUpdates(whole.graph, new Set(Object.keys(spec.state)));
  return after.admit(parts.updates) ? parts : whole;
}

/** Names of outputs whose shape does not matter. */
interface ShapelessOutputs {
  readonly states: readonly string[];
  readonly gradients: readonly string[];
}

/** The model, and the states that it may write where it reads them. On other devices a state is copied anyway. */
function lower(
  graph: Graph,
  { states, gradients }: ShapelessOutputs,
  { provider = 'cpu' }: OnnxEngineOptions,
): InPlaceModel {
  const isCpu = provider === 'cpu';
  const shapeless = new Set([...states, ...gradients]);
  const model = lowerGraph(graph, { hasContrib: isCpu, shapeless });
  if (!isCpu) return { model, inPlace: new Set() };
  return orderWrites(
    model,
    states.map((name) => ({ input: name, output: outputName(graph, name) })),
  );
}

function allocateFor({ shape, dtype }: TensorForm): TensorData {
  return allocate(dtype, countElements(shape));
}

async function openSession(
  runtime: Module,
  model: OnnxModel,
  { provider = 'cpu', threads, profilePrefix }: OnnxEngineOptions,
): Promise<Runtime.InferenceSession> {
  const known = runtime.listSupportedBackends().map(({ name }) => name);
  if (!known.includes(provider)) {
    throw new TubeletError('TUBE_ENGINE_MISSING', { engine: 'onnx', provider });
  }
  try {
    return await runtime.InferenceSession.create(joinBytes(encodeModel(model)), {
      executionProviders: [provider],
      // On the cpu the graph runs as it was lowered: that orders reads and writes of states, its own passes have left nothing that
      // takes time (as fast, measured), and a step of ViT-B loads in a third of the time.
      graphOptimizationLevel: provider === 'cpu' ? 'disabled' : 'all',
      // A planned block comes beside what the first run has taken: 2.8 instead of 2.0 GB for a step of ViT-S with 4 clips, when it took that.
      enableMemPattern: false,
      // Numbers below 1.2e-38 count as 0: on Intel's processors a product that meets them takes up to eight times as long. The mode is one of
      // the thread that opens the first session, so numbers of its JavaScript below 2.2e-308 become 0 as well.
      extra: { session: { set_denormal_as_zero: '1' } },
      logSeverityLevel: 3,
      ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
      ...(profilePrefix === undefined
        ? {}
        : { enableProfiling: true, profileFilePrefix: profilePrefix }),
    });
  } catch (error) {
    const details = { engine: 'onnx', provider, message: messageText(error) };
    throw new TubeletError('TUBE_ENGINE_FAILED', details, { cause: error });
  }
}

async function runSession(
  session: Runtime.InferenceSession,
  feeds: Readonly<Record<string, Runtime.Tensor>>,
  fetches: Readonly<Record<string, Runtime.Tensor | null>>,
): Promise<void> {
  try {
    await session.run(feeds, fetches);
  } catch (error) {
    if (isDone(error)) return;
    const details = { engine: 'onnx', message: messageText(error) };
    throw new TubeletError('TUBE_ENGINE_FAILED', details, { cause: error });
  }
}
