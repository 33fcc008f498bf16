/** What could run programs here. */

import type { CompileOptions } from '../compile.ts';
import { TFJS_BACKENDS } from '../engines/tfjs-backends.ts';

/** An engine with where it computes. */
export interface Candidate {
  /** `onnx/cpu`, `eager/wasm` and so on. */
  readonly name: string;
  readonly options: Pick<CompileOptions, 'engine' | 'provider' | 'backend'>;
  readonly packageName: string;
  readonly note: string;
  /** What to do to have it. */
  readonly install: string;
}

const ONNX: readonly Candidate[] = [
  {
    name: 'onnx/cpu',
    options: { engine: 'onnx', provider: 'cpu' },
    packageName: 'onnxruntime-node',
    note: 'ONNX Runtime, native; the default',
    install: 'npm install onnxruntime-node',
  },
  {
    name: 'onnx/cuda',
    options: { engine: 'onnx', provider: 'cuda' },
    packageName: 'onnxruntime-node',
    note: 'experimental; NVIDIA, Linux x64',
    install:
      'a driver with CUDA 12, then node node_modules/onnxruntime-node/script/install.js (fetches the libraries)',
  },
  {
    name: 'onnx/webgpu',
    options: { engine: 'onnx', provider: 'webgpu' },
    packageName: 'onnxruntime-node',
    note: 'experimental',
    install: 'a driver for Vulkan, Metal or Direct3D 12',
  },
];

/** Every candidate, the default first. */
export const CANDIDATES: readonly Candidate[] = [
  ...ONNX,
  ...TFJS_BACKENDS.map(({ backend, packageName, note }): Candidate => {
    const owner = packageName ?? '@tensorflow/tfjs';
    return {
      name: packageName === null ? `eager/${backend}` : `eager/${shortName(packageName)}`,
      options: { engine: 'eager', backend },
      packageName: owner,
      note,
      install: `npm install ${owner}`,
    };
  }),
];

function shortName(packageName: string): string {
  return packageName.replace('@tensorflow/', '').replace('tfjs-backend-', '');
}
