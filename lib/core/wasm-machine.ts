/** Loops in WebAssembly, compiled once per thread, and the memory they work in. */

import { assemble } from './wasm-assembler.ts';
import type { WasmFunction } from './wasm-assembler.ts';

/** The part of the global object that is used; its types are not among those of Node.js. */
declare const WebAssembly: {
  readonly Memory: new (limits: { readonly initial: number }) => WasmMemory;
  readonly Module: new (code: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: WasmExports };
};

interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(numPages: number): number;
}

type WasmExports = Readonly<Record<string, (...values: number[]) => number>>;

type Arguments<Loop> =
  Loop extends WasmFunction<infer Param> ? Readonly<Record<Param, number>> : never;

const PAGE_BYTES = 65_536;
/** Vector loops read and write some bytes beyond what counts: up to this many on either side of each area. */
const MARGIN_BYTES = 128;
/** Modules by the loops they hold. */
const compiled = new WeakMap<object, object>();

/** Bytes of memory that areas of these sizes take together, for a machine that is not to grow. */
export function spaceFor(areas: readonly number[]): number {
  return areas.reduce((sum, numBytes) => sum + areaBytes(numBytes), MARGIN_BYTES);
}

function areaBytes(numBytes: number): number {
  return Math.ceil(numBytes / 16) * 16 + MARGIN_BYTES;
}

/**
 * Memory divided into areas, and loops that work on them; addresses are bytes from the start of the memory. It grows to what is
 * needed most and stays so. Loops are compiled when the first machine with them is made.
 *
 * Vectors of WebAssembly are part of Node.js since version 16; on a processor that has none, compiling throws a `CompileError`.
 * Memory that cannot be had is a `RangeError`.
 */
export class WasmMachine<Loops extends Readonly<Record<keyof Loops, WasmFunction>>> {
  readonly #memory: WasmMemory;
  readonly #loops: Loops;
  readonly #exports: WasmExports;
  #bytes: Uint8Array<ArrayBuffer>;
  #end = MARGIN_BYTES;

  /** A machine with memory of so many bytes to begin with, all zero. */
  constructor(loops: Loops, numBytes: number = 4 * PAGE_BYTES) {
    this.#memory = new WebAssembly.Memory({ initial: Math.ceil(numBytes / PAGE_BYTES) });
    this.#bytes = new Uint8Array(this.#memory.buffer);
    this.#loops = loops;
    const module = compiled.get(loops) ?? new WebAssembly.Module(assemble(loops));
    compiled.set(loops, module);
    const imports = { host: { memory: this.#memory } };
    this.#exports = new WebAssembly.Instance(module, imports).exports;
  }

  /** All memory; valid until the next {@link reserve} that needs more. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /** Where the next area will be, for {@link release}. */
  get mark(): number {
    return this.#end;
  }

  /** Gives the address of a new area with arbitrary content, a multiple of 16. */
  reserve(numBytes: number): number {
    const address = this.#end;
    this.#end += areaBytes(numBytes);
    const missing = this.#end - this.#bytes.length;
    if (missing > 0) {
      this.#memory.grow(Math.ceil(missing / PAGE_BYTES));
      this.#bytes = new Uint8Array(this.#memory.buffer);
    }
    return address;
  }

  /** Copies bytes into a new area and gives its address. */
  place(bytes: Uint8Array): number {
    const address = this.reserve(bytes.length);
    this.#bytes.set(bytes, address);
    return address;
  }

  /** Gives up all areas from `mark` on. */
  release(mark: number): void {
    this.#end = mark;
  }

  /** Runs a loop. */
  run<Name extends keyof Loops & string>(name: Name, values: Arguments<Loops[Name]>): number {
    const named: Readonly<Record<string, number>> = values;
    return (
      this.#exports[name]?.(...this.#loops[name].params.map((param) => named[param] ?? 0)) ?? 0
    );
  }
}
