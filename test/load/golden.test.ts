/** The numbers of the reference through the loader, end to end; and how often what is drawn comes out. */

import test from 'ava';
import { openLoader } from '../../lib/load/index.ts';
import type { LoaderOptions } from '../../lib/load/index.ts';
import { planClip, planMask } from '../../lib/load/clip/plan-clip.ts';
import { resolveRecipe } from '../../lib/load/clip/recipe.ts';
import { cutTubelets } from '../../lib/sample/index.ts';
import type { ClipShape, TubeletShape } from '../../lib/sample/index.ts';
import { writeClips } from '../helpers/make-clips.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';
import { channelsLast, largestDifference } from '../helpers/random-clip.ts';
import { readGoldenJson, readGoldenTensor } from '../helpers/safetensors.ts';

for (const { source, golden, shape, tubelet } of [
  { source: 'a1_cubes', golden: 'a1_targets', shape: [8, 32, 32, 3], tubelet: [2, 16, 16] },
  { source: 'a2_cubes_patch8', golden: 'a2_targets', shape: [4, 24, 24, 3], tubelet: [2, 8, 8] },
] as const satisfies readonly {
  source: string;
  golden: string;
  shape: ClipShape;
  tubelet: TubeletShape;
}[]) {
  for (const layout of ['tubelets', 'raw'] as const) {
    test(`golden ${golden} from layout ${layout}: targets of a batch are those of the reference`, async (t) => {
      const { data } = await readGoldenTensor(`${source}.safetensors`, 'clip_u8');
      const length = shape.reduce((product, side) => product * side, 1);
      const clip = channelsLast(data.slice(0, length) as Uint8Array, 1);
      const wanted = await readGoldenTensor(`${golden}.safetensors`, 'cubes_normalised');
      const folder = await temporaryFolder(t);
      const pixels = layout === 'raw' ? clip : cutTubelets(clip, shape, tubelet);
      await writeClips(folder, { layout, shape, tubelet, sizes: [1] }, (sample) =>
        sample.codec === 'raw' ? { ...sample, data: pixels } : sample,
      );
      const options: LoaderOptions = {
        batchSize: 1,
        seed: 0,
        epochs: 12,
        workers: 1,
        mask: { kind: 'random', ratio: 0.75 },
        ...(layout === 'raw'
          ? { numFrames: shape[0], size: shape[1], tubelet, frames: 'first' }
          : {}),
      };
      const tokenLength = tubelet[0] * tubelet[1] * tubelet[2] * 3;
      const seen = new Set<number>();
      for await (const { target, maskedTokens } of await openLoader(folder, options)) {
        for (const [place, token] of maskedTokens!.data.entries()) {
          seen.add(token);
          const found = target!.data.slice(place * tokenLength, (place + 1) * tokenLength);
          const expected = wanted.data.slice(token * tokenLength, (token + 1) * tokenLength);
          t.true(largestDifference(found, expected) <= 2e-5);
        }
      }
      t.is(seen.size, length / tokenLength); // Each token was a target once at least.
    });
  }
}

test('golden h5: every clip has just the tokens masked that the reference masks', async (t) => {
  const { rows } = (await readGoldenJson('h5_mask_statistics.json')) as {
    rows: readonly {
      readonly grid: readonly [number, number, number];
      readonly ratio: number;
      readonly tube_masked_total: number;
      readonly random_masked_total: number;
      readonly frame_masked_slots: number;
    }[];
  };
  const square = rows.filter(({ grid }) => grid[1] === grid[2]);
  t.true(square.length > 2);
  for (const { grid, ratio, ...row } of square) {
    const wanted = {
      tube: row.tube_masked_total,
      random: row.random_masked_total,
      frame: row.frame_masked_slots * grid[1] * grid[2],
    };
    for (const kind of ['tube', 'random', 'frame'] as const) {
      if (wanted[kind] === 0) continue; // Refused: nothing would be left to predict.
      const options = { numFrames: grid[0] * 2, size: grid[1] * 16, mask: { kind, ratio } };
      const recipe = resolveRecipe(options, { stored: null, hasFrames: true });
      const counts = Array.from({ length: 20 }, (_, sample) => {
        const identity = { seed: 0, dataset: '', round: 0, sample, repeat: 0, view: null };
        return planMask(recipe, identity)!.reduce((sum, isMasked) => sum + isMasked, 0);
      });
      t.deepEqual([...new Set(counts)], [wanted[kind]], `${kind} ${ratio}`);
    }
  }
});

test('what is drawn comes as often as it is asked for, over 4000 clips', (t) => {
  const options: LoaderOptions = {
    batchSize: 1,
    frames: 'pretrain',
    crop: 'random',
    flip: 0.3,
    erasing: 0.25,
    size: 16,
    tubelet: [2, 4, 4],
  };
  const recipe = resolveRecipe(options, { stored: null, hasFrames: true });
  const stored = { numStored: 20, width: 19, height: 16, className: null };
  const counts = { flip: 0, erase: 0, left: [0, 0, 0, 0], start: [0, 0, 0, 0, 0] };
  for (let sample = 0; sample < 4000; sample++) {
    const identity = { seed: 1, dataset: '', round: 0, sample, repeat: 0, view: null };
    const { isFlipped, erase, cut, frames } = planClip(recipe, stored, identity);
    if (isFlipped) counts.flip += 1;
    if (erase !== null) counts.erase += 1;
    counts.left[cut.crop.left]! += 1;
    counts.start[frames[0]!]! += 1;
  }
  const isNear = (count: number, part: number): boolean =>
    Math.abs(count - 4000 * part) < 5 * Math.sqrt(4000 * part * (1 - part));
  t.true(isNear(counts.flip, 0.3) && isNear(counts.erase, 0.25), JSON.stringify(counts));
  t.true(
    counts.left.every((count) => isNear(count, 1 / 4)),
    JSON.stringify(counts),
  );
  t.true(
    counts.start.every((count) => isNear(count, 1 / 5)),
    JSON.stringify(counts),
  );
});
