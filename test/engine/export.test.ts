/** Exported files: read back here byte by byte and by ONNX Runtime, and by Python's tools where they are. */

import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import * as tf from '@tensorflow/tfjs';
import runtime from 'onnxruntime-node';
import { compile } from '../../lib/index.ts';
import type { Program, TubeletError } from '../../lib/index.ts';
import { encodeMessage, joinBytes } from '../../lib/engine/onnx/protobuf.ts';
import { createRandom, floats } from '../helpers/compare-engines.ts';

let folder = '';
test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tubelet-export-'));
});
test.after.always(() => rm(folder, { recursive: true, force: true }));

const random = createRandom(5);
const WEIGHTS = {
  first: floats([12, 64], random).data,
  second: floats([64, 40], random).data,
};
const INPUT = floats([2, 3, 12], random).data;

/** A network with a product of each kind, that also counts its runs. */
function openNetwork(): Promise<Program> {
  return compile(
    ({ x }, { first, second, runs }) => {
      const hidden = tf.relu(tf.matMul(x!.reshape([6, 12]), first!)); // [6, 64]
      const y = tf.softmax(tf.matMul(hidden, second!)).reshape([2, 3, 40]);
      const likeness = tf.matMul(y, y, false, true); // [2, 3, 3]
      return { y, likeness, best: tf.argMax(y, -1), runs: runs!.add(1) };
    },
    { inputs: { x: [2, 3, 12] }, state: { first: [12, 64], second: [64, 40], runs: [] } },
  );
}

test.serial('a file gives what the program gives, with states as constants', async (t) => {
  await using network = await openNetwork();
  network.setState(WEIGHTS);
  const file = join(folder, 'network.onnx');
  const report = await network.exportOnnx(file);
  t.is(report.dataFile, null);
  t.is(report.bytes, (await readFile(file)).length);
  const session = await runtime.InferenceSession.create(file);
  t.deepEqual([session.inputNames, session.outputNames], [['x'], ['y', 'likeness', 'best']]);
  const got = await session.run({
    x: new runtime.Tensor('float32', INPUT as Float32Array, [2, 3, 12]),
  });
  const wanted = await network.run({ x: INPUT });
  for (const [name, values] of Object.entries(wanted)) {
    const tensor = got[name]!;
    for (const [at, value] of values.entries()) {
      t.true(Math.abs(Number(tensor.data[at]) - value) <= 1e-6, `${name}[${at}]`);
    }
  }
  await session.release();
});

test.serial('large constants stand in a file beside it, at aligned places', async (t) => {
  await using network = await openNetwork();
  network.setState(WEIGHTS);
  const file = join(folder, 'split.onnx');
  const report = await network.exportOnnx(file, { maxInlineBytes: 4096 });
  t.is(report.dataFile, `${file}.data`);
  const data = await readFile(`${file}.data`);
  const second = new Float32Array(data.buffer, data.byteOffset, data.length / 4);
  t.is(data.length % 4, 0);
  const all = [...second];
  t.is(all.indexOf(WEIGHTS.second[0]!) % 1024, 0);
  const session = await runtime.InferenceSession.create(file);
  const got = await session.run({
    x: new runtime.Tensor('float32', INPUT as Float32Array, [2, 3, 12]),
  });
  const { y } = await network.run({ x: INPUT });
  t.true(y!.every((value, at) => Math.abs(value - Number(got['y']!.data[at])) <= 1e-6));
  await session.release();
  t.false((await readdir(folder)).some((name) => name.endsWith('.tmp')));
});

test.serial('a folder that is not there is TUBE_OUT_NOT_WRITABLE', async (t) => {
  await using network = await openNetwork();
  const writing = network.exportOnnx(join(folder, 'missing', 'x.onnx'));
  t.is((await t.throwsAsync<TubeletError>(writing)).code, 'TUBE_OUT_NOT_WRITABLE');
  await t.throwsAsync(network.exportOnnx(join(folder, 'x.onnx'), { maxInlineBytes: -1 }), {
    instanceOf: RangeError,
  });
});

test('messages are encoded as the protobuf guide has it', (t) => {
  const schema = {
    a: { number: 1, type: 'varint' },
    b: { number: 2, type: 'string' },
    c: {
      number: 3,
      type: 'message',
      schema: () => ({ a: { number: 1, type: 'varint' as const } }),
    },
    f: { number: 4, type: 'float' },
    many: { number: 16, type: 'varint', isRepeated: true },
  } as const;
  const bytes = (message: Parameters<typeof encodeMessage>[0]): string =>
    Buffer.from(joinBytes(encodeMessage(message, schema))).toString('hex');
  t.is(bytes({ a: 150 }), '089601');
  t.is(bytes({ b: 'testing' }), '120774657374696e67');
  t.is(bytes({ c: { a: 150 } }), '1a03089601');
  t.is(bytes({ f: 1 }), '250000803f');
  t.is(bytes({ a: -1 }), '08ffffffffffffffffff01');
  t.is(bytes({ many: [3, 270, 86_942] }), '820106038e029ea705');
  t.is(bytes({ many: [], b: undefined }), '');
  t.is(bytes({ a: 0 }), '0800');
  const names = Array.from({ length: 300_000 }, () => 'n');
  const strings = { b: { number: 2, type: 'string', isRepeated: true } } as const;
  t.is(joinBytes(encodeMessage({ b: names }, strings)).length, 900_000);
  t.throws(() => bytes({ other: 1 }), { instanceOf: TypeError });
});

const PYTHON = process.env['TUBELET_PYTHON'] ?? 'python3';
const hasPython = spawnSync(PYTHON, ['-c', 'import onnx, onnxruntime']).status === 0;
const withPython = hasPython ? test.serial : test.skip;

withPython(
  `Python’s checker and ONNX Runtime accept the file (needs ${PYTHON} with onnx and onnxruntime)`,
  async (t) => {
    await using network = await openNetwork();
    network.setState(WEIGHTS);
    const { y } = await network.run({ x: INPUT });
    const script = `
import json, sys, onnx, onnxruntime, numpy
for file in sys.argv[1:]:
    onnx.checker.check_model(file, full_check=True)
    session = onnxruntime.InferenceSession(file, providers=['CPUExecutionProvider'])
    x = numpy.array(json.load(sys.stdin) if file == sys.argv[1] else x, dtype=numpy.float32).reshape(2, 3, 12)
    print(json.dumps(session.run(['y'], {'x': x})[0].ravel().tolist()))
`;
    const files = [join(folder, 'whole.onnx'), join(folder, 'parts.onnx')];
    await network.exportOnnx(files[0]!);
    await network.exportOnnx(files[1]!, { maxInlineBytes: 0 });
    const child = promisify(execFile)(PYTHON, ['-c', script, ...files]);
    child.child.stdin!.end(JSON.stringify([...INPUT]));
    const lines = (await child).stdout.trim().split('\n');
    t.is(lines.length, 2);
    for (const line of lines) {
      const got = JSON.parse(line) as number[];
      t.true(y!.every((value, at) => Math.abs(value - got[at]!) <= 1e-6));
    }
  },
);
