import test from 'ava';
import { createRng } from '../../lib/core/index.ts';
import type { LoaderOptions, Remainder } from '../../lib/load/index.ts';
import { resolveRecipe } from '../../lib/load/clip/recipe.ts';
import { resolveRun } from '../../lib/load/options.ts';
import { createSchedule } from '../../lib/load/schedule.ts';
import type { Schedule } from '../../lib/load/schedule.ts';

/** Every clip of an epoch over all ranks: `dataset/sample/view`, with `*` for pads. */
function epochOf(schedules: readonly Schedule[], epoch: number): string[] {
  return schedules.flatMap(({ numBatches, clips, countClips }) =>
    Array.from({ length: numBatches }, (_, batchIndex) => {
      const batch = clips({ epoch, batchIndex });
      if (batch.length !== countClips({ epoch, batchIndex })) throw new Error('miscounted');
      return batch.map(({ member, sample, view, isPad }) => {
        const look = view === null ? '' : `${view.segment}.${view.crop}`;
        return `${member}/${sample}/${look}${isPad ? '*' : ''}`;
      });
    }).flat(),
  );
}

test('2000 random schedules: ranks are disjoint, together everything, with equal batches', (t) => {
  const rng = createRng(0, 'random-schedules');
  const pick = <T>(values: readonly T[]): T => values[rng.integer(0, values.length)]!;
  for (let round = 0; round < 2000; round++) {
    const shardSamples = Array.from({ length: rng.integer(1, 5) }, () => rng.integer(1, 9));
    const numSamples = shardSamples.reduce((sum, count) => sum + count, 0);
    const views =
      rng.uniform() < 0.3 ? { segments: rng.integer(1, 4), crops: rng.integer(1, 4) } : undefined;
    const worldSize = rng.integer(1, 5);
    const remainder = pick<Remainder>(['drop', 'pad', 'uneven']);
    const options = {
      batchSize: rng.integer(1, 6),
      seed: rng.integer(0, 100),
      ...pick<Pick<LoaderOptions, 'shuffle' | 'windowShards' | 'windowSamples'>>([
        { shuffle: 'global' },
        { shuffle: 'window', windowShards: 2, windowSamples: 4 },
        { shuffle: 'none' },
      ]),
      worldSize,
      remainder,
      ...(views === undefined ? {} : { views }),
    };
    const recipe = resolveRecipe(options, { stored: null, hasFrames: true });
    const setting = { recipe, isRandom: true, classLists: [] };
    const members = [{ name: '', weight: 1, shardSamples, stored: null }];
    const schedules = Array.from({ length: worldSize }, (_, rank) =>
      createSchedule(members, resolveRun({ ...options, rank }, setting)),
    );
    const epoch = rng.integer(0, 3);
    const clips = epochOf(schedules, epoch);
    const total = numSamples * (views === undefined ? 1 : views.segments * views.crops);
    const worldBatch = options.batchSize * worldSize;
    const own = clips.filter((clip) => !clip.endsWith('*'));
    const wanted = remainder === 'drop' ? Math.floor(total / worldBatch) * worldBatch : total;
    const isRight =
      new Set(own).size === own.length &&
      own.length === wanted &&
      (remainder === 'pad' ? clips.length % worldBatch === 0 : clips.length === own.length) &&
      (remainder === 'uneven' || new Set(schedules.map(({ numBatches }) => numBatches)).size === 1);
    if (!isRight) t.fail(JSON.stringify(options));
    // The same from any place: nothing depends on what was looked up before.
    const [first] = schedules;
    if (first!.numBatches > 0) {
      const batchIndex = rng.integer(0, first!.numBatches);
      const fresh = createSchedule(members, resolveRun({ ...options, rank: 0 }, setting));
      const place = { epoch, batchIndex };
      if (JSON.stringify(fresh.clips(place)) !== JSON.stringify(first!.clips(place))) {
        t.fail(JSON.stringify(options));
      }
    }
  }
  t.pass();
});
