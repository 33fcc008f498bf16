/** Door of `core`: errors, option checks, seeded randomness, scaling weights, bounded concurrency, safe files, whole reads, loops in WebAssembly. */

export { temporaryPath, toWriteError, writeFileAtomic } from './atomic-file.ts';
export { checkInteger, checkNumber, checkOneOf } from './check.ts';
export { ERROR_CODES, TubeletError, describeError, messageText, systemCode } from './errors.ts';
export type { ErrorCode, ErrorDetails, PlainError } from './errors.ts';
export { mapOrdered } from './map-ordered.ts';
export { readSpan } from './read-span.ts';
export { createPermutation, createRng } from './rng.ts';
export type { Rng, RngParts } from './rng.ts';
export { RESIZE_FILTERS, WEIGHT_BITS, resizeTaps } from './resize-taps.ts';
export type { ResizeFilter, ResizeTaps } from './resize-taps.ts';
export {
  bytes,
  choose,
  giveBack,
  ifTrue,
  int,
  memory,
  op,
  procedure,
  repeatWhile,
  shuffle,
  storeLane,
  whileTrue,
} from './wasm-assembler.ts';
export type { Code, WasmFunction } from './wasm-assembler.ts';
export { WasmMachine, spaceFor } from './wasm-machine.ts';
