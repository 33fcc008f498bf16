import { createHash } from 'node:crypto';
import { readFile, readdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import {
  openWeights,
  readAllWeights,
  weightsInMemory,
  writeSafetensors,
} from '../../lib/weights/index.ts';
import type { Weight, WeightData } from '../../lib/weights/index.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';
import { runPython, testWithPython } from '../helpers/python.ts';
import { projectFile } from '../helpers/project.ts';

/** One weight as it stands in a file. */
interface Raw {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** A safetensors file by hand, in the order of the members. */
function makeFile(weights: Readonly<Record<string, Raw>>): Buffer {
  let position = 0;
  const header: Record<string, unknown> = { __metadata__: { made: 'by hand' } };
  for (const [name, { dtype, shape, bytes }] of Object.entries(weights)) {
    header[name] = { dtype, shape, data_offsets: [position, (position += bytes.length)] };
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...Object.values(weights).map(({ bytes }) => bytes)]);
}

function raw(dtype: string, array: ArrayBufferView, shape: readonly number[]): Raw {
  return {
    dtype,
    shape,
    bytes: new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
  };
}

const f32 = (...values: number[]): Float32Array => Float32Array.from(values);
const i32 = (...values: number[]): Int32Array => Int32Array.from(values);
const u8 = (...values: number[]): Uint8Array => Uint8Array.from(values);

/** Stored values of each type, and what they are read as. */
const TYPES: readonly (readonly [
  dtype: string,
  stored: ArrayBufferView,
  read: WeightData['data'],
])[] = [
  ['F32', f32(1.5, -0, 3e-42, Infinity), f32(1.5, -0, 3e-42, Infinity)],
  ['F64', Float64Array.of(1.5, 0.1, -1e300, 1e-60), f32(1.5, 0.1, -Infinity, 0)],
  // One, the largest, the smallest normal and the smallest half, minus infinity, minus two thirds.
  [
    'F16',
    Uint16Array.of(0x3c00, 0x7bff, 0x0400, 0x0001, 0xfc00, 0xb955),
    f32(1, 65504, 2 ** -14, 2 ** -24, -Infinity, -0.66650390625),
  ],
  ['F16', Uint16Array.of(0x7e00, 0x8000), f32(Number.NaN, -0)],
  ['BF16', Uint16Array.of(0x3f80, 0xc049, 0x7f80, 0x0001), f32(1, -3.140625, Infinity, 2 ** -133)],
  ['I64', BigInt64Array.of(-1n, 2n ** 31n - 1n, -(2n ** 31n)), i32(-1, 2147483647, -2147483648)],
  ['I32', i32(-7, 8), i32(-7, 8)],
  ['I16', Int16Array.of(-32768, 5), i32(-32768, 5)],
  ['I8', Int8Array.of(-128, 5), i32(-128, 5)],
  ['U8', u8(0, 255), u8(0, 255)],
  ['BOOL', u8(0, 1, 255), u8(0, 1, 1)],
];

for (const [index, [dtype, stored, expected]] of TYPES.entries()) {
  test(`row ${index}: ${dtype} is read as ${expected.constructor.name}`, async (t) => {
    const path = join(await temporaryFolder(t), 'a.safetensors');
    // An odd number of bytes before it: reading may not depend on alignment.
    const shape = [1, expected.length];
    await writeFile(
      path,
      makeFile({ pad: raw('U8', u8(1, 2, 3), [3]), w: raw(dtype, stored, shape) }),
    );
    await using file = await openWeights(path);
    const weight = file.weights.find(({ name }) => name === 'w')!;
    t.like(weight, { name: 'w', dtype, shape });
    t.deepEqual(await weight.read(), { shape, data: expected });
    t.deepEqual(file.metadata, { made: 'by hand' });
    t.is(file.format, 'safetensors');
  });
}

test('types without a counterpart are listed, and refused when they are read', async (t) => {
  const path = join(await temporaryFolder(t), 'a.safetensors');
  await writeFile(
    path,
    makeFile({
      eight: raw('F8_E4M3', u8(1, 2), [2]),
      long: raw('I64', BigInt64Array.of(2n ** 31n), [1]),
      unsigned: raw('U32', Uint32Array.of(1), []),
    }),
  );
  await using file = await openWeights(path);
  t.deepEqual(
    file.weights.map(({ name, dtype, shape }) => [name, dtype, shape]),
    [
      ['eight', 'F8_E4M3', [2]],
      ['long', 'I64', [1]],
      ['unsigned', 'U32', []],
    ],
  );
  for (const weight of file.weights) {
    const error = await t.throwsAsync(weight.read(), { code: 'TUBE_WEIGHTS_UNSUPPORTED' });
    t.like(error, { details: { name: weight.name } });
  }
});

const SOME = new Map<string, WeightData>([
  ['b.bias', { shape: [3], data: f32(1, 2, 3) }],
  ['a.mask', { shape: [5], data: u8(1, 0, 1, 1, 0) }],
  ['a.steps', { shape: [], data: i32(41) }],
  ['a.weight', { shape: [2, 2], data: f32(-1, 0.5, Number.NaN, 1e-45) }],
  ['none', { shape: [0, 4], data: f32() }],
]);

test('what is written is read again, to the bit', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'a.safetensors');
  await writeSafetensors(path, weightsInMemory(SOME), { metadata: { z: 'ä', a: '1' } });
  await using file = await openWeights(path);
  const read = await readAllWeights(file.weights);
  t.deepEqual(Object.fromEntries(read), Object.fromEntries(SOME));
  t.deepEqual(file.metadata, { a: '1', z: 'ä' });
  t.deepEqual(await readdir(folder), ['a.safetensors']);
});

test('the bytes are the same in any order of weights, and every weight is aligned', async (t) => {
  const folder = await temporaryFolder(t);
  const paths = ['a', 'b'].map((name) => join(folder, name));
  await writeSafetensors(paths[0]!, weightsInMemory(SOME), { metadata: { k: 'v', a: 'b' } });
  await writeSafetensors(paths[1]!, weightsInMemory([...SOME].reverse()), {
    metadata: { a: 'b', k: 'v' },
  });
  const [a, b] = await Promise.all(paths.map((path) => readFile(path)));
  t.deepEqual(a, b);
  const headerBytes = Number(a!.readBigUInt64LE());
  t.is(headerBytes % 8, 0);
  t.is(
    a!.toString('utf8', 8, 8 + headerBytes).trimEnd(),
    '{"__metadata__":{"a":"b","k":"v"},' +
      '"a.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},' +
      '"b.bias":{"dtype":"F32","shape":[3],"data_offsets":[16,28]},' +
      '"none":{"dtype":"F32","shape":[0,4],"data_offsets":[28,28]},' +
      '"a.steps":{"dtype":"I32","shape":[],"data_offsets":[28,32]},' +
      '"a.mask":{"dtype":"U8","shape":[5],"data_offsets":[32,37]}}',
  );
  t.is(
    createHash('sha256').update(a!).digest('hex'),
    '467b9ff72f7e8cd2db8f03a92666264f7f2e1b647f64a94dc372e6651322d21e',
  );
});

test('writing refuses two weights of one name, and leaves the old file when one cannot be read', async (t) => {
  const path = join(await temporaryFolder(t), 'a.safetensors');
  const [one] = weightsInMemory([['one', { shape: [1], data: f32(1) }]]);
  await writeSafetensors(path, [one!]);
  const before = await readFile(path);
  await t.throwsAsync(writeSafetensors(path, [one!, one!]), { instanceOf: RangeError });
  const reserved = { ...one!, name: '__metadata__' };
  await t.throwsAsync(writeSafetensors(path, [reserved]), { instanceOf: RangeError });
  const broken: Weight = { ...one!, name: 'two', read: () => Promise.reject(new Error('gone')) };
  await t.throwsAsync(writeSafetensors(path, [one!, broken]), { message: 'gone' });
  const liar: Weight = { ...one!, name: 'two', shape: [2] };
  await t.throwsAsync(writeSafetensors(path, [one!, liar]), { instanceOf: TypeError });
  t.deepEqual(await readFile(path), before);
  t.throws(() => weightsInMemory([['x', { shape: [2], data: f32(1) }]]), {
    instanceOf: RangeError,
  });
});

const good = { dtype: 'U8', shape: [2], data_offsets: [0, 2] };

/** Headers over two bytes of values, none of which may be believed. */
const HOSTILE: Readonly<Record<string, string>> = {
  'not JSON': '{"a":',
  'a list': '[]',
  'no object inside': '{"a":1}',
  'unknown type': JSON.stringify({ a: { ...good, dtype: 'F99' } }),
  'type of the prototype': JSON.stringify({ a: { ...good, dtype: 'constructor' } }),
  'type that is no text': JSON.stringify({ a: { ...good, dtype: 8 } }),
  'negative size': JSON.stringify({ a: { ...good, shape: [-2] } }),
  'negative sizes that multiply': JSON.stringify({ a: { ...good, shape: [-1, -2] } }),
  'fraction of a size': JSON.stringify({ a: { ...good, shape: [0.5, 4] } }),
  'sizes that overflow': JSON.stringify({ a: { ...good, shape: [2 ** 40, 2 ** 40] } }),
  'sizes that overflow to zero': JSON.stringify({ a: { ...good, shape: [2 ** 52, 2 ** 52, 0] } }),
  'shape too large': JSON.stringify({ a: { ...good, shape: [3] } }),
  'values left over': JSON.stringify({ a: { ...good, shape: [1], data_offsets: [0, 1] } }),
  'values past the end': JSON.stringify({ a: { ...good, shape: [9], data_offsets: [0, 9] } }),
  'a gap': JSON.stringify({ a: { ...good, shape: [1], data_offsets: [1, 2] } }),
  'two that overlap': JSON.stringify({ a: good, b: good }),
  'offsets backwards': JSON.stringify({ a: { ...good, shape: [2], data_offsets: [2, 0] } }),
  'three offsets': JSON.stringify({ a: { ...good, data_offsets: [0, 2, 2] } }),
  'no shape': JSON.stringify({ a: { dtype: 'U8', data_offsets: [0, 2] } }),
  'metadata of numbers': JSON.stringify({ __metadata__: { a: 1 }, a: good }),
  'metadata as a list': JSON.stringify({ __metadata__: [], a: good }),
  'deep nesting': `{"a":${'['.repeat(100_000)}`,
  'no weights at all': '{}',
};

for (const [name, header] of Object.entries(HOSTILE)) {
  test(`a header with ${name} is refused`, async (t) => {
    const path = join(await temporaryFolder(t), 'a.safetensors');
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
    await writeFile(path, Buffer.concat([length, Buffer.from(header), u8(1, 2)]));
    await t.throwsAsync(openWeights(path), { code: 'TUBE_WEIGHTS_DAMAGED' });
  });
}

for (const [name, bytes] of Object.entries({
  'nothing in it': Buffer.alloc(0),
  'seven bytes': Buffer.alloc(7),
  'a header of 2^63 bytes': Buffer.from('0000000000000080', 'hex'),
  'a header longer than the file': Buffer.from('09000000000000007b7d', 'hex'),
  'bytes that are no text': Buffer.from('0400000000000000fffefdfc', 'hex'),
})) {
  test(`a file with ${name} is refused`, async (t) => {
    const path = join(await temporaryFolder(t), 'a.safetensors');
    await writeFile(path, bytes);
    await t.throwsAsync(openWeights(path), { code: 'TUBE_WEIGHTS_DAMAGED' });
  });
}

test('a file that is not there, or a folder, has a code of its own', async (t) => {
  const folder = await temporaryFolder(t);
  const code = 'TUBE_WEIGHTS_NOT_FOUND';
  await t.throwsAsync(openWeights(join(folder, 'none')), { code });
  await t.throwsAsync(openWeights(folder), { code });
});

test('a file that became shorter while it was open is named as damaged', async (t) => {
  const path = join(await temporaryFolder(t), 'a.safetensors');
  await writeSafetensors(path, weightsInMemory(SOME));
  const bytes = await readFile(path);
  await using file = await openWeights(path);
  await writeFile(path, bytes.subarray(0, -1));
  const mask = file.weights.find(({ name }) => name === 'a.mask')!;
  await t.throwsAsync(mask.read(), { code: 'TUBE_WEIGHTS_DAMAGED' });
});

test('a weight of two gigabytes is listed, and refused when it is read', async (t) => {
  const path = join(await temporaryFolder(t), 'a.safetensors');
  const size = 2 ** 31;
  const header = JSON.stringify({ a: { dtype: 'U8', shape: [size], data_offsets: [0, size] } });
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  await writeFile(path, Buffer.concat([length, Buffer.from(header)]));
  // The file has a hole: it takes no room.
  await truncate(path, 8 + header.length + size);
  await using file = await openWeights(path);
  t.deepEqual(file.weights[0]!.shape, [size]);
  await t.throwsAsync(file.weights[0]!.read(), { code: 'TUBE_WEIGHTS_UNSUPPORTED' });
});

const PYTHON = `
import sys, json
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
source, target = sys.argv[1:]
with safe_open(source, framework='numpy') as file:
    metadata = file.metadata()
save_file(load_file(source), target, metadata=metadata)
`;
testWithPython(
  'what safetensors for Python reads and writes again has the same bytes',
  ['safetensors.numpy'],
  async (t) => {
    const folder = await temporaryFolder(t);
    const [ours, theirs] = [join(folder, 'ours'), join(folder, 'theirs')];
    await using golden = await openWeights(
      projectFile('test', 'golden', 'c1_pretrain.weights.safetensors'),
    );
    await writeSafetensors(ours, [...golden.weights, ...weightsInMemory(SOME)], {
      metadata: { one: 'text' },
    });
    const { code, stderr } = await runPython(['-c', PYTHON, ours, theirs]);
    t.is(code, 0, stderr);
    t.deepEqual(await readFile(theirs), await readFile(ours));
  },
);
