import test from 'ava';
import { createRng } from '../../lib/core/index.ts';
import { MASK_KINDS, countMasked, drawMask, splitTokens } from '../../lib/sample/index.ts';
import type { TokenGrid } from '../../lib/sample/index.ts';
import { readGoldenJson } from '../helpers/safetensors.ts';

interface Row {
  readonly grid: [number, number, number];
  readonly ratio: number;
  readonly tube_masked_total: number;
  readonly tube_visible_total: number;
  readonly random_masked_total: number;
  readonly frame_masked_slots: number;
}

const countOnes = (mask: Uint8Array): number => mask.reduce((sum, value) => sum + value, 0);

test('golden h5: counts are met exactly', async (t) => {
  const { rows } = (await readGoldenJson('h5_mask_statistics.json')) as { rows: Row[] };
  t.is(rows.length, 14);
  const rng = createRng(1, 'counts');
  for (const { grid, ratio, ...row } of rows) {
    const expected = {
      tube: row.tube_masked_total,
      random: row.random_masked_total,
      frame: row.frame_masked_slots * grid[1] * grid[2],
    };
    for (const kind of MASK_KINDS) {
      t.is(countMasked(grid, { kind, ratio }), expected[kind]);
      const mask = drawMask(grid, { kind, ratio }, rng);
      t.is(countOnes(mask), expected[kind]);
      if (kind === 'tube') t.is(splitTokens(mask).visible.length, row.tube_visible_total);
    }
  }
});

test('property: any grid and ratio gives the exact count, the right pattern and a full split', (t) => {
  const rng = createRng(2, 'grids');
  for (let round = 0; round < 3000; round++) {
    const grid: TokenGrid = [rng.integer(1, 9), rng.integer(1, 9), rng.integer(1, 9)];
    const ratio = round % 10 === 0 ? rng.integer(0, 2) : rng.uniform();
    const kind = MASK_KINDS[rng.integer(0, 3)]!;
    const mask = drawMask(grid, { kind, ratio }, rng);
    const [slots, rows, columns] = grid;
    const places = rows * columns;
    const items = { tube: places, random: slots * places, frame: slots }[kind];
    const perItem = { tube: slots, random: 1, frame: places }[kind];
    t.is(mask.length, slots * places);
    t.is(countOnes(mask), Math.trunc(ratio * items) * perItem);
    const hasPattern = mask.every((value, token) => {
      if (kind === 'tube') return value === mask[token % places];
      return kind === 'random' || value === mask[token - (token % places)];
    });
    t.true(hasPattern && mask.every((value) => value === 0 || value === 1));
    const { visible, masked } = splitTokens(mask);
    t.true(visible.every((token, i) => mask[token] === 0 && (i === 0 || token > visible[i - 1]!)));
    t.true(masked.every((token, i) => mask[token] === 1 && (i === 0 || token > masked[i - 1]!)));
    t.is(visible.length + masked.length, mask.length);
  }
});

for (const kind of MASK_KINDS) {
  test(`${kind} masks hide every place equally often`, (t) => {
    const rng = createRng(3, 'frequency', kind);
    const grid: TokenGrid = [8, 14, 14];
    const numDraws = 400;
    const items = { tube: 196, random: 1568, frame: 8 }[kind];
    const expected = Math.trunc(0.9 * items) / items;
    const counts = new Float64Array(1568);
    for (let draw = 0; draw < numDraws; draw++) {
      const mask = drawMask(grid, { kind, ratio: 0.9 }, rng);
      for (const [token, value] of mask.entries()) counts[token]! += value / numDraws;
    }
    const bound = 4.5 * Math.sqrt((expected * (1 - expected)) / numDraws);
    t.true(counts.every((rate) => Math.abs(rate - expected) < bound));
  });
}

test('all small masks come up equally often', (t) => {
  const rng = createRng(4, 'all');
  const tally = new Map<string, number>();
  for (let draw = 0; draw < 6000; draw++) {
    const mask = drawMask([2, 2, 2], { kind: 'tube', ratio: 0.5 }, rng).join('');
    tally.set(mask, (tally.get(mask) ?? 0) + 1);
  }
  t.is(tally.size, 6);
  t.true([...tally.values()].every((count) => Math.abs(count - 1000) < 130));
});

test('a seed gives the same mask; wrong arguments are refused', (t) => {
  const options = { kind: 'tube', ratio: 0.9 } as const;
  const draw = (): Uint8Array => drawMask([8, 14, 14], options, createRng(5, 'mask', 'key'));
  t.deepEqual(draw(), draw());
  const range = { instanceOf: RangeError };
  const rng = createRng(0, 'wrong');
  t.throws(() => drawMask([8, 14, 14], { kind: 'tubes' as 'tube', ratio: 0.9 }, rng), range);
  t.throws(() => drawMask([8, 14, 14], { kind: 'tube', ratio: 1.01 }, rng), range);
  t.throws(() => countMasked([8, 14, 14], { kind: 'tube', ratio: Number.NaN }), range);
  t.throws(() => drawMask([8, 0, 14], options, rng), range);
  t.throws(() => countMasked([8.5, 14, 14], options), range);
});
