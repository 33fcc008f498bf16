/** From a tfjs function to a program. */

import { checkOneOf } from '../core/index.ts';
import { createEagerEngine } from './engines/eager-engine.ts';
import type { EagerEngineOptions } from './engines/eager-engine.ts';
import type { Engine } from './engines/engine.ts';
import { createOnnxEngine } from './engines/onnx-engine.ts';
import type { OnnxEngineOptions } from './engines/onnx-engine.ts';
import { openCached } from './program.ts';
import type { Program } from './program.ts';
import { checkApart, resolveSpecs } from './specs.ts';
import type { SpecLike } from './specs.ts';
import type { TensorFunction } from './trace/trace.ts';

/** The engines: `onnx` runs the traced graph natively, `eager` runs the function on an installed tfjs backend. */
export const ENGINE_NAMES = ['onnx', 'eager'] as const;

/** Name of an engine. */
export type EngineName = (typeof ENGINE_NAMES)[number];

/** Inputs and states of a function. */
export interface ProgramSpec {
  readonly inputs?: Readonly<Record<string, SpecLike>>;
  /** Values that stay with the program; an output of the same name is the next value. */
  readonly state?: Readonly<Record<string, SpecLike>>;
}

/** How to compile. */
export interface CompileOptions extends OnnxEngineOptions, EagerEngineOptions {
  /** `onnx` by default. */
  readonly engine?: EngineName;
}

/**
 * Compiles a function of named tensors for static shapes and dtypes. It may use `tf.grads`, `tf.variableGrads` and
 * `tf.customGrad`; it is called once, without numbers. Tensors that it captures become constants.
 *
 * @throws {TubeletError} TUBE_TRACE_READ, TUBE_TRACE_SHAPE, TUBE_TRACE_RANDOM, TUBE_TRACE_KERNEL, TUBE_TRACE_ESCAPE, naming the
 * operation and the line; TUBE_ENGINE_MISSING, TUBE_ENGINE_FAILED
 * @throws {RangeError} for a name or shape that cannot be
 */
export async function compile(
  fn: TensorFunction,
  spec: ProgramSpec,
  options: CompileOptions = {},
): Promise<Program> {
  const { engine: name = 'onnx' } = options;
  checkOneOf('engine', name, ENGINE_NAMES);
  const inputs = resolveSpecs('inputs', spec.inputs ?? {});
  const state = resolveSpecs('state', spec.state ?? {});
  checkApart(inputs, state);
  const engine: Engine = name === 'onnx' ? createOnnxEngine(options) : createEagerEngine(options);
  const workspace = engine.open(state);
  const family = { workspace, state, programs: new Map(), tail: Promise.resolve() };
  return openCached(family, { fn, inputs });
}
