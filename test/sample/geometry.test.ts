import test from 'ava';
import { centerCrop, checkCrop, shortSideSize, viewCrops } from '../../lib/sample/index.ts';
import { readGoldenJson } from '../helpers/safetensors.ts';

interface SpatialRow {
  readonly height: number;
  readonly width: number;
  readonly short_side: number;
  readonly resized_height: number;
  readonly resized_width: number;
  readonly spatial_offsets: number[];
  readonly axis: 'x' | 'y';
}

test('every spatial row of golden h1 is met exactly', async (t) => {
  const { spatial } = (await readGoldenJson('h1_multi_view_geometry.json')) as {
    spatial: SpatialRow[];
  };
  t.is(spatial.length, 18);
  for (const row of spatial) {
    const { width, height } = shortSideSize(row.width, row.height, row.short_side);
    t.deepEqual([width, height], [row.resized_width, row.resized_height]);
    const crops = viewCrops(width, height, 3);
    const along = row.axis === 'x' ? ('left' as const) : ('top' as const);
    t.deepEqual(
      crops.map((crop) => crop[along]),
      row.spatial_offsets,
    );
    const center = centerCrop(width, height, row.short_side);
    t.true(Math.abs(center[along] - row.spatial_offsets[1]!) <= 1);
    t.is(center.left + center.top, center[along]);
    t.notThrows(() => crops.forEach((crop) => checkCrop(crop, width, height)));
  }
});

test('the short side gets its length, the long side is rounded down', (t) => {
  t.deepEqual(shortSideSize(1920, 1080, 320), { width: 568, height: 320 });
  t.deepEqual(shortSideSize(1080, 1920, 320), { width: 320, height: 568 });
  t.deepEqual(shortSideSize(392, 427, 224), { width: 224, height: 244 });
  t.deepEqual(shortSideSize(64, 48, 96), { width: 128, height: 96 });
  t.deepEqual(shortSideSize(641, 359, 0), { width: 641, height: 359 });
  t.deepEqual(shortSideSize(100, 100, 1), { width: 1, height: 1 });
});

test('the middle is rounded to even', (t) => {
  const offsets = [224, 225, 226, 227, 229, 231].map((width) => centerCrop(width, 224, 224).left);
  t.deepEqual(offsets, [0, 0, 1, 2, 2, 4]);
  t.deepEqual(centerCrop(341, 256, 224), { left: 58, top: 16, width: 224, height: 224 });
});

test('one view is in the middle', (t) => {
  t.deepEqual(viewCrops(7, 4, 1), [{ left: 1, top: 0, width: 4, height: 4 }]);
});

test('what does not fit is refused', (t) => {
  const range = { instanceOf: RangeError };
  t.throws(() => shortSideSize(0, 5, 3), range);
  t.throws(() => shortSideSize(5, 5, -1), range);
  t.throws(() => centerCrop(300, 200, 224), range);
  t.throws(() => viewCrops(5, 5, 0), range);
  for (const crop of [
    { left: -1, top: 0, width: 2, height: 2 },
    { left: 0, top: 5, width: 2, height: 2 },
    { left: 4, top: 0, width: 3, height: 2 },
    { left: 0, top: 4, width: 2, height: 2 },
    { left: 0, top: 0, width: 0, height: 2 },
    { left: 0.5, top: 0, width: 2, height: 2 },
  ]) {
    t.throws(() => checkCrop(crop, 6, 5), range);
  }
});
