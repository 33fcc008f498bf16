/** The pixel loops of this room, compiled once per thread, and the memory they work in. */

import { colourRow, colourRowWide } from './colour-kernels.ts';
import { convert, stretchRow } from './convert-kernels.ts';
import { findMarker } from './marker-kernel.ts';
import { scaleColumns, scaleRows } from './scale-kernels.ts';
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

interface Kernels {
  readonly findMarker: typeof findMarker;
  readonly stretchRow: typeof stretchRow;
  readonly colourRow: typeof colourRow;
  readonly colourRowWide: typeof colourRowWide;
  readonly convert: typeof convert;
  readonly scaleRows: typeof scaleRows;
  readonly scaleColumns: typeof scaleColumns;
}

const KERNELS: Kernels & Readonly<Record<string, WasmFunction>> = {
  findMarker,
  stretchRow,
  colourRow,
  colourRowWide,
  convert,
  scaleRows,
  scaleColumns,
};
type KernelName = keyof Kernels;
type Arguments<Name extends KernelName> =
  Kernels[Name] extends WasmFunction<infer Param> ? Readonly<Record<Param, number>> : never;

const PAGE_BYTES = 65_536;
/** Vector loops read and write some bytes beyond what counts: up to this many on either side of each area. */
const MARGIN_BYTES = 128;
let compiled: object | undefined;

/**
 * Memory divided into areas, and loops that work on them; addresses are bytes from the start of the memory. It grows to what the
 * largest picture needs and stays so.
 *
 * Vectors of WebAssembly are part of Node.js since version 16; on a processor that has none, compiling throws a `CompileError`.
 */
export class PixelMachine {
  readonly #memory = new WebAssembly.Memory({ initial: 32 });
  readonly #exports: WasmExports;
  #bytes = new Uint8Array(this.#memory.buffer);
  #end = MARGIN_BYTES;

  constructor() {
    compiled ??= new WebAssembly.Module(assemble(KERNELS));
    const imports = { host: { memory: this.#memory } };
    this.#exports = new WebAssembly.Instance(compiled, imports).exports;
  }

  /** All memory; valid until the next {@link reserve}. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /** Where the next area will be, for {@link release}. */
  get mark(): number {
    return this.#end;
  }

  /** Gives the address of a new area with arbitrary content. */
  reserve(numBytes: number): number {
    const address = this.#end;
    this.#end += Math.ceil(numBytes / 16) * 16 + MARGIN_BYTES;
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
  run<Name extends KernelName>(name: Name, values: Arguments<Name>): number {
    const named: Readonly<Record<string, number>> = values;
    return this.#exports[name]?.(...KERNELS[name].params.map((param) => named[param] ?? 0)) ?? 0;
  }
}
