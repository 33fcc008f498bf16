/** Tells tfjs of the tracing backend and its kernels, once per process, when the first program is traced. */

import type { ErrorCode } from '../../core/index.ts';
import { COMPOSED_KERNELS } from './composed-kernels.ts';
import type { ComposedCall } from './composed.ts';
import { KERNEL_RULES, isKernelName } from './kernel-rules.ts';
import type { KernelName } from '../graph/kernels.ts';
import { tf } from '../tfjs.ts';
import type { RawAttributes, KernelRule } from './shape-rules.ts';
import type { Attributes } from '../graph/graph.ts';
import { TRACE_BACKEND, TraceBackend, orderInputs, rawAttributes } from './trace-backend.ts';

/** Kernels whose outputs' shapes depend on values. */
const DATA_DEPENDENT = /^(?:Unique|NonMaxSuppression|Sparse|Ragged|Where)/u;

/** The backend, registered at the first call. */
export function traceBackend(): TraceBackend {
  const known: unknown = tf.findBackend(TRACE_BACKEND);
  if (known instanceof TraceBackend) return known;
  const backend = new TraceBackend();
  tf.registerBackend(TRACE_BACKEND, () => backend, 0);
  for (const name of Object.keys(KERNEL_RULES)) {
    if (isKernelName(name)) registerRule(backend, name);
  }
  for (const { kernelName } of tf.getKernelsForBackend('cpu')) {
    if (!isKernelName(kernelName)) registerOther(backend, kernelName);
  }
  return backend;
}

function registerRule(backend: TraceBackend, kernelName: KernelName): void {
  const { inputs: names, plan } = KERNEL_RULES[kernelName] as KernelRule<Attributes>;
  tf.registerKernel({
    kernelName,
    backendName: TRACE_BACKEND,
    kernelFunc: ({ inputs, attrs }) => {
      const attributes: RawAttributes = rawAttributes(attrs);
      const ordered = orderInputs(names, inputs);
      const outputs = backend.record(kernelName, ordered, (specs) => plan(specs, attributes));
      return kernelName === 'SplitV' || kernelName === 'Unpack' || outputs.length !== 1
        ? outputs
        : (outputs[0] ?? outputs);
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
