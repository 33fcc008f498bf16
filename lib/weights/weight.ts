/** What weights are to the rest of the library: names, shapes and values, read only when asked for. */

/**
 * Values of a weight, row-major. Read from a file: float32 for F32, F16, BF16 and F64 (rounded to the nearest), int32 for I32
 * and I64, uint8 for U8 and BOOL (0 or 1).
 */
export interface WeightData {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | Uint8Array;
}

/** A weight that is not in memory yet. */
export interface Weight {
  readonly name: string;
  /** Type as it is stored: `F32`, `BF16`, `I64` … */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Reads the values; each call makes new arrays, unless the weight was made from arrays in memory. */
  read(): Promise<WeightData>;
}

/** A file of weights that is open. */
export interface WeightsFile {
  readonly path: string;
  readonly format: 'safetensors' | 'torch' | 'torch-legacy';
  readonly bytes: number;
  /** In the order of the file. */
  readonly weights: readonly Weight[];
  /** Texts that stand beside the weights; empty for PyTorch's files. */
  readonly metadata: Readonly<Record<string, string>>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Number of values in a shape; a shape without axes has one. */
export function countValues(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/**
 * Presents arrays in memory as weights, so that they can be written or renamed. The arrays are not copied.
 *
 * @throws {RangeError} if a shape does not hold as many values as its array has
 */
export function weightsInMemory(values: Iterable<readonly [string, WeightData]>): Weight[] {
  return Array.from(values, ([name, { shape, data }]) => {
    if (countValues(shape) !== data.length) {
      const expected = `${String(countValues(shape))} values in [${shape.join(', ')}]`;
      throw new RangeError(`"${name}" must have ${expected} (got ${String(data.length)}).`);
    }
    const read = (): Promise<WeightData> => Promise.resolve({ shape, data });
    return { name, dtype: dtypeOf(data), shape, read };
  });
}

/** The stored type of an array in memory. */
function dtypeOf(data: WeightData['data']): 'F32' | 'I32' | 'U8' {
  if (data instanceof Float32Array) return 'F32';
  return data instanceof Int32Array ? 'I32' : 'U8';
}

/** Reads all weights at once, by name. */
export async function readAllWeights(
  weights: Iterable<Weight>,
): Promise<ReadonlyMap<string, WeightData>> {
  const values = new Map<string, WeightData>();
  for (const weight of weights) values.set(weight.name, await weight.read());
  return values;
}
