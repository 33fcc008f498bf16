/** A compiled function: named arrays in, named arrays out, states kept between runs. */

import type { NamedData, Runner, Workspace } from './engines/engine.ts';
import type { Dtype, Graph, TensorData, TensorForm } from './graph/graph.ts';
import { allocate, countElements, isSameShape } from './graph/graph.ts';
import { exportModel } from './onnx/export-model.ts';
import type { ExportOptions, ExportReport } from './onnx/export-model.ts';
import { optimise } from './passes/optimise.ts';
import { tf } from '../ops/index.ts';
import { trace } from './trace/trace.ts';
import { checkApart, resolveSpecs } from './specs.ts';
import type { SpecLike } from './specs.ts';
import type { NamedSpecs, TensorFunction, TraceSpec } from './trace/trace.ts';

/** What a run takes for an input: elements in C order, or a tensor. */
type ProgramInput = TensorData | readonly number[] | tf.Tensor;

/** Values by name. */
export type ProgramInputs = Readonly<Record<string, ProgramInput>>;

/** What belongs to all programs over the same states. */
export interface ProgramFamily {
  readonly workspace: Workspace;
  readonly state: NamedSpecs;
  /** Programs by function and by the shapes of their inputs. */
  readonly programs: Map<TensorFunction, Map<string, Promise<Program>>>;
  /** Settles when all runs so far are done: programs that share states take turns. */
  tail: Promise<unknown>;
  /** Set as soon as the family is to be freed. */
  closing?: Promise<void>;
}

/** A function with the shapes that it is compiled for. */
interface ProgramSource {
  readonly fn: TensorFunction;
  readonly inputs: NamedSpecs;
}

/**
 * A function compiled for fixed shapes. Close it with `dispose`. Runs, those of programs that share its states among them, follow one
 * another in the order of the calls.
 */
export class Program implements AsyncDisposable {
  readonly #family: ProgramFamily;
  readonly #source: ProgramSource;
  readonly #runner: Runner;
  readonly #graph: () => Graph;

  private constructor(
    family: ProgramFamily,
    parts: { source: ProgramSource; runner: Runner; graph: () => Graph },
  ) {
    this.#family = family;
    this.#source = parts.source;
    this.#runner = parts.runner;
    this.#graph = parts.graph;
  }

  /** @internal */
  static async open(family: ProgramFamily, source: ProgramSource): Promise<Program> {
    const { fn, inputs } = source;
    const spec: TraceSpec = { inputs, state: family.state };
    let traced: Graph | undefined;
    const graph = (): Graph => (traced ??= optimise(trace(fn, spec)));
    const runner = await family.workspace.prepare({ fn, spec, graph });
    return new Program(family, { source, runner, graph });
  }

  /** The optimised graph: plain data, `printGraph` and `drawGraph` show it. */
  get graph(): Graph {
    return this.#graph();
  }

  /** Shapes and dtypes of the inputs. */
  get inputs(): NamedSpecs {
    return this.#source.inputs;
  }

  /**
   * Runs once and moves the states on. The arrays that it gives are new and the caller's own.
   *
   * @throws {RangeError} for an input that is missing, unknown, or of another length or shape
   * @throws {TubeletError} TUBE_ENGINE_FAILED, after which the states are undefined
   */
  async run(inputs: ProgramInputs = {}): Promise<NamedData> {
    this.#checkOpen();
    // The turn is taken before anything is awaited: later runs and `dispose` must not overtake.
    const family = this.#family;
    const ready = Promise.all([readInputs(inputs, this.#source.inputs), family.tail]);
    const turn = ready.then(([data]) => this.#runner.run(data));
    family.tail = Promise.allSettled([family.tail, turn]);
    return turn;
  }

  /**
   * The same function for other shapes of its inputs, sharing the states: traced at the first call for these shapes, the same
   * program after that. Inputs not named keep their shape.
   */
  async withInputs(inputs: NamedSpecs): Promise<Program> {
    this.#checkOpen();
    const { fn } = this.#source;
    return openCached(this.#family, { fn, inputs: { ...this.#source.inputs, ...inputs } });
  }

  /**
   * Another function over the same states, with inputs of its own: compiled at the first call for these, after runs that were called before,
   * and the same program after that. Keep the function: a new one of the same text is compiled again, and both stay until `dispose`.
   *
   * @throws as `compile`
   */
  async withFunction(
    fn: TensorFunction,
    inputs: Readonly<Record<string, SpecLike>> = {},
  ): Promise<Program> {
    this.#checkOpen();
    const specs = resolveSpecs('inputs', inputs);
    checkApart(specs, this.#family.state);
    return openCached(this.#family, { fn, inputs: specs });
  }

  /**
   * Overwrites states; those not named stay. States are zero at first.
   *
   * @throws {RangeError} for a state that is unknown or of another length
   */
  setState(values: ProgramInputs): void {
    this.#checkOpen();
    const data = Object.entries(values).map(([name, value]) => {
      const spec = specNamed(this.#family.state, name, 'state');
      return [name, toData(name, spec, value instanceof tf.Tensor ? tensorData(value) : value)];
    });
    this.#family.workspace.store.write(Object.fromEntries(data) as NamedData);
  }

  /**
   * Copies of states, of all by default.
   *
   * @throws {RangeError} for a state that is unknown
   */
  readState(names: Iterable<string> = Object.keys(this.#family.state)): NamedData {
    this.#checkOpen();
    const { workspace, state } = this.#family;
    const wanted = Array.from(names);
    for (const name of wanted) specNamed(state, name, 'state');
    return workspace.store.read(wanted);
  }

  /**
   * Writes the function to a `.onnx` file of ONNX' own operators (version 21), which other tools read. States become constants with
   * their present values and are no outputs; more than 1.9 GB of constants stand in `FILE.data` beside it.
   *
   * @throws {TubeletError} TUBE_OUT_NOT_WRITABLE, TUBE_DISK_FULL
   */
  async exportOnnx(file: string, options: ExportOptions = {}): Promise<ExportReport> {
    return exportModel(this.graph, this.readState(), file, options);
  }

  /** Frees this program, those that share its states, and the states, after runs that were called before. Safe to call twice. */
  async dispose(): Promise<void> {
    const family = this.#family;
    family.closing ??= closeFamily(family, (program) => program.#runner.dispose());
    await family.closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  #checkOpen(): void {
    if (this.#family.closing !== undefined)
      throw new TypeError('The program is disposed and cannot be used.');
  }
}

/** The program of a family for a function and shapes, made at the first call. */
export function openCached(family: ProgramFamily, source: ProgramSource): Promise<Program> {
  const { fn, inputs } = source;
  const key = JSON.stringify(
    Object.entries(inputs).map(([name, { shape, dtype }]) => [name, shape, dtype]),
  );
  const programs = family.programs.get(fn) ?? new Map<string, Promise<Program>>();
  family.programs.set(fn, programs);
  const known = programs.get(key);
  if (known !== undefined) return known;
  // In turn: what is made ready may move states that a run is writing.
  const opening = family.tail.then(async () => Program.open(family, source));
  family.tail = Promise.allSettled([family.tail, opening]);
  programs.set(key, opening);
  opening.catch(() => programs.delete(key));
  return opening;
}

async function closeFamily(
  { programs, workspace, tail }: ProgramFamily,
  close: (program: Program) => Promise<void>,
): Promise<void> {
  await tail;
  const all: Promise<Program>[] = [];
  for (const byShapes of programs.values()) all.push(...byShapes.values());
  for (const opening of await Promise.allSettled(all)) {
    if (opening.status === 'fulfilled') await close(opening.value);
  }
  programs.clear();
  workspace.store.dispose();
}

async function readInputs(inputs: ProgramInputs, specs: NamedSpecs): Promise<NamedData> {
  const data: Record<string, TensorData> = {};
  for (const [name, value] of Object.entries(inputs)) {
    const spec = specNamed(specs, name, 'inputs');
    if (value instanceof tf.Tensor) {
      if (!isSameShape(value.shape, spec.shape))
        throw shapeError(name, spec, `[${value.shape.join()}]`);
      data[name] = toData(name, spec, await value.data<Dtype>());
    } else data[name] = toData(name, spec, value);
  }
  for (const name of Object.keys(specs)) {
    if (data[name] === undefined) throw new RangeError(`"inputs" lacks "${name}".`);
  }
  return data;
}

function specNamed(specs: NamedSpecs, name: string, option: string): TensorForm {
  const spec = specs[name];
  if (spec === undefined) {
    const known = Object.keys(specs).join(', ');
    throw new RangeError(`"${option}" has no "${name}" (there are: ${known}).`);
  }
  return spec;
}

function tensorData(tensor: tf.Tensor): TensorData {
  return tensor.dataSync<Dtype>();
}

/** Elements in the type of a spec; arrays of the right type are used as they are. */
function toData(name: string, spec: TensorForm, value: TensorData | readonly number[]): TensorData {
  const length = countElements(spec.shape);
  if (value.length !== length) throw shapeError(name, spec, `${value.length} elements`);
  if (isOfType(value, spec.dtype)) return value;
  const data = allocate(spec.dtype, length);
  data.set(value);
  return data;
}

function isOfType(value: TensorData | readonly number[], dtype: Dtype): value is TensorData {
  if (dtype === 'float32') return value instanceof Float32Array;
  return dtype === 'int32' ? value instanceof Int32Array : value instanceof Uint8Array;
}

function shapeError(name: string, { shape, dtype }: TensorForm, got: string): RangeError {
  return new RangeError(
    `"${name}" must be ${dtype} [${shape.join()}] (got ${got}). Use withInputs for other shapes.`,
  );
}
