/** A function with more than 2 GB of weights, more than a protocol buffer may hold, exported and run from its file. */

import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import * as tf from '@tensorflow/tfjs';
import runtime from 'onnxruntime-node';
import { compile } from '../../lib/index.ts';

const slowTest = process.env['TUBELET_SLOW_TESTS'] === '1' ? test.serial : test.serial.skip;

const ROWS = 16_384;
const COLUMNS = 17_000;

slowTest('an export of 2.2 GB stands in two files and gives what the program gives', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'tubelet-large-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'large.onnx');
  const shape = [ROWS, COLUMNS];
  await using program = await compile(
    ({ x }, { a, b }) => ({
      y: tf.sub(tf.matMul(x as tf.Tensor2D, a as tf.Tensor2D), tf.matMul(x!, b!)),
    }),
    { inputs: { x: [1, ROWS] }, state: { a: shape, b: shape } },
  );
  for (const [name, factor] of [
    ['a', 3],
    ['b', 1],
  ] as const) {
    const data = new Float32Array(ROWS * COLUMNS);
    for (const row of [0, ROWS - 1]) {
      for (let column = 0; column < COLUMNS; column += 1) {
        data[row * COLUMNS + column] = factor * (row + column);
      }
    }
    program.setState({ [name]: data });
  }
  const report = await program.exportOnnx(file);
  t.is(report.dataFile, `${file}.data`);
  t.is((await stat(`${file}.data`)).size, 2 * ROWS * COLUMNS * 4);
  t.true((await stat(file)).size < 10_000);
  const x = new Float32Array(ROWS);
  x[0] = 1;
  x[ROWS - 1] = -1;
  // 2 (0 + column) - 2 (last row + column)
  const expected = new Float32Array(COLUMNS).fill(-2 * (ROWS - 1));
  t.deepEqual((await program.run({ x }))['y'], expected);
  await program.dispose();
  const session = await runtime.InferenceSession.create(file);
  const { y } = await session.run({ x: new runtime.Tensor('float32', x, [1, ROWS]) });
  t.deepEqual(y!.data, expected);
  await session.release();
});
