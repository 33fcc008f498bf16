/** Runs functions made by the assembler, in memory of their own. */

import { assemble } from '../../lib/core/wasm-assembler.ts';
import type { WasmFunction } from '../../lib/core/wasm-assembler.ts';

declare const WebAssembly: {
  readonly Memory: new (limits: { readonly initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (code: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (
    module: object,
    imports: object,
  ) => { readonly exports: Readonly<Record<string, (...values: number[]) => number | undefined>> };
};

/** Functions of a module, and the page of memory that they work in. */
export interface RunningWasm {
  readonly memory: DataView;
  readonly call: (name: string, ...values: number[]) => number | undefined;
}

/** Compiles functions. */
export function runWasm(functions: Readonly<Record<string, WasmFunction>>): RunningWasm {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const module = new WebAssembly.Module(assemble(functions));
  const { exports } = new WebAssembly.Instance(module, { host: { memory } });
  return {
    memory: new DataView(memory.buffer),
    call: (name, ...values) => exports[name]!(...values),
  };
}
