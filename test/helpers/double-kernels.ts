/**
 * Every kernel of a graph in double precision, written from its definition: neither tfjs nor the engine has a part in it. Only
 * forward kernels are here; gradients are checked against differences of these.
 */

import type { Attributes } from '../../lib/engine/graph/graph.ts';
import type { KernelName } from '../../lib/engine/graph/kernels.ts';
import type { FusedKernelName } from '../../lib/ops/index.ts';
import { erf } from './double-erf.ts';
import {
  build,
  double,
  get,
  getBroadcast,
  mapTensors,
  multiply,
  offset,
  places,
  reduce,
  sumOf,
} from './double-tensor.ts';
import type { DoubleTensor } from './double-tensor.ts';

type Kernel = (inputs: readonly DoubleTensor[], attributes: Attributes) => DoubleTensor[];
type Forward = KernelName | Exclude<FusedKernelName, `${string}Grad` | `${string}Again`>;

const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;

const each =
  (map: (...values: number[]) => number): Kernel =>
  (inputs) => [mapTensors(inputs, map)];
const is = (test: (...values: number[]) => boolean): Kernel =>
  each((...values) => (test(...values) ? 1 : 0));
const folding =
  (fold: (values: number[]) => number): Kernel =>
  ([x], { axis, keepDims }) => [reduce(x!, axis as number[], keepDims as boolean, fold)];
const roundEven = (x: number): number => {
  const low = Math.floor(x);
  if (x - low !== 0.5) return Math.round(x);
  return low % 2 === 0 ? low : low + 1;
};
const gelu = (x: number): number => (x / 2) * (1 + erf(x / Math.SQRT2));

/** The kernels; a missing one does not compile. */
export const DOUBLE_KERNELS: Readonly<Record<Forward, Kernel>> = {
  Abs: each(Math.abs),
  Acos: each(Math.acos),
  Acosh: each(Math.acosh),
  Asin: each(Math.asin),
  Asinh: each(Math.asinh),
  Atan: each(Math.atan),
  Atanh: each(Math.atanh),
  Ceil: each(Math.ceil),
  Cos: each(Math.cos),
  Cosh: each(Math.cosh),
  Elu: each((x) => (x >= 0 ? x : Math.expm1(x))),
  Erf: each(erf),
  Exp: each(Math.exp),
  Expm1: each(Math.expm1),
  Floor: each(Math.floor),
  Identity: each((x) => x),
  Log: each(Math.log),
  Log1p: each(Math.log1p),
  Neg: each((x) => -x),
  OnesLike: each(() => 1),
  Reciprocal: each((x) => 1 / x),
  Relu: each((x) => Math.max(x, 0)),
  Relu6: each((x) => Math.min(Math.max(x, 0), 6)),
  Round: each(roundEven),
  Rsqrt: each((x) => 1 / Math.sqrt(x)),
  Selu: each((x) => SELU_SCALE * (x >= 0 ? x : SELU_ALPHA * Math.expm1(x))),
  Sigmoid: each((x) => 1 / (1 + Math.exp(-x))),
  Sign: each(Math.sign),
  Sin: each(Math.sin),
  Sinh: each(Math.sinh),
  Softplus: each((x) => Math.log1p(Math.exp(-Math.abs(x))) + Math.max(x, 0)),
  Sqrt: each(Math.sqrt),
  Square: each((x) => x * x),
  Tan: each(Math.tan),
  Tanh: each(Math.tanh),
  ZerosLike: each(() => 0),
  IsFinite: is(Number.isFinite),
  IsInf: is((x) => Math.abs(x) === Infinity),
  IsNan: is(Number.isNaN),
  LogicalNot: is((x) => x === 0),
  Add: each((a, b) => a + b),
  Atan2: each(Math.atan2),
  EluGrad: each((dy, y) => (y >= 0 ? dy : dy * (y + 1))),
  FloorDiv: each((a, b) => Math.floor(a / b)),
  Maximum: each(Math.max),
  Minimum: each(Math.min),
  Mod: each((a, b) => a - Math.floor(a / b) * b),
  Multiply: each((a, b) => a * b),
  Pow: each(Math.pow),
  Prelu: each((x, alpha) => (x < 0 ? alpha * x : x)),
  RealDiv: each((a, b) => a / b),
  SquaredDifference: each((a, b) => (a - b) ** 2),
  Sub: each((a, b) => a - b),
  Equal: is((a, b) => a === b),
  Greater: is((a, b) => a > b),
  GreaterEqual: is((a, b) => a >= b),
  Less: is((a, b) => a < b),
  LessEqual: is((a, b) => a <= b),
  LogicalAnd: is((a, b) => a !== 0 && b !== 0),
  LogicalOr: is((a, b) => a !== 0 || b !== 0),
  LogicalXor: is((a, b) => (a !== 0) !== (b !== 0)),
  NotEqual: is((a, b) => a !== b),
  All: folding((values) => (values.every((one) => one !== 0) ? 1 : 0)),
  Any: folding((values) => (values.some((one) => one !== 0) ? 1 : 0)),
  Max: folding((values) => Math.max(...values)),
  Mean: folding((values) => sumOf(values) / values.length),
  Min: folding((values) => Math.min(...values)),
  Prod: folding((values) => values.reduce((a, b) => a * b, 1)),
  Sum: folding(sumOf),
  AddN: (inputs) => [mapTensors(inputs, (...values) => sumOf(values))],
  ArgMax: ([x], { axis }) => [
    reduce(x!, [axis as number], false, (values) => values.indexOf(Math.max(...values))),
  ],
  ArgMin: ([x], { axis }) => [
    reduce(x!, [axis as number], false, (values) => values.indexOf(Math.min(...values))),
  ],
  BatchMatMul: ([a, b], attributes) => [multiply(a!, b!, attributes)],
  _FusedMatMul: ([a, b, bias], attributes) => [
    mapTensors([multiply(a!, b!, attributes), bias!], (...values) => sumOf(values)),
  ],
  BroadcastTo: ([x], { shape }) => [build(shape as number[], (place) => getBroadcast(x!, place))],
  Cast: ([x], { dtype }) => [mapTensors([x!], (value) => castTo(value, dtype as string))],
  ClipByValue: ([x], { clipValueMin, clipValueMax }) => [
    mapTensors([x!], (value) =>
      Math.min(Math.max(value, clipValueMin as number), clipValueMax as number),
    ),
  ],
  Concat: (inputs, { axis }) => [concat(inputs, axis as number)],
  Cumprod: (inputs, attributes) => [running(inputs[0]!, attributes, 1, (a, b) => a * b)],
  Cumsum: (inputs, attributes) => [running(inputs[0]!, attributes, 0, (a, b) => a + b)],
  Fill: (_, { shape, value }) => [build(shape as number[], () => value as number)],
  GatherNd: ([params, indices]) => {
    const depth = indices!.shape.at(-1)!;
    const rows = indices!.shape.slice(0, -1);
    return [
      build([...rows, ...params!.shape.slice(depth)], (place) => {
        const row = place.slice(0, rows.length);
        const index = Array.from({ length: depth }, (__, i) => get(indices!, [...row, i]));
        return get(params!, [...index, ...place.slice(rows.length)]);
      }),
    ];
  },
  GatherV2: ([x, indices], { axis, batchDims }) => [
    gather(x!, indices!, axis as number, batchDims as number),
  ],
  LeakyRelu: ([x], { alpha }) => [
    mapTensors([x!], (value) => (value < 0 ? (alpha as number) * value : value)),
  ],
  LogSoftmax: ([x]) => [mapTensors([softmax(x!)], Math.log)],
  MirrorPad: ([x], { paddings, mode }) => {
    const edge = mode === 'reflect' ? 0 : 1;
    return [
      padWith(x!, paddings as number[][], (place) =>
        get(
          x!,
          place.map((index, axis) => {
            const size = x!.shape[axis]!;
            if (index < 0) return -index - edge;
            return index >= size ? 2 * size - 2 - index + edge : index;
          }),
        ),
      ),
    ];
  },
  OneHot: ([indices], { depth, onValue, offValue }) => [
    build([...indices!.shape, depth as number], (place) =>
      Number(get(indices!, place.slice(0, -1)) === place.at(-1) ? onValue : offValue),
    ),
  ],
  Pack: (inputs, { axis }) => [
    build(inputs[0]!.shape.toSpliced(axis as number, 0, inputs.length), (place) =>
      get(inputs[place[axis as number]!]!, place.toSpliced(axis as number, 1)),
    ),
  ],
  PadV2: ([x], { paddings, constantValue }) => [
    padWith(x!, paddings as number[][], (place) =>
      place.every((index, axis) => index >= 0 && index < x!.shape[axis]!)
        ? get(x!, place)
        : (constantValue as number),
    ),
  ],
  Reshape: ([x], { shape }) => [double(shape as number[], x!.data)],
  Reverse: ([x], { dims }) => [
    build(x!.shape, (place) =>
      get(
        x!,
        place.map((index, axis) =>
          (dims as number[]).includes(axis) ? x!.shape[axis]! - 1 - index : index,
        ),
      ),
    ),
  ],
  ScatterNd: ([indices, updates], { shape }) => {
    const result = build(shape as number[], () => 0);
    const rows = indices!.shape.slice(0, -1);
    for (const place of places(updates!.shape)) {
      const row = place.slice(0, rows.length);
      const index = Array.from({ length: indices!.shape.at(-1)! }, (_, i) =>
        get(indices!, [...row, i]),
      );
      result.data[offset(result.shape, [...index, ...place.slice(rows.length)])]! += get(
        updates!,
        place,
      );
    }
    return [result];
  },
  Select: each((condition, yes, no) => (condition === 0 ? no : yes)),
  Slice: ([x], { begin, size }) => [
    build(size as number[], (place) =>
      get(
        x!,
        place.map((index, axis) => index + (begin as number[])[axis]!),
      ),
    ),
  ],
  Softmax: ([x]) => [softmax(x!)],
  SplitV: ([x], { numOrSizeSplits, axis }) => {
    let start = 0;
    return (numOrSizeSplits as number[]).map((size) => {
      const from = start;
      start += size;
      return build(x!.shape.with(axis as number, size), (place) =>
        get(x!, place.with(axis as number, place[axis as number]! + from)),
      );
    });
  },
  Step: ([x], { alpha }) => [mapTensors([x!], (value) => (value > 0 ? 1 : (alpha as number)))],
  Tile: ([x], { reps }) => [
    build(
      x!.shape.map((size, axis) => size * (reps as number[])[axis]!),
      (place) =>
        get(
          x!,
          place.map((index, axis) => index % x!.shape[axis]!),
        ),
    ),
  ],
  TopK: ([x], { k }) => {
    const shape = [...x!.shape.slice(0, -1), k as number];
    const length = x!.shape.at(-1)!;
    const ranked = (place: readonly number[]): [number, number] => {
      const row = Array.from({ length }, (_, i): [number, number] => [
        get(x!, [...place.slice(0, -1), i]),
        i,
      ]);
      return row.toSorted((a, b) => b[0] - a[0] || a[1] - b[1])[place.at(-1)!]!;
    };
    return [build(shape, (place) => ranked(place)[0]), build(shape, (place) => ranked(place)[1])];
  },
  Transpose: ([x], { perm }) => {
    const order = perm as number[];
    const shape = order.map((axis) => x!.shape[axis]!);
    return [
      build(shape, (place) =>
        get(
          x!,
          x!.shape.map((_, axis) => place[order.indexOf(axis)]!),
        ),
      ),
    ];
  },
  Unpack: ([x], { axis }) =>
    Array.from({ length: x!.shape[axis as number]! }, (_, index) =>
      build(x!.shape.toSpliced(axis as number, 1), (place) =>
        get(x!, place.toSpliced(axis as number, 0, index)),
      ),
    ),
  UnsortedSegmentSum: ([x, ids], { numSegments }) => {
    const rest = x!.shape.slice(ids!.shape.length);
    const result = build([numSegments as number, ...rest], () => 0);
    for (const place of places(x!.shape)) {
      const segment = get(ids!, place.slice(0, ids!.shape.length));
      const to = [segment, ...place.slice(ids!.shape.length)];
      if (segment >= 0) result.data[offset(result.shape, to)]! += get(x!, place);
    }
    return [result];
  },
  LayerNorm: ([x, scale, shift], { epsilon }) => {
    const rows = [x!.shape.length - 1];
    const mean = reduce(x!, rows, true, (values) => sumOf(values) / values.length);
    const inverse = reduce(x!, rows, true, (values) => {
      const own = sumOf(values) / values.length;
      return (
        1 /
        Math.sqrt(
          sumOf(values.map((one) => (one - own) ** 2)) / values.length + (epsilon as number),
        )
      );
    });
    return [
      mapTensors(
        [x!, mean, inverse, scale!, shift!],
        (...[v, m, i, s, o]) => (v! - m!) * i! * s! + o!,
      ),
      mean,
      inverse,
    ];
  },
  Gelu: each(gelu),
  Attention: ([q, k, v], { scale }) => {
    const scores = multiply(q!, k!, { transposeB: true });
    return [multiply(softmax(mapTensors([scores], (one) => one * (scale as number))), v!)];
  },
  AdamW: (inputs, { beta1, beta2, epsilon }) => {
    const [parameter, gradient, first, second, rate, keep, correction] = inputs as [
      DoubleTensor,
      DoubleTensor,
      DoubleTensor,
      DoubleTensor,
      DoubleTensor,
      DoubleTensor,
      DoubleTensor,
    ];
    const [b1, b2] = [beta1 as number, beta2 as number];
    const m = mapTensors([first, gradient], (old, g) => b1 * old + (1 - b1) * g);
    const v = mapTensors([second, gradient], (old, g) => b2 * old + (1 - b2) * g * g);
    const next = mapTensors(
      [parameter, m, v, rate, keep, correction],
      (...[p, m1, v1, r, kept, c]) =>
        kept! * p! - (r! * m1!) / (Math.sqrt(c! * v1!) + (epsilon as number)),
    );
    return [next, m, v];
  },
};

function castTo(value: number, dtype: string): number {
  if (dtype === 'bool') return value === 0 ? 0 : 1;
  return dtype === 'int32' ? Math.trunc(value) : value;
}

function softmax(x: DoubleTensor): DoubleTensor {
  const rows = [x.shape.length - 1];
  const high = reduce(x, rows, true, (values) => Math.max(...values));
  const powers = mapTensors([x, high], (value, top) => Math.exp(value - top));
  return mapTensors([powers, reduce(powers, rows, true, sumOf)], (value, total) => value / total);
}

function concat(inputs: readonly DoubleTensor[], axis: number): DoubleTensor {
  const sizes = inputs.map((one) => one.shape[axis]!);
  return build(inputs[0]!.shape.with(axis, sumOf(sizes)), (place) => {
    let index = place[axis]!;
    let part = 0;
    while (index >= sizes[part]!) index -= sizes[part++]!;
    return get(inputs[part]!, place.with(axis, index));
  });
}

function running(
  x: DoubleTensor,
  { axis, exclusive, reverse }: Attributes,
  start: number,
  join: (a: number, b: number) => number,
): DoubleTensor {
  const along = axis as number;
  return build(x.shape, (place) => {
    const at = place[along]!;
    const order = Array.from({ length: x.shape[along]! }, (_, i) => i);
    const before = order.filter((i) => (reverse ? i > at : i < at) || (i === at && !exclusive));
    return before.map((i) => get(x, place.with(along, i))).reduce(join, start);
  });
}

function gather(
  x: DoubleTensor,
  indices: DoubleTensor,
  axis: number,
  batchDims: number,
): DoubleTensor {
  const own = indices.shape.slice(batchDims);
  const shape = [...x.shape.slice(0, axis), ...own, ...x.shape.slice(axis + 1)];
  return build(shape, (place) => {
    const index = get(indices, [
      ...place.slice(0, batchDims),
      ...place.slice(axis, axis + own.length),
    ]);
    return get(x, [...place.slice(0, axis), index, ...place.slice(axis + own.length)]);
  });
}

function padWith(
  x: DoubleTensor,
  paddings: readonly number[][],
  valueAt: (place: number[]) => number,
): DoubleTensor {
  const shape = x.shape.map((size, axis) => size + sumOf(paddings[axis]!));
  return build(shape, (place) => valueAt(place.map((index, axis) => index - paddings[axis]![0]!)));
}
