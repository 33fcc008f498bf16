/**
 * Memory of WebAssembly in which parameters and their moments live, so that one loop can move them in place. It is not shared and never
 * grows: ONNX Runtime reads and writes views of it.
 */

import { WasmMachine, spaceFor } from '../../core/index.ts';
import { CONSTANTS, NUMBERS_AT_A_TIME, adamw } from './adamw-loop.ts';
import type { AdamwConstant } from './adamw-loop.ts';

/** A parameter's arrays, and what moves it. */
export interface AdamwPlace {
  readonly parameter: Float32Array;
  readonly gradient: Float32Array;
  readonly first: Float32Array;
  readonly second: Float32Array;
  /** Does one update with the gradient that stands there. */
  readonly move: (constants: Readonly<Record<AdamwConstant, number>>) => void;
}

interface AdamwLoops {
  readonly adamw: typeof adamw;
}

const LOOPS: AdamwLoops = { adamw };
const NUMBER_BYTES = 4;
const CONSTANT_BYTES = CONSTANTS.length * NUMBER_BYTES;
/** What one memory holds, unless a single parameter needs more. */
const MEMORY_BYTES = 2 ** 30;

/**
 * Places for parameters of these lengths, all zero.
 *
 * @throws {RangeError} if there is not that much memory
 * @throws `CompileError` of WebAssembly if the processor has no vectors
 */
export function placeParameters(lengths: readonly number[]): AdamwPlace[] {
  return fillMemories(lengths).flatMap((group) => {
    const machine = new WasmMachine(LOOPS, spaceFor([CONSTANT_BYTES, ...group.flatMap(areasOf)]));
    const constants = machine.reserve(CONSTANT_BYTES);
    return group.map((length) => placeOne(machine, constants, length));
  });
}

/** The lengths in order, as many together as one memory holds. */
export function fillMemories(
  lengths: readonly number[],
  memoryBytes: number = MEMORY_BYTES,
): number[][] {
  const groups: number[][] = [];
  let used = 0;
  for (const length of lengths) {
    const bytes = spaceFor(areasOf(length));
    const last = groups.at(-1);
    const fits = last !== undefined && used + bytes <= memoryBytes;
    if (fits) last.push(length);
    else groups.push([length]);
    used = fits ? used + bytes : bytes;
  }
  return groups;
}

/** Bytes of the four arrays of a parameter, each with what the loop writes beyond its end. */
function areasOf(length: number): number[] {
  const numbers = Math.ceil(length / NUMBERS_AT_A_TIME) * NUMBERS_AT_A_TIME;
  return Array.from({ length: 4 }, () => numbers * NUMBER_BYTES);
}

function placeOne(machine: WasmMachine<AdamwLoops>, constants: number, length: number): AdamwPlace {
  const [parameter = 0, gradient = 0, first = 0, second = 0] = areasOf(length).map((bytes) =>
    machine.reserve(bytes),
  );
  const [areaBytes = 0] = areasOf(length);
  const view = (address: number, size: number): Float32Array =>
    new Float32Array(machine.bytes.buffer, address, size);
  return {
    parameter: view(parameter, length),
    gradient: view(gradient, length),
    first: view(first, length),
    second: view(second, length),
    move: (values) => {
      view(constants, CONSTANTS.length).set(CONSTANTS.map((name) => values[name]));
      const end = parameter + areaBytes;
      machine.run('adamw', { parameter, gradient, first, second, end, constants });
    },
  };
}
