import test from 'ava';
import { planCut } from '../../lib/decode/picture-cut.ts';
import { PictureScaler, WIDE_PIXEL_BYTES } from '../../lib/decode/picture-scaler.ts';
import { createPixelMachine } from '../../lib/decode/pixel-machine.ts';
import { ROWS_AT_A_TIME } from '../../lib/decode/scale-kernels.ts';
import { largestDifference } from '../helpers/plain-pixels.ts';
import { readGoldenJson, readGoldenTensor } from '../helpers/safetensors.ts';

/** Scales uint8 `[height, width, 3]` as the decoder does. */
function scale(
  pixels: Uint8Array,
  [height, width]: readonly number[],
  [toHeight, toWidth]: readonly number[],
): Uint8Array {
  const machine = createPixelMachine();
  const size = { width: toWidth!, height: toHeight! };
  const plan = planCut({ size }, { width: width!, height: height! });
  const scaler = new PictureScaler(machine, plan, plan.scaling!);
  const source = machine.reserve(width! * (height! + ROWS_AT_A_TIME) * WIDE_PIXEL_BYTES);
  for (let i = 0; i < width! * height!; i++) {
    machine.bytes.set(pixels.subarray(i * 3, i * 3 + 3), source + i * WIDE_PIXEL_BYTES);
  }
  const out = machine.reserve(size.width * size.height * 3);
  scaler.scale(source, out);
  return machine.bytes.slice(out, out + size.width * size.height * 3);
}

test('pictures are scaled to the bytes of Pillow', async (t) => {
  const golden = (await readGoldenJson('k2_resize.json')) as { readonly rows: readonly unknown[] };
  let numScaled = 0;
  for (const row of golden.rows.keys()) {
    const input = await readGoldenTensor('k2_resize.safetensors', `in_${row}`);
    const expected = await readGoldenTensor('k2_resize.safetensors', `pil_bilinear_${row}`);
    if (input.shape.join() === expected.shape.join()) continue;
    const scaled = scale(input.data as Uint8Array, input.shape, expected.shape);
    t.is(largestDifference(scaled, expected.data as Uint8Array), 0, `row ${row}`);
    numScaled++;
  }
  t.true(numScaled >= 3);
});
