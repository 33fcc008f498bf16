/** Compares a function of tensors and its gradients on both engines with double precision. */

import * as tf from '@tensorflow/tfjs';
import { createRng } from '../../lib/core/index.ts';
import { compile } from '../../lib/engine/index.ts';
import { trace } from '../../lib/engine/trace/trace.ts';
import { differences, relativeError, runDouble } from './double-graph.ts';
import { count } from './double-tensor.ts';

type Tensors = readonly tf.Tensor[];
type Named = Readonly<Record<string, Float32Array>>;

/** A function and where it is looked at. */
export interface Operation {
  readonly run: (...tensors: tf.Tensor[]) => tf.Tensor;
  /** Shapes of the tensors; all are differentiated but those named in `constants`. */
  readonly shapes: readonly (readonly number[])[];
  readonly constants?: readonly number[];
  /** Elements are uniform in here; -2 … 2 if not given. */
  readonly range?: readonly [low: number, high: number];
  /** Moves elements away from where the function has a kink. */
  readonly adjust?: (value: number) => number;
  readonly hasNoGradient?: boolean;
}

/** What differs most, relative to the largest number of its tensor. */
export interface OperationErrors {
  readonly [engineAndTensor: string]: number;
}

/** Errors of values and gradients on `cpu` and `onnx`. */
export async function operationErrors(
  operation: Operation,
  seed: string,
): Promise<OperationErrors> {
  const { shapes, constants = [] } = operation;
  const inputs = makeInputs(operation, seed);
  const specs = Object.fromEntries(shapes.map((shape, index) => [`x${index}`, shape]));
  const ordered = (named: Readonly<Record<string, tf.Tensor>>): tf.Tensor[] =>
    shapes.map((_, index) => named[`x${index}`]!);
  const graph = trace((named) => ({ y: operation.run(...ordered(named)) }), {
    inputs: Object.fromEntries(
      Object.entries(specs).map(([name, shape]) => [name, { shape, dtype: 'float32' }]),
    ),
    state: {},
  });
  const output = graph.values[graph.outputs[0]!.value]!.shape;
  const weights = fill(output, `${seed} weights`, [-1, 1]);
  const isMoved = shapes.map((_, index) => !constants.includes(index));
  const all = (tensors: Tensors, weight: tf.Tensor): Record<string, tf.Tensor> => {
    const y = operation.run(...tensors);
    if (operation.hasNoGradient === true) return { y };
    const moved = tensors.filter((__, index) => isMoved[index]);
    const gradients = tf.grads((...own: tf.Tensor[]): tf.Tensor => {
      const rest = [...own];
      const mixed = tensors.map((tensor, index) => (isMoved[index] ? rest.shift()! : tensor));
      return tf.sum(tf.mul(operation.run(...mixed), weight));
    })(moved);
    const names = Object.keys(specs).filter((__, index) => isMoved[index]);
    return { y, ...Object.fromEntries(names.map((name, i) => [`d${name}`, gradients[i]!])) };
  };
  const wanted: Record<string, Float64Array> = { y: runDouble(graph, inputs)['y']! };
  for (const [index, name] of Object.keys(specs).entries()) {
    if (!isMoved[index] || operation.hasNoGradient === true) continue;
    wanted[`d${name}`] = differences(graph, inputs, { y: weights }, name);
  }
  const errors: Record<string, number> = {};
  for (const engine of ['eager', 'onnx'] as const) {
    await using program = await compile(
      ({ weight, ...rest }) => all(ordered(rest), weight!),
      { inputs: { ...specs, weight: output } },
      engine === 'eager' ? { engine, backend: 'cpu' } : { engine },
    );
    const got = await program.run({ ...inputs, weight: weights });
    for (const [name, values] of Object.entries(wanted)) {
      errors[`${engine} ${name}`] = relativeError(got[name]!, values);
    }
  }
  return errors;
}

function makeInputs(operation: Operation, seed: string): Named {
  const { shapes, range = [-2, 2], adjust = (value) => value } = operation;
  return Object.fromEntries(
    shapes.map((shape, index) => {
      const data = fill(shape, `${seed} ${index}`, range);
      return [`x${index}`, data.map(adjust)];
    }),
  );
}

function fill(
  shape: readonly number[],
  purpose: string,
  [low, high]: readonly [number, number],
): Float32Array {
  const rng = createRng(7, purpose);
  return Float32Array.from({ length: count(shape) }, () => low + (high - low) * rng.uniform());
}
