import test from 'ava';
import { createRng } from '../../lib/core/index.ts';
import {
  checkCrop,
  drawErasing,
  drawMultiScaleCrop,
  drawResizedCrop,
} from '../../lib/sample/index.ts';
import type { Crop } from '../../lib/sample/index.ts';
import { roundHalfToEven } from '../../lib/sample/random-box.ts';
import { readGoldenJson } from '../helpers/safetensors.ts';
import { scriptRng } from '../helpers/scripted-rng.ts';

interface MultiScaleRow {
  readonly width: number;
  readonly height: number;
  readonly input_size: number;
  readonly crop_pairs: { readonly crop: number[]; readonly offsets: number[][] }[];
}

interface ResizedRow {
  readonly width: number;
  readonly height: number;
  readonly u: number[];
  readonly top: number;
  readonly left: number;
  readonly crop_height: number;
  readonly crop_width: number;
}

interface ErasingRow {
  readonly width: number;
  readonly height: number;
  readonly u: number[];
  readonly top_left_height_width: number[] | null;
}

const asRow = ({ left, top, width, height }: Crop): number[] => [left, top, width, height];

test('every pair and offset of golden h2 is met exactly', async (t) => {
  const { rows } = (await readGoldenJson('h2_multi_scale_crop.json')) as { rows: MultiScaleRow[] };
  t.is(rows.length, 12);
  for (const row of rows) {
    t.is(row.crop_pairs.length, 10);
    for (const [pair, { crop, offsets }] of row.crop_pairs.entries()) {
      const drawn = offsets.map((_, place) => {
        const rng = scriptRng([(pair + 0.5) / 10, (place + 0.5) / 13]);
        return asRow(drawMultiScaleCrop(row, row.input_size, rng));
      });
      t.deepEqual(
        drawn,
        offsets.map((offset) => offset.concat(crop)),
      );
    }
  }
});

test('every row of golden h3 is met exactly', async (t) => {
  const { rows } = (await readGoldenJson('h3_random_resized_crop.json')) as { rows: ResizedRow[] };
  t.is(rows.length, 20);
  for (const row of rows) {
    const rng = scriptRng(row.u);
    const expected = [row.left, row.top, row.crop_width, row.crop_height];
    t.deepEqual(asRow(drawResizedCrop(row, rng)), expected);
    t.is(rng.left(), 0);
  }
});

test('every row of golden k3 is met exactly', async (t) => {
  const { rows } = (await readGoldenJson('k3_random_erasing.json')) as { rows: ErasingRow[] };
  t.is(rows.length, 12);
  for (const row of rows) {
    const rng = scriptRng(row.u);
    const box = drawErasing(row, rng);
    const found = box && [box.top, box.left, box.height, box.width];
    t.deepEqual(found, row.top_left_height_width ?? undefined);
    t.is(rng.left(), 0);
  }
});

test('property: crops lie inside frames of any size, and a seed gives the same ones', (t) => {
  const choices = [createRng(1, 'crops'), createRng(1, 'crops')].map((rng) =>
    Array.from({ length: 5000 }, () => {
      const frame = { width: rng.integer(1, 500), height: rng.integer(1, 500) };
      const size = rng.integer(1, 300);
      const crops = [drawMultiScaleCrop(frame, size, rng), drawResizedCrop(frame, rng)];
      const box = drawErasing(frame, rng, 1);
      for (const crop of box ? [...crops, box] : crops) checkCrop(crop, frame.width, frame.height);
      return { frame, crops, box };
    }),
  );
  t.deepEqual(choices[0], choices[1]);
  const bounded = choices[0]!.filter(({ frame }) => Math.min(frame.width, frame.height) > 50);
  for (const { frame, crops, box } of bounded) {
    const [, resized] = crops;
    const area = (resized!.width * resized!.height) / (frame.width * frame.height);
    if (frame.width / frame.height < 2 && frame.height / frame.width < 2) t.true(area > 0.07);
    const aspect = resized!.width / resized!.height;
    t.true(aspect > 0.7 && aspect < 1.42);
    const erased = (box!.width * box!.height) / (frame.width * frame.height);
    t.true(erased > 0.01 && erased < 0.35);
  }
});

test('a crop of nearly the output size does not leave a frame that is smaller', (t) => {
  const crop = drawMultiScaleCrop({ width: 222, height: 300 }, 224, scriptRng([0, 0]));
  t.deepEqual(asRow(crop), [0, 0, 222, 222]);
});

test('erasing comes about as often as asked', (t) => {
  const rng = createRng(3, 'erasing');
  const boxes = Array.from({ length: 8000 }, () => drawErasing({ width: 64, height: 64 }, rng));
  const rate = boxes.filter((box) => box !== undefined).length / boxes.length;
  t.true(Math.abs(rate - 0.25) < 0.02); // four standard errors
  t.is(drawErasing({ width: 64, height: 64 }, rng, 0), undefined);
});

test('halves are rounded to even', (t) => {
  const values = [0.5, 1.5, 2.5, 2.4, 2.6, 0.49999999999999994, 3.5];
  t.deepEqual(values.map(roundHalfToEven), [0, 2, 2, 2, 3, 0, 4]);
});

test('wrong arguments are refused', (t) => {
  const range = { instanceOf: RangeError };
  const rng = createRng(0, 'wrong');
  const frame = { width: 5, height: 5 };
  t.throws(() => drawMultiScaleCrop({ width: 0, height: 5 }, 3, rng), range);
  t.throws(() => drawMultiScaleCrop(frame, 2.5, rng), range);
  t.throws(() => drawResizedCrop({ width: 5, height: -1 }, rng), range);
  t.throws(() => drawResizedCrop(frame, rng, { area: [0.5, 1.5], aspect: [1, 1] }), range);
  t.throws(() => drawResizedCrop(frame, rng, { area: [0.5, 1], aspect: [2, 1] }), range);
  t.throws(() => drawResizedCrop(frame, rng, { area: [0, 1], aspect: [1, 2] }), range);
  t.throws(() => drawErasing({ width: 5.5, height: 5 }, rng), range);
  t.throws(() => drawErasing(frame, rng, 1.1), range);
});
