import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import test from 'ava';
import { openWeights, readAllWeights } from '../../lib/weights/index.ts';
import type { WeightData } from '../../lib/weights/index.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';
import { runPython, testWithPython } from '../helpers/python.ts';
import { projectFile } from '../helpers/project.ts';
import {
  globalOp,
  intOp,
  makeCheckpoint,
  makeZip,
  modelPickle,
  ops,
  pickleOf,
  tensorOps,
  textOp,
} from '../helpers/torch-files.ts';

interface Expected {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly values: readonly (number | string)[];
}

const FOLDER = projectFile('test', 'fixtures', 'pth');
const expected = JSON.parse(await readFile(join(FOLDER, 'expected.json'), 'utf8')) as Record<
  'weights' | 'types',
  Readonly<Record<string, Expected>>
>;

/** What values of a type are read as. */
function toData({ dtype, values }: Expected): WeightData['data'] {
  const numbers = values.map((value) => (value === 'inf' ? Infinity : Number(value)));
  if (dtype.includes('float')) return Float32Array.from(numbers);
  return dtype === 'bool' || dtype === 'uint8'
    ? Uint8Array.from(numbers)
    : Int32Array.from(numbers);
}

function asExpected(facts: Readonly<Record<string, Expected>>): Record<string, WeightData> {
  const pairs = Object.entries(facts).map(([name, fact]) => [
    name,
    { shape: fact.shape, data: toData(fact) },
  ]);
  return Object.fromEntries(pairs) as Record<string, WeightData>;
}

for (const [name, format, facts] of [
  ['official.pth', 'torch', expected.weights],
  ['legacy.pth', 'torch-legacy', expected.weights],
  ['types.pth', 'torch', expected.types],
  ['types-legacy.pth', 'torch-legacy', expected.types],
] as const) {
  test(`${name}: names in order, shapes and values as PyTorch has them`, async (t) => {
    await using file = await openWeights(join(FOLDER, name));
    t.is(file.format, format);
    t.deepEqual(
      file.weights.map((weight) => weight.name),
      Object.keys(facts),
    );
    t.deepEqual(Object.fromEntries(await readAllWeights(file.weights)), asExpected(facts));
  });
}

/** Opens a file with this content and reads all that it has. */
async function openBytes(
  t: ExecutionContext,
  bytes: Uint8Array,
): Promise<ReadonlyMap<string, WeightData>> {
  const path = join(await temporaryFolder(t), 'a.pth');
  await writeFile(path, bytes);
  await using file = await openWeights(path);
  return await readAllWeights(file.weights);
}

const values = Buffer.from(Float32Array.of(1, 2, 3, 4).buffer);
const tensor = tensorOps({ numValues: 4, shape: [2, 2], strides: [2, 1] });
const good = makeCheckpoint(modelPickle({ w: tensor }), { 0: values });

test('a checkpoint by hand is read, also with ZIP64 sizes, a comment and no checksums', async (t) => {
  const read = { w: { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) } };
  const files = [
    { name: 'x/data.pkl', bytes: modelPickle({ w: tensor }), crc: 0 },
    { name: 'x/data/0', bytes: values, crc: 0 },
  ];
  const commented = Buffer.concat([makeZip(files), Buffer.from('hello')]);
  commented.writeUInt16LE(5, commented.length - 7);
  for (const bytes of [good, makeZip(files), makeZip(files, { large: true }), commented]) {
    t.deepEqual(Object.fromEntries(await openBytes(t, bytes)), read);
  }
});

/** Pickles that Python would run, and the name of what would run. */
const MALICIOUS: Readonly<Record<string, readonly [pickle: Buffer, global: string]>> = {
  'os.system': [pickleOf(globalOp('os', 'system'), textOp('id'), ops('\x85R')), 'os.system'],
  'posix.system by protocol 4': [
    pickleOf(textOp('posix'), textOp('system'), ops('\x93'), textOp('id'), ops('\x85R')),
    'posix.system',
  ],
  eval: [pickleOf(globalOp('builtins', 'eval'), textOp('1'), ops('\x85R')), 'builtins.eval'],
  exec: [pickleOf(globalOp('__builtin__', 'exec'), textOp('1'), ops('\x85R')), '__builtin__.exec'],
  getattr: [pickleOf(globalOp('builtins', 'getattr'), ops('N.')), 'builtins.getattr'],
  'a name that is mentioned and not called': [
    pickleOf(globalOp('subprocess', 'Popen'), ops('0}')),
    'subprocess.Popen',
  ],
  'a module that is a path': [
    pickleOf(globalOp('torch._utils', '_rebuild_tensor_v2.__globals__')),
    'torch._utils._rebuild_tensor_v2.__globals__',
  ],
  'a storage made of a pickle': [
    pickleOf(globalOp('torch.storage', '_load_from_bytes')),
    'torch.storage._load_from_bytes',
  ],
  'among the options of a run': [
    pickleOf(
      ops('}'),
      textOp('model'),
      ops('}'),
      textOp('w'),
      tensor,
      ops('ss'),
      textOp('args'),
      globalOp('runpy', '_run_code'),
      ops(')R'),
      ops('s'),
    ),
    'runpy._run_code',
  ],
  'an instance of an old class': [
    pickleOf(ops('(('), textOp('id'), ops('ios\nsystem\n')),
    'os.system',
  ],
  'a name that plays with the terminal': [
    pickleOf(globalOp('\u001b[2Jos', 'system')),
    '\ufffd[2Jos.system',
  ],
};

for (const [what, [pickle, global]] of Object.entries(MALICIOUS)) {
  test(`refused by name: ${what}`, async (t) => {
    const error = await t.throwsAsync(openBytes(t, makeCheckpoint(pickle)));
    t.like(error, { code: 'TUBE_WEIGHTS_UNSAFE', details: { global } });
  });

  test(`refused by name in the old format: ${what}`, async (t) => {
    const head = Buffer.concat([
      Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex'),
      pickleOf(intOp(1001)),
      pickleOf(ops('}')),
    ]);
    const error = await t.throwsAsync(openBytes(t, Buffer.concat([head, pickle])));
    t.like(error, { code: 'TUBE_WEIGHTS_UNSAFE', details: { global } });
  });
}

const namespace = Buffer.concat([
  globalOp('argparse', 'Namespace'),
  ops(')\x81}'),
  textOp('lr'),
  intOp(1),
  ops('sb'),
]);

test('options of a run do no harm and are left out', async (t) => {
  const pickle = pickleOf(
    ops('}('),
    textOp('args'),
    namespace,
    textOp('model'),
    ops('}'),
    textOp('w'),
    tensor,
    ops('s'),
    textOp('scalar'),
    globalOp('numpy.core.multiarray', 'scalar'),
    globalOp('numpy', 'dtype'),
    textOp('f8'),
    ops('\x85R'),
    textOp('bytes'),
    ops('\x86R'),
    ops('u'),
  );
  t.deepEqual(Array.from((await openBytes(t, makeCheckpoint(pickle, { 0: values }))).keys()), [
    'w',
  ]);
});

/** Each tuple holds the one before four times: 4^40 values, if anyone looked at them all. */
const tower = Buffer.concat(
  Array.from({ length: 40 }, (_, i) =>
    Buffer.from([0x28, 0x68, i, 0x68, i, 0x68, i, 0x68, i, 0x74, 0x71, i + 1]),
  ),
);

/** Pickles that are wrong or want too much; all with the four values of `good`. */
const DAMAGED: Readonly<Record<string, Buffer>> = {
  'nothing in it': Buffer.alloc(0),
  'no end': ops('\x80\x02}'),
  'an empty stack': pickleOf(ops('0')),
  'an end without a value': pickleOf(),
  'no mark': pickleOf(ops('t')),
  'a memo that was never filled': pickleOf(ops('h\x07')),
  'a text longer than the file': pickleOf(ops('X\xff\xff\xff\x7fabc')),
  'a text of 2^63 bytes': pickleOf(ops('\x8d\0\0\0\0\0\0\0\x80')),
  'an integer of 2^31 bytes': pickleOf(ops('\x8b\xff\xff\xff\x7f')),
  'a name without an end': ops('\x80\x02cos'),
  'a key without a value': pickleOf(ops('}('), textOp('a'), ops('u')),
  'items of a number': pickleOf(intOp(1), textOp('a'), textOp('b'), ops('s')),
  'appending to a tuple': pickleOf(ops(')'), textOp('a'), ops('a')),
  'a call of a text': pickleOf(textOp('os.system'), ops(')R')),
  'state of a list': pickleOf(ops(']}b')),
  'no dictionary': pickleOf(ops(']')),
  'no tensors': pickleOf(ops('}'), textOp('epoch'), intOp(1), ops('s')),
  'a persistent id of a file': pickleOf(ops('('), textOp('file'), textOp('/etc/passwd'), ops('tQ')),
  'a parameter without a tensor': pickleOf(
    globalOp('torch._utils', '_rebuild_parameter'),
    ops(')R'),
  ),
  'a shape beyond its storage': modelPickle({
    w: tensorOps({ numValues: 4, shape: [5], strides: [1] }),
  }),
  'an offset beyond its storage': modelPickle({
    w: tensorOps({ numValues: 4, offset: 3, shape: [2], strides: [1] }),
  }),
  'strides beyond its storage': modelPickle({
    w: tensorOps({ numValues: 4, shape: [2], strides: [4] }),
  }),
  'a negative offset': modelPickle({
    w: tensorOps({ numValues: 4, offset: -1, shape: [1], strides: [1] }),
  }),
  'negative strides': modelPickle({
    w: tensorOps({ numValues: 4, offset: 3, shape: [2], strides: [-1] }),
  }),
  'a negative shape': modelPickle({ w: tensorOps({ numValues: 4, shape: [-1], strides: [1] }) }),
  'one value spread over a gigabyte': modelPickle({
    w: tensorOps({ numValues: 4, shape: [2 ** 30], strides: [0] }),
  }),
  'sizes that overflow': modelPickle({
    w: tensorOps({
      numValues: 4,
      shape: [...Array.from({ length: 40 }, () => 2 ** 30), 0],
      strides: Array.from({ length: 41 }, () => 0),
    }),
  }),
  'more strides than axes': modelPickle({
    w: tensorOps({ numValues: 4, shape: [2], strides: [1, 1] }),
  }),
  'a thousand axes': modelPickle({
    w: tensorOps({
      numValues: 4,
      shape: Array.from({ length: 1000 }, () => 1),
      strides: Array.from({ length: 1000 }, () => 0),
    }),
  }),
  'a storage that the archive does not have': modelPickle({
    w: tensorOps({ key: '1', numValues: 4, shape: [4], strides: [1] }),
  }),
  'a storage outside the archive': modelPickle({
    w: tensorOps({ key: '../../0', numValues: 4, shape: [4], strides: [1] }),
  }),
  'a storage larger than its file': modelPickle({
    w: tensorOps({ numValues: 5, shape: [4], strides: [1] }),
  }),
  'a dictionary that is copied again and again': pickleOf(
    globalOp('collections', 'OrderedDict'),
    ops('q\0}('),
    ...Array.from({ length: 4000 }, (_, i) => Buffer.concat([intOp(i), ops('N')])),
    ops('uq\x01'),
    ...Array.from({ length: 4000 }, () => ops('h\0h\x01\x85R0')),
  ),
  'a tower of tuples': pickleOf(ops('(NNNNtq\0'), tower),
  'more operations than any checkpoint': pickleOf(Buffer.alloc(2 ** 22, 'N')),
};

for (const [what, pickle] of Object.entries(DAMAGED)) {
  test(`a pickle with ${what} is refused`, async (t) => {
    const bytes = makeCheckpoint(pickle, { 0: values });
    await t.throwsAsync(openBytes(t, bytes), { code: 'TUBE_WEIGHTS_DAMAGED' });
  });
}

test('tensors may share a storage, but not many times over', async (t) => {
  const whole = tensorOps({ numValues: 1000, shape: [1000], strides: [1] });
  const share = (count: number): Buffer =>
    makeCheckpoint(
      modelPickle(Object.fromEntries(Array.from({ length: count }, (_, i) => [`w${i}`, whole]))),
      { 0: Buffer.alloc(4000) },
    );
  t.is((await openBytes(t, share(3))).size, 3);
  await t.throwsAsync(openBytes(t, share(30)), { code: 'TUBE_WEIGHTS_DAMAGED' });
});

for (const [what, bytes] of Object.entries({
  'a sparse tensor': makeCheckpoint(pickleOf(globalOp('torch._utils', '_rebuild_sparse_tensor'))),
  'complex values': makeCheckpoint(pickleOf(globalOp('torch', 'ComplexFloatStorage'))),
  'an operation of protocol 0': makeCheckpoint(pickleOf(ops("S'a'\n"))),
  'an extension code': makeCheckpoint(pickleOf(ops('\x82\x01'))),
  'a pickle without an archive': pickleOf(ops('}')),
  'a tar archive': Buffer.concat([Buffer.alloc(257, 'x'), Buffer.from('ustar'), Buffer.alloc(300)]),
  TorchScript: makeZip([
    { name: 'a/data.pkl', bytes: pickleOf(ops('}')) },
    { name: 'a/constants.pkl', bytes: pickleOf(ops('}')) },
  ]),
  'big-endian values': makeZip([
    { name: 'a/data.pkl', bytes: modelPickle({ w: tensor }) },
    { name: 'a/byteorder', bytes: Buffer.from('big') },
    { name: 'a/data/0', bytes: values },
  ]),
  'compressed files': makeZip([{ name: 'a/data.pkl', bytes: pickleOf(ops('}')), method: 8 }]),
})) {
  test(`${what}: said to be not supported`, async (t) => {
    await t.throwsAsync(openBytes(t, bytes), { code: 'TUBE_WEIGHTS_UNSUPPORTED' });
  });
}

const pickleFile = { name: 'a/data.pkl', bytes: modelPickle({ w: tensor }) };
const storageFile = { name: 'a/data/0', bytes: values };

for (const [what, bytes] of Object.entries({
  'a file twice': makeZip([pickleFile, storageFile, storageFile]),
  'no pickle': makeZip([storageFile]),
  'two pickles': makeZip([pickleFile, { ...pickleFile, name: 'b/data.pkl' }, storageFile]),
  'a wrong checksum of the pickle': makeZip([{ ...pickleFile, crc: 1 }, storageFile]),
  'a wrong checksum of values': makeZip([pickleFile, { ...storageFile, crc: 1 }]),
  'no end': good.subarray(0, -1),
  'bytes after the end': Buffer.concat([good, Buffer.alloc(3)]),
  'its first half': good.subarray(0, good.length / 2),
  'only a beginning': good.subarray(0, 4),
})) {
  test(`an archive with ${what} is refused`, async (t) => {
    await t.throwsAsync(openBytes(t, bytes), { code: 'TUBE_WEIGHTS_DAMAGED' });
  });
}

test('an archive whose files overlap is refused', async (t) => {
  const bytes = makeZip([pickleFile, storageFile, { ...storageFile, name: 'a/data/1' }]);
  // The directory says that the last file has as many bytes as the archive.
  const at = bytes.lastIndexOf(Buffer.from('504b0102', 'hex'));
  for (const field of [20, 24]) bytes.writeUInt32LE(bytes.length - 100, at + field);
  await t.throwsAsync(openBytes(t, bytes), { code: 'TUBE_WEIGHTS_DAMAGED' });
});

const PYTHON = `
import collections, json, sys, torch
torch.manual_seed(int(sys.argv[2]))
state = collections.OrderedDict()
for i in range(20):
    shape = torch.randint(0, 5, (int(torch.randint(0, 5, ())),)).tolist()
    tensor = torch.randn(shape).to([torch.float32, torch.float16, torch.bfloat16, torch.float64][i % 4])
    if i % 3 == 0 and tensor.dim() > 1:
        tensor = tensor.transpose(0, -1)
    if i % 5 == 0 and tensor.dim() > 0:
        tensor = tensor[1:]
    state[f'w{i}'] = tensor
torch.save({'model': state, 'rng': torch.get_rng_state(), 'none': {None}}, sys.argv[1],
           _use_new_zipfile_serialization=sys.argv[3] == 'new', pickle_protocol=int(sys.argv[4]))
print(json.dumps({k: [list(v.shape), v.float().flatten().tolist()] for k, v in state.items()}))
`;
for (const [format, protocol] of [
  ['new', '2'],
  ['old', '2'],
  ['new', '4'],
  ['old', '4'],
] as const) {
  testWithPython(
    `what PyTorch saves on the spot in the ${format} format, protocol ${protocol}, is read`,
    ['torch'],
    async (t) => {
      const path = join(await temporaryFolder(t), 'a.pth');
      const { stdout, stderr } = await runPython(['-c', PYTHON, path, '7', format, protocol]);
      t.not(stdout, '', stderr);
      const facts = JSON.parse(stdout) as Record<string, [number[], number[]]>;
      await using file = await openWeights(path);
      const read = await readAllWeights(file.weights);
      t.deepEqual(
        Object.fromEntries(read),
        Object.fromEntries(
          Object.entries(facts).map(([name, [shape, numbers]]) => [
            name,
            { shape, data: Float32Array.from(numbers) },
          ]),
        ),
      );
    },
  );
}
