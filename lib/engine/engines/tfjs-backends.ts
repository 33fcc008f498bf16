/** Backends of tfjs that the engine `eager` can use, and the packages that bring them. */

/** A backend by tfjs' name for it. */
export interface TfjsBackend {
  readonly backend: string;
  /** Package to load, or null for what tfjs itself brings. */
  readonly packageName: string | null;
  readonly note: string;
}

/** From the fastest to the slowest. Packages other than tfjs itself are the user's choice to install. */
export const TFJS_BACKENDS: readonly TfjsBackend[] = [
  {
    backend: 'tensorflow',
    packageName: '@tensorflow/tfjs-node-gpu',
    note: 'TensorFlow 2.9.1 with CUDA 11.2; downloads its library when installed',
  },
  {
    backend: 'tensorflow',
    packageName: '@tensorflow/tfjs-node',
    note: 'TensorFlow 2.9.1; downloads its library when installed',
  },
  { backend: 'wasm', packageName: '@tensorflow/tfjs-backend-wasm', note: 'WebAssembly' },
  { backend: 'cpu', packageName: null, note: 'plain JavaScript; for comparing numbers' },
];

/** Loads the first installed package that brings a backend; gives false if none does. */
export async function loadTfjsBackend(backend: string): Promise<boolean> {
  for (const { backend: name, packageName } of TFJS_BACKENDS) {
    if (name !== backend || packageName === null) continue;
    try {
      await import(packageName);
      return true;
    } catch {
      // Not installed, or not for this system: the next may be.
    }
  }
  return false;
}
