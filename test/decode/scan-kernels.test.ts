import test from 'ava';
import { createRng } from '../../lib/core/index.ts';
import { createPixelMachine } from '../../lib/decode/pixel-machine.ts';
import { TRANSFORM_CONSTANTS } from '../../lib/decode/transform-kernel.ts';
import { plainTransform } from '../helpers/plain-transform.ts';

test('a block is transformed as by libjpeg, to the bit', (t) => {
  const machine = createPixelMachine();
  const rng = createRng(1, 'blocks');
  const coefficients = machine.reserve(144);
  const quantiser = machine.reserve(128);
  const constants = machine.place(new Uint8Array(TRANSFORM_CONSTANTS.buffer));
  const stride = 24;
  const out = machine.reserve(stride * 9);
  for (let round = 0; round < 3000; round++) {
    const numValues = [1, 3, 10, 64][round % 4]!;
    const most = [20, 200, 1000][round % 3]!;
    const steps = Int16Array.from({ length: 64 }, () => rng.integer(1, round % 5 === 0 ? 2 : 12));
    const values = new Int16Array(64);
    for (let i = 0; i < numValues; i++) {
      const place = i === 0 ? 0 : rng.integer(0, 64);
      values[place] = Math.round((rng.integer(0, 2 * most + 1) - most) / steps[place]!);
    }
    machine.bytes.set(new Uint8Array(values.buffer), coefficients);
    machine.bytes.set(new Uint8Array(steps.buffer), quantiser);
    const expected = plainTransform(values.map((value, i) => value * steps[i]!));
    const loops =
      numValues === 1 ? (['transform', 'fillBlock'] as const) : (['transform'] as const);
    for (const loop of loops) {
      machine.bytes.fill(7, out, out + stride * 9);
      machine.run(loop, { coefficients, quantiser, constants, out, stride });
      const rows = Array.from({ length: 8 }, (_, row) => {
        const start = out + row * stride;
        return [...machine.bytes.subarray(start, start + 8)];
      });
      t.deepEqual(rows.flat(), expected, `${loop}, round ${round}`);
      for (let row = 0; row < 9; row++) {
        const start = out + row * stride + (row === 8 ? 0 : 16);
        const beside = machine.bytes.subarray(start, start + 8);
        t.true(beside.every((value) => value === 7));
      }
    }
  }
});

test('coded data are copied backwards without stuffing, and not beyond a marker', (t) => {
  const machine = createPixelMachine();
  const rng = createRng(2, 'stuffing');
  for (let round = 0; round < 400; round++) {
    const data = Array.from({ length: rng.integer(0, 90) }, () =>
      rng.integer(0, 12) === 0 ? 255 : rng.integer(0, 256),
    );
    const stuffed = data.flatMap((value) => (value === 255 ? [255, 0] : [value]));
    const from = machine.place(Uint8Array.of(...stuffed, 255, 0xd9, 1, 2, 3));
    const out = machine.reserve(200) + 150;
    const numBytes = machine.run('unstuff', { from, end: from + stuffed.length, out });
    t.is(numBytes, data.length);
    const copied = machine.bytes.slice(out - numBytes + 1, out + 1).reverse();
    t.deepEqual([...copied], data);
    const at = rng.integer(0, data.length + 1);
    const broken = data.slice(0, at).flatMap((value) => (value === 255 ? [255, 0] : [value]));
    broken.push(255, 0xd0, ...data.slice(at).filter((value) => value !== 255));
    const second = machine.place(Uint8Array.of(...broken, 255, 0xd9));
    t.is(machine.run('unstuff', { from: second, end: second + broken.length, out }), -1);
    machine.release(from);
  }
});
