/** Tells tfjs of the tracing backend and its kernels, once per process, when the first program is traced. */

import type { ErrorCode } from '../../core/index.ts';
import { FUSED_KERNELS } from '../../ops/index.ts';
import { COMPOSED_KERNELS } from './composed-kernels.ts';
import type { ComposedCall } from './composed.ts';
import { KERNEL_RULES, isKernelName } from './kernel-rules.ts';
import { tf } from '../../ops/index.ts';
import type { KernelRule } from './shape-rules.ts';
import type { Attributes } from '../graph/graph.ts';
import { TRACE_BACKEND, TraceBackend, orderInputs, rawAttributes } from './trace-backend.ts';

/** Kernels whose outputs' shapes depend on values. */
const DATA_DEPENDENT = /^(?:Unique|NonMaxSuppression|Sparse|Ragged|Where)/u;

/** Kernels that give a list even of one. */
const LIST_OUTPUTS: ReadonlySet<string> = new Set(['SplitV', 'Unpack']);

/** The backend, registered at the first call. */
export function traceBackend(): TraceBackend {
  const known: unknown = tf.findBackend(TRACE_BACKEND);
  if (known instanceof TraceBackend) return known;
  const backend = new TraceBackend();
  tf.registerBackend(TRACE_BACKEND, () => backend, 0);
  for (const name of Object.keys(KERNEL_RULES)) {
    if (isKernelName(name) && !Object.hasOwn(COMPOSED_KERNELS, name))
      register(backend, name, KERNEL_RULES[name] as KernelRule<Attributes>);
  }
  for (const [name, { inputs, attributes: names, outputs }] of Object.entries(FUSED_KERNELS)) {
    const plan: KernelRule<Attributes>['plan'] = (specs, raw) => ({
      outputs: outputs(specs),
      attributes: Object.fromEntries(names.map((one) => [one, Number(raw[one])])),
    });
    register(backend, name, { inputs, plan });
  }
  for (const { kernelName } of tf.getKernelsForBackend('cpu')) {
    const isComposed = Object.hasOwn(COMPOSED_KERNELS, kernelName);
    if (isComposed || !isKernelName(kernelName)) registerOther(backend, kernelName);
  }
  return backend;
}

function register(
  backend: TraceBackend,
  kernelName: string,
  { inputs: names, plan }: KernelRule<Attributes>,
): void {
  tf.registerKernel({
    kernelName,
    backendName: TRACE_BACKEND,
    kernelFunc: ({ inputs, attrs }) => {
      const attributes = rawAttributes(attrs);
      const ordered = orderInputs(names, inputs);
      const outputs = backend.record(kernelName, ordered, (specs) => plan(specs, attributes));
      const [only] = outputs;
      const isList = LIST_OUTPUTS.has(kernelName) || only === undefined || outputs.length > 1;
      return isList ? outputs : only;
    },
  });
}

/** A kernel that no graph holds: written with others where it can be, else refused with a code and the user's line. */
function registerOther(backend: TraceBackend, kernelName: string): void {
  const compose = COMPOSED_KERNELS[kernelName];
  tf.registerKernel({
    kernelName,
    backendName: TRACE_BACKEND,
    kernelFunc: ({ inputs, attrs }) => {
      const output = compose?.(composedCall(inputs, attrs));
      if (output === undefined) throw backend.refuse(refusalCode(kernelName), kernelName);
      return output;
    },
  });
}

function refusalCode(kernelName: string): ErrorCode {
  if (kernelName === 'Multinomial') return 'TUBE_TRACE_RANDOM';
  return DATA_DEPENDENT.test(kernelName) ? 'TUBE_TRACE_SHAPE' : 'TUBE_TRACE_KERNEL';
}

function composedCall(
  inputs: Readonly<Record<string, tf.TensorInfo | undefined>>,
  attributes: unknown,
): ComposedCall {
  const optional = (name: string): tf.Tensor | undefined => asTensor(inputs[name]);
  return {
    optional,
    tensor: (name) => {
      const tensor = optional(name);
      if (tensor === undefined) throw new RangeError(`A kernel needs the input "${name}".`);
      return tensor;
    },
    list: Object.values(inputs).flatMap((one) => asTensor(one) ?? []),
    attributes: rawAttributes(attributes),
  };
}

/** tfjs passes whole tensors, though its types promise less. */
function asTensor(info: tf.TensorInfo | undefined): tf.Tensor | undefined {
  return info instanceof tf.Tensor ? info : undefined;
}
