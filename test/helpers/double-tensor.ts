/** Arrays of double precision and what the reference needs of them. Plain loops, made to be read and not to be fast. */

/** Elements in C order; integers and bools are numbers too. */
export interface DoubleTensor {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export function count(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

export function double(shape: readonly number[], data: ArrayLike<number>): DoubleTensor {
  return { shape, data: Float64Array.from(data) };
}

/** The indices of every element, in C order. */
export function* places(shape: readonly number[]): Generator<number[]> {
  const place = shape.map(() => 0);
  for (let i = count(shape); i > 0; i -= 1) {
    yield [...place];
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
      place[axis]! += 1;
      if (place[axis]! < shape[axis]!) break;
      place[axis] = 0;
    }
  }
}

/** Where the element at a place stands. */
export function offset(shape: readonly number[], place: readonly number[]): number {
  return shape.reduce((sum, size, axis) => sum * size + place[axis]!, 0);
}

/** A tensor whose elements are a function of their places. */
export function build(
  shape: readonly number[],
  valueAt: (place: readonly number[]) => number,
): DoubleTensor {
  return { shape, data: Float64Array.from(places(shape), valueAt) };
}

/** The element at a place. */
export function get({ shape, data }: DoubleTensor, place: readonly number[]): number {
  return data[offset(shape, place)]!;
}

/** The element that stands at a place after broadcasting. */
export function getBroadcast(tensor: DoubleTensor, place: readonly number[]): number {
  const skipped = place.length - tensor.shape.length;
  return get(
    tensor,
    tensor.shape.map((size, axis) => (size === 1 ? 0 : place[axis + skipped]!)),
  );
}

function broadcastShape(...shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) =>
    Math.max(...shapes.map((shape) => shape[axis - rank + shape.length] ?? 1)),
  );
}

/** Applies a function to every element, broadcasting. */
export function mapTensors(
  tensors: readonly DoubleTensor[],
  map: (...values: number[]) => number,
): DoubleTensor {
  const shape = broadcastShape(...tensors.map((one) => one.shape));
  return build(shape, (place) => map(...tensors.map((one) => getBroadcast(one, place))));
}

/** Reduces axes: `fold` gets all elements of a group. */
export function reduce(
  tensor: DoubleTensor,
  axes: readonly number[],
  keepDims: boolean,
  fold: (values: number[]) => number,
): DoubleTensor {
  const kept = tensor.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const groups = Array.from({ length: count(kept) }, (): number[] => []);
  for (const place of places(tensor.shape)) {
    const group = place.map((index, axis) => (axes.includes(axis) ? 0 : index));
    groups[offset(kept, group)]!.push(get(tensor, place));
  }
  const shape = keepDims ? kept : kept.filter((_, axis) => !axes.includes(axis));
  return double(shape, groups.map(fold));
}

export function sumOf(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

/** Products of the last two axes, broadcasting the others. */
export function multiply(
  a: DoubleTensor,
  b: DoubleTensor,
  { transposeA = false, transposeB = false } = {},
): DoubleTensor {
  const [rows, inner] = a.shape.slice(-2) as [number, number];
  const [other, columns] = b.shape.slice(-2) as [number, number];
  const length = transposeA ? rows : inner;
  const batch = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const shape = [...batch, transposeA ? inner : rows, transposeB ? other : columns];
  return build(shape, (place) => {
    const [row, column] = place.slice(-2) as [number, number];
    const outer = place.slice(0, -2);
    let sum = 0;
    for (let i = 0; i < length; i += 1) {
      const left = getBroadcast(a, [...outer, ...(transposeA ? [i, row] : [row, i])]);
      const right = getBroadcast(b, [...outer, ...(transposeB ? [column, i] : [i, column])]);
      sum += left * right;
    }
    return sum;
  });
}
