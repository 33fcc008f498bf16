/** Tells tfjs of the tracing backend and its kernels, once per process, when the first program is traced. */

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
    if (!isKernelName(kernelName)) registerRefusal(backend, kernelName);
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

/** A kernel that no graph can hold says so with a code and the user's line. */
function registerRefusal(backend: TraceBackend, kernelName: string): void {
  tf.registerKernel({
    kernelName,
    backendName: TRACE_BACKEND,
    kernelFunc: () => {
      if (kernelName === 'Multinomial') throw backend.refuse('TUBE_TRACE_RANDOM', kernelName);
      const isShape = DATA_DEPENDENT.test(kernelName);
      throw backend.refuse(isShape ? 'TUBE_TRACE_SHAPE' : 'TUBE_TRACE_KERNEL', kernelName);
    },
  });
}
